"""Why a graph network fails: measures of data and models, which change neither."""

from grapevine.diagnose.bound import Bound, bound, bound_of
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

__all__ = [
    "WL_TESTS",
    "Bound",
    "WLTest",
    "bound",
    "bound_of",
    "color_multiset",
    "color_refinement",
    "graph_colors",
    "graph_hash",
    "node_colors",
    "separates",
    "subtree_features",
    "subtree_kernel",
]
