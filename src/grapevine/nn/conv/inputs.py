"""What a layer is given, in the one form it works with: source states, target states, an adjacency."""

from typing import TypeAlias

from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.nn.linear import Features, check_features
from grapevine.ops.sparse import SparseMatrix

Ends: TypeAlias = Features | tuple[Features, Features]  # states of the nodes, or of the sources and the targets
Edges: TypeAlias = Adjacency | Graph | Tensor  # who hears whom


def ends_of(x: Ends, adj: Edges) -> tuple[Features, Features, Adjacency]:
    """Source states, target states and the adjacency between them; without a pair both states are x itself.

    Raises:
        InputError: if a state is no [n, c] matrix, or the adjacency is one of other nodes.
    """
    if isinstance(x, tuple):
        check(len(x) == 2, f"x must be one tensor or the pair (x_src, x_dst), got {len(x)} of them")
    x_src, x_dst = x if isinstance(x, tuple) else (x, x)
    for name, state in (("x_src", x_src), ("x_dst", x_dst)) if isinstance(x, tuple) else (("x", x),):
        check_features(name, state)
    return x_src, x_dst, as_adjacency(adj, num_src=x_src.shape[0], num_dst=x_dst.shape[0])


def dense_ends_of(x: Ends, adj: Edges, layer: str) -> tuple[Tensor, Tensor, Adjacency]:
    """The same for a layer that adds states up before it multiplies them, and so wants them dense."""
    x_src, x_dst, adjacency = ends_of(x, adj)
    if isinstance(x_src, SparseMatrix) or isinstance(x_dst, SparseMatrix):
        raise InputError(f"{layer} takes dense features here; put a Linear layer in front of it, or use to_dense()")
    return x_src, x_dst, adjacency


def edges_of(edge: Tensor, adj: Edges, adjacency: Adjacency, *, ndim: int) -> Tensor:
    """A layer's edge input in the order of the adjacency.

    Raises:
        InputError: unless it is a tensor of that many dimensions with a row for every edge.
    """
    check_tensor("edge", edge, ndim=ndim)
    return in_order("edge", edge, adj, adjacency)


def in_order(name: str, edge: Tensor, adj: Edges, adjacency: Adjacency) -> Tensor:
    """An edge tensor in the order of the adjacency: beside an edge_index it comes in that one's order."""
    check(isinstance(edge, Tensor) and edge.ndim > 0, f"{name} must be a tensor with rows, got {type(edge).__name__}")
    check_rows(name, edge, adjacency.num_edges, "edges")
    return edge[adjacency.edge_id] if isinstance(adj, Tensor) else edge
