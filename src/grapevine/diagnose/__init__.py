"""Why a graph network fails: measures of graphs, data and states, which change none of them."""

from grapevine.diagnose.bound import Bound, bound, bound_of
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
from grapevine.diagnose.squashing import Bottlenecks, Sensitivity, bottlenecks, jacobian_norms, sensitivity
from grapevine.diagnose.subtree import subtree_features, subtree_kernel
from grapevine.diagnose.wl import (
    WL_TESTS,
    WLTest,
    color_multiset,
    color_refinement,
    graph_colors,
    node_colors,
    separates,
)
from grapevine.graph.hash import graph_hash
from grapevine.graph.measures.curvature import balanced_forman, ollivier_ricci
from grapevine.graph.measures.resistance import effective_resistance, estimated_resistance, resistance_matrix
from grapevine.graph.measures.spectral_gap import SpectralGap, spectral_gap

__all__ = [
    "WL_TESTS",
    "Bottlenecks",
    "Bound",
    "Homophily",
    "Sensitivity",
    "Smoothing",
    "SpectralGap",
    "WLTest",
    "balanced_forman",
    "bottlenecks",
    "bound",
    "bound_of",
    "color_multiset",
    "color_refinement",
    "dirichlet_energy",
    "effective_resistance",
    "estimated_resistance",
    "graph_colors",
    "graph_hash",
    "homophily",
    "jacobian_norms",
    "mean_average_distance",
    "mean_cosine",
    "node_colors",
    "node_homophily",
    "normalised_energy",
    "ollivier_ricci",
    "resistance_matrix",
    "sensitivity",
    "separates",
    "singular_values",
    "smoothing",
    "spectral_gap",
    "subtree_features",
    "subtree_kernel",
]
