"""Pairs of nodes up to a distance, as edges: what a network hears that looks further than the neighbours.

j -> i is a pair where a shortest path along the edges from j to i has d edges, 1 <= d <= distance
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency, kept
from grapevine.ops.group import group
from grapevine.ops.pattern import Pattern
from grapevine.ops.spmm import spmm


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of nodes of a graph, or within each graph of a batch.

    Args:
        adj: the pairs, sorted by target and then by source.
        distance: [p] the edges on a shortest path, 1 .. farthest.
        farthest: the largest distance that was asked for.
        edges: which edges of the graph join each pair: rows are pairs, columns edges. Self-loops join none.
    """

    adj: Adjacency
    distance: Int[Tensor, " p"]
    farthest: int
    edges: Pattern

    def features(self, edge: Float[Tensor, "e d"] | None = None) -> Float[Tensor, "p c"]:
        """The distance, one column for each; behind it the features of the edge itself, 0 where there is none.

        Args:
            edge: [e, d] features of the graph's edges, in its order; those of repeated edges add up.
        """
        dtype = torch.get_default_dtype() if edge is None else edge.dtype
        one_hot = torch.nn.functional.one_hot(self.distance - 1, self.farthest).to(dtype)
        if edge is None:
            return one_hot
        check_tensor("edge", edge, ndim=2)
        check_rows("edge", edge, self.edges.num_cols, "edges")
        return torch.cat([one_hot, spmm(self.edges, edge)], dim=1)


def pairs_within(adj: Adjacency, distance: int) -> Pairs:
    """All pairs of different nodes, in both directions where the edges go both ways, at most `distance` edges apart.

    They are kept with the adjacency.

    >>> chain = Adjacency([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    >>> pairs = pairs_within(chain, 2)
    >>> pairs.adj, pairs.distance.tolist()
    (Adjacency(4 nodes, 10 edges), [1, 2, 1, 1, 2, 2, 1, 1, 2, 1])
    >>> pairs.features().shape
    torch.Size([10, 2])
    """
    check(isinstance(adj, Adjacency), f"adj must be an Adjacency, got {type(adj).__name__}")
    check(adj.is_square, f"distances are asked for within one set of nodes, this is {adj}")
    if not isinstance(distance, int) or distance < 1:
        raise InputError(f"distance must be a whole number of edges from 1 on, got {distance!r}")
    return _pairs(adj, distance)


@kept
def _pairs(adj: Adjacency, distance: int) -> Pairs:
    apart = _distances(adj, distance)
    indptr, src, lengths = (torch.from_numpy(a.astype(np.int64)) for a in (apart.indptr, apart.indices, apart.data))
    pairs = Adjacency.from_csr(indptr, src, num_src=adj.num_src).to(adj.device)
    return Pairs(pairs, lengths.to(adj.device), distance, _places(pairs, adj))


def _places(pairs: Adjacency, adj: Adjacency) -> Pattern:
    """The edges of each pair; pairs are sorted by target and source, and so found by those."""
    keys, edge_keys = (one.dst * adj.num_nodes + one.src for one in (pairs, adj))
    place = torch.searchsorted(keys, edge_keys)
    place = place.where(adj.src != adj.dst, pairs.num_edges)  # loops go behind the last pair, and are cut off
    starts, _, order = group(place, place, pairs.num_edges + 1, adj.pattern.indptr.dtype == torch.int64)
    return Pattern.trusted(starts[:-1], order[: int(starts[-2])], adj.num_edges)


def _distances(adj: Adjacency, farthest: int) -> Any:
    """[n, n] a SciPy matrix of shortest paths from column to row, of 1 .. farthest edges; breadth first."""
    arrays = (tensor.cpu().numpy() for tensor in (adj.pattern.indices, adj.pattern.indptr))
    shape = (adj.num_nodes, adj.num_nodes)
    step: Any = scipy.sparse.csr_array((np.ones(adj.num_edges, np.int32), *arrays), shape=shape)
    seen: Any = scipy.sparse.eye_array(adj.num_nodes, format="csr").astype(np.int32)
    found: Any = 0 * seen
    front: Any = seen
    for length in range(1, farthest + 1):
        front = front @ step
        front.sum_duplicates()
        front.data[:] = 1
        front = front - front.multiply(seen)
        front.eliminate_zeros()
        if front.nnz == 0:
            break
        seen, found = seen + front, found + length * front
    found.eliminate_zeros()
    found.sort_indices()
    return found
