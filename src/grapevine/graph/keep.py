"""A graph with some of its edges, in time linear in nodes and edges: they are sorted already."""

from typing import TypeVar, cast

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import pad

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.graph.adjacency import Adjacency
from grapevine.graph.graph import Graph
from grapevine.graph.levels import Tensors
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix

Edged = TypeVar("Edged", Adjacency, Graph)


@torch.inference_mode(False)
def keep_edges(edges: Edged, keep: Bool[Tensor, " e"]) -> Edged:
    """The same nodes with those edges alone where `keep`, in the order of the adjacency, is true.

    `edge_id` of what comes counts the edges that were given: `edge_attr[thinned.edge_id]` carries an edge tensor over.
    A Graph's own edge tensors are carried over.

    Raises:
        InputError: unless `keep` says yes or no to every edge.

    >>> ring = Adjacency([[0, 1, 2], [1, 2, 0]])
    >>> thinned = keep_edges(ring, torch.tensor([True, False, True]))
    >>> thinned.edge_index.tolist(), thinned.edge_id.tolist()
    ([[2, 1], [0, 2]], [0, 2])
    """
    check_tensor("keep", keep, ndim=1, dtypes=(torch.bool,))
    adj = edges.adj if isinstance(edges, Graph) else edges
    check(isinstance(adj, Adjacency), f"edges must be an Adjacency or a Graph, got {type(edges).__name__}")
    check_rows("keep", keep, adj.num_edges, "edges")
    pattern = adj.pattern
    before = pad(keep.cumsum(0), (1, 0)).to(pattern.indptr.dtype)
    places = keep.nonzero().squeeze(1)
    part = Pattern.trusted(before[pattern.indptr.long()], pattern.indices[places], pattern.num_cols)
    thinned = Adjacency.trusted(part, places)
    if not isinstance(edges, Graph):
        return thinned
    check(not any(isinstance(t, SparseMatrix) for t in edges.edge.values()), "sparse edge tensors can not be thinned")
    tensors: Tensors = {**edges._tensors}
    tensors["edge"] = {name: cast(Tensor, tensor)[places] for name, tensor in edges.edge.items()}
    return Graph._made(thinned, tensors, edges.ptr)
