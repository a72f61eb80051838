"""The two directions of a pair of atoms have one distance: what is made of distances alone is made once for both.

r of j -> i = r of i -> j,   where the vector of one is minus that of the other
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.adjacency import kept
from grapevine.graph.reverse import reverse_edges
from grapevine.ops.filter_sum import Filters


@dataclass(frozen=True, eq=False)
class AtomPairs:
    """The pairs of atoms that hear each other, or the edges where some are heard one way only.

    Args:
        filters: which edges belong to each pair.
        vector: [k, 3] the vector of each pair's first edge.
    """

    filters: Filters
    vector: Float[Tensor, "k 3"]


def atom_pairs(adj: Adjacency, vector: Float[Tensor, "e 3"]) -> AtomPairs:
    """Put the two directions of every pair together, images in neighbouring cells too.

    >>> adj = Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> atom_pairs(adj, torch.tensor([[-1.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, -2, 0]])).vector.shape
    torch.Size([2, 3])
    """
    filters = _by_ends(adj)
    if filters is None or not _are_opposite(filters, vector.detach()):
        reverse = _reverse_by_vector(adj, vector.detach())
        filters = _each(adj) if reverse is None else Filters.shared(adj.pattern, reverse)
    first = filters.first
    return AtomPairs(filters, vector if first is None else vector.index_select(0, first))


@kept
def _each(adj: Adjacency) -> Filters:
    return Filters.each(adj.pattern)


@kept
def _by_ends(adj: Adjacency) -> Filters | None:
    """By the ends of the edges alone; None where an edge lacks its other direction."""
    try:
        return Filters.shared(adj.pattern, reverse_edges(adj))
    except InputError:
        return None


def _are_opposite(filters: Filters, vector: Tensor) -> bool:
    """Whether every edge is as its pair's first one, or its opposite and the other way; a loop is a pair of its own."""
    first, of_edge = filters.first, filters.pattern.entry
    assert first is not None
    assert of_edge is not None
    place = torch.arange(len(vector), device=vector.device)
    of_first = first.index_select(0, of_edge)
    sign = torch.where(place == of_first, 1, -1).to(vector.dtype).unsqueeze(1)
    return torch.equal(vector.index_select(0, of_first) * sign, vector)


def _reverse_by_vector(adj: Adjacency, vector: Tensor) -> Tensor | None:
    """The other direction of each edge where several images of an atom are heard; None where some have none.

    Both directions of a pair have the same two ends and, but for its sign, the same vector: sorted by these they lie
    side by side.
    """
    if adj.num_edges % 2 or vector.device.type != "cpu":
        return None
    src, dst = adj.src, adj.dst
    low, high = torch.minimum(src, dst), torch.maximum(src, dst)
    # number by number: a matrix product may round the two directions differently
    x, y, z = vector.double().unbind(1)
    along = x + y * 2**0.5 + z * 3**0.5
    along = torch.where(src == dst, along.abs(), torch.where(src < dst, along, -along))
    order = torch.from_numpy(np.lexsort((along.numpy(), high.numpy(), low.numpy())))
    one, other = order[0::2], order[1::2]
    are_ends = torch.equal(src[one], dst[other]) and torch.equal(dst[one], src[other])
    if not are_ends or not torch.equal(vector[one], -vector[other]):
        return None
    reverse = torch.empty_like(adj.pattern.indices)
    reverse[one], reverse[other] = other.to(reverse.dtype), one.to(reverse.dtype)
    return reverse
