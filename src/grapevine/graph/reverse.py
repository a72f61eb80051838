"""Where the other direction of every edge stands.

reverse[j -> i] = the place of i -> j
"""

import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency, kept
from grapevine.ops.group import group
from grapevine.ops.pattern import Pattern


def reverse_edges(adj: Adjacency) -> Int[Tensor, " e"]:
    """For every edge j -> i the place of i -> j, both in the order of the adjacency; it is its own inverse.

    Of repeated edges the k-th copy of one direction belongs to the k-th copy of the other, and a self-loop to itself.
    It takes time linear in nodes and edges, and is kept with the adjacency.

    Returns:
        [e], of the adjacency's integer type.

    Raises:
        InputError: naming an edge that lacks its other direction.

    >>> adj = Adjacency([[0, 1, 1, 2, 2], [1, 0, 2, 1, 2]])
    >>> reverse_edges(adj).tolist()
    [1, 0, 3, 2, 4]
    """
    check(isinstance(adj, Adjacency), f"adj must be an Adjacency, got {type(adj).__name__}")
    check(adj.is_square, f"only edges among one set of nodes have another direction, this is {adj}")
    return _reverse(adj)


@kept
def reverse_pattern(adj: Adjacency) -> Pattern:
    """A row for each edge with one entry, in the column of its other direction: `gather` brings those states over."""
    reverse = reverse_edges(adj)
    starts = torch.arange(adj.num_edges + 1, dtype=reverse.dtype, device=reverse.device)
    return Pattern.trusted(starts, reverse, adj.num_edges)


@kept
def _reverse(adj: Adjacency) -> Tensor:
    """The k-th edge by (source, target) is the other direction of the k-th edge by (target, source)."""
    pattern, by_source = adj.pattern, adj.pattern.transposed
    places = by_source.entry
    assert places is not None  # a transpose always says where its entries stand
    wide = pattern.indptr.dtype == torch.int64
    _, by_target, _ = group(by_source.indices, places, adj.num_dst, wide)
    src, dst = pattern.indices[by_target], pattern.row_of[by_target]
    is_same = (src == by_source.indices) & (dst == by_source.row_of)
    if not is_same.all():
        raise InputError(_lacking(src, dst, by_source.indices, by_source.row_of))
    reverse = torch.empty_like(places)
    reverse[by_target] = places
    return reverse


def _lacking(src: Tensor, dst: Tensor, other_src: Tensor, other_dst: Tensor) -> str:
    """What to say: the two lists of edges are sorted alike, so where they first part the lesser one lacks its other."""
    k = int(((src != other_src) | (dst != other_dst)).nonzero()[0])
    edge, turned = (int(src[k]), int(dst[k])), (int(other_src[k]), int(other_dst[k]))
    j, i = edge if edge[::-1] < turned[::-1] else turned[::-1]
    return (
        f"edge {j} -> {i} lacks its other direction, {i} -> {j}: an undirected graph holds both; "
        "add it with the same features"
    )
