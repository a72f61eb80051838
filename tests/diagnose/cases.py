"""Graphs whose measures are known, and random ones with all that may stand in a list of edges."""

import networkx as nx
import torch
from hypothesis import settings
from hypothesis import strategies as st

from grapevine.graph import Adjacency
from tests.graph.cases import index_of, many, square_edges

__all__ = ["adjacency_of", "any_graph", "many", "networkx_of", "random_states", "some"]

some = settings(deadline=None, max_examples=30)  # where one example is slow


@st.composite
def any_graph(draw) -> tuple[Adjacency, nx.Graph]:
    """Edges with direction, loops and repetitions, and the simple undirected graph under them."""
    edges, num_nodes = draw(square_edges())
    plain = nx.Graph()
    plain.add_nodes_from(range(num_nodes))
    plain.add_edges_from((j, i) for j, i in edges if j != i)
    return Adjacency(index_of(edges), num_nodes), plain


def adjacency_of(plain: nx.Graph) -> Adjacency:
    """The edges of a graph with nodes 0 .. n - 1, each once and in one direction."""
    plain = nx.convert_node_labels_to_integers(plain)
    return Adjacency(index_of(list(plain.edges)), plain.number_of_nodes())


def networkx_of(adj: Adjacency) -> nx.Graph:
    """The simple undirected graph under an adjacency."""
    plain = nx.Graph()
    plain.add_nodes_from(range(adj.num_nodes))
    plain.add_edges_from((j, i) for j, i in adj.edge_index.T.tolist() if j != i)
    return plain


def random_states(num_nodes: int, num_channels: int, seed: int = 0) -> torch.Tensor:
    """Normal numbers in float64."""
    return torch.randn(num_nodes, num_channels, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
