"""Why a network fails: measures of a graph and of the states of its nodes. They change nothing."""

from grapevine.diagnose.curvature import balanced_forman, ollivier_ricci
from grapevine.diagnose.homophily import Homophily, homophily, node_homophily
from grapevine.diagnose.resistance import effective_resistance, estimated_resistance, resistance_matrix
from grapevine.diagnose.smoothing import (
    Smoothing,
    dirichlet_energy,
    mean_average_distance,
    mean_cosine,
    normalised_energy,
    singular_values,
    smoothing,
)
from grapevine.diagnose.spectral_gap import SpectralGap, spectral_gap
from grapevine.diagnose.squashing import Bottlenecks, Sensitivity, bottlenecks, jacobian_norms, sensitivity

__all__ = [
    "Bottlenecks",
    "Homophily",
    "Sensitivity",
    "Smoothing",
    "SpectralGap",
    "balanced_forman",
    "bottlenecks",
    "dirichlet_energy",
    "effective_resistance",
    "estimated_resistance",
    "homophily",
    "jacobian_norms",
    "mean_average_distance",
    "mean_cosine",
    "node_homophily",
    "normalised_energy",
    "ollivier_ricci",
    "resistance_matrix",
    "sensitivity",
    "singular_values",
    "smoothing",
    "spectral_gap",
]
