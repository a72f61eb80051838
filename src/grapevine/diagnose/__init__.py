"""Why a network fails: measures of a graph and of the states of its nodes. They change nothing."""

from grapevine.diagnose.homophily import Homophily, homophily, node_homophily
from grapevine.diagnose.smoothing import (
    Smoothing,
    dirichlet_energy,
    mean_average_distance,
    mean_cosine,
    normalised_energy,
    singular_values,
    smoothing,
)

__all__ = [
    "Homophily",
    "Smoothing",
    "dirichlet_energy",
    "homophily",
    "mean_average_distance",
    "mean_cosine",
    "node_homophily",
    "normalised_energy",
    "singular_values",
    "smoothing",
]
