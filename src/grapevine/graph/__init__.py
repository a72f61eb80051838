"""The graphs that models learn on: who hears whom, and what is known of the nodes, the edges and the whole."""

from grapevine.graph.adjacency import Adjacency
from grapevine.graph.convert import (
    from_frame,
    from_networkx,
    from_pyg,
    from_scipy,
    to_networkx,
    to_pyg,
    to_scipy,
)
from grapevine.graph.graph import Graph, as_adjacency

__all__ = [
    "Adjacency",
    "Graph",
    "as_adjacency",
    "from_frame",
    "from_networkx",
    "from_pyg",
    "from_scipy",
    "to_networkx",
    "to_pyg",
    "to_scipy",
]
