"""Edges that join the same two nodes, whatever their direction: a split has them in one part."""

import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.graph import Adjacency
from grapevine.ops.group import group


def pair_of_edges(adj: Adjacency) -> tuple[Int[Tensor, " e"], Int[Tensor, "2 u"]]:
    """The number of the unordered pair that each edge joins, and the pairs, smaller node first, in rising order.

    >>> pair, pairs = pair_of_edges(Adjacency([[0, 1, 2, 2], [1, 0, 1, 2]]))  # kept as 1->0, 0->1, 2->1, 2->2
    >>> pair.tolist(), pairs.T.tolist()
    ([0, 0, 1, 2], [[0, 1], [1, 2], [2, 2]])
    """
    low, high = torch.minimum(adj.src, adj.dst), torch.maximum(adj.src, adj.dst)
    num_nodes = adj.num_nodes
    _, low_by_high, by_high = group(high, low, num_nodes, True)  # two stable counting sorts: by low, then by high
    _, order, _ = group(low_by_high, by_high, num_nodes, True)
    keys, pair_in_order = (low * num_nodes + high)[order].unique_consecutive(return_inverse=True)
    pair = torch.empty_like(order)
    pair[order] = pair_in_order
    return pair, torch.stack([keys // max(num_nodes, 1), keys % max(num_nodes, 1)])
