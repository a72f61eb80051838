"""Why a graph network fails: measures of data and models, which change neither."""

from grapevine.diagnose.wl import (
    WL_TESTS,
    WLTest,
    color_multiset,
    color_refinement,
    graph_colors,
    node_colors,
    separates,
)

__all__ = ["WL_TESTS", "WLTest", "color_multiset", "color_refinement", "graph_colors", "node_colors", "separates"]
