"""Pairs of nodes that no edge joins, drawn anew each epoch to teach what is no link.

uniform: all such pairs are as likely        degree: (u, v), u from a link, v with p(v) ~ degree(v)^0.75
hard: of a pool of uniform ones those with the most common neighbours
"""

from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from pydantic import BaseModel, ConfigDict, PositiveInt
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import Adjacency, to_scipy
from grapevine.graph.non_edges import EdgeSet, sample_non_edges

_AT_ONCE = 1 << 16  # pairs whose neighbourhoods are compared at a time


class Negatives(BaseModel):
    """How negatives are drawn; kept in a run's config.

    Args:
        kind: `uniform`; `degree`, which keeps one end of each link, either with the same chance, and draws the other
            by its degree to the power 0.75, as word2vec draws words by their frequency (Mikolov et al. 2013); `hard`,
            which keeps of a uniform pool the pairs with the most common neighbours, equals at random. Hardness by the
            graph and not by the model's scores makes one seed draw the same pairs whatever the model has learnt.
        per_positive: how many for each link.
        pool: of `hard`, how many pairs are drawn for each that is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["uniform", "degree", "hard"] = "uniform"
    per_positive: PositiveInt = 1
    pool: PositiveInt = 10


def draw_negatives(
    how: Negatives, edges: EdgeSet, positives: Int[Tensor, "2 k"], generator: torch.Generator
) -> Int[Tensor, "2 m"]:
    """`per_positive` times k pairs, none of which is in `edges`, in random order.

    Raises:
        InputError: if the graph has not so many pairs without an edge.

    >>> ring = Adjacency([[0, 1, 2, 3, 4, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 0, 1, 2, 3, 4]])
    >>> pairs = draw_negatives(Negatives(), EdgeSet(ring), ring.edge_index[:, :3], torch.Generator().manual_seed(0))
    >>> pairs.shape, EdgeSet(ring).contains(pairs).any().item()
    (torch.Size([2, 3]), False)
    """
    count = how.per_positive * positives.shape[1]
    if how.kind == "uniform":
        return sample_non_edges(edges, count, generator=generator)
    if how.kind == "degree":
        return _by_degree(edges, positives.repeat(1, how.per_positive), generator)
    free = edges.num_pairs - edges.num_joined
    pool = sample_non_edges(edges, max(count, min(count * how.pool, free)), generator=generator)
    most = common_neighbours(edges.adj, pool).argsort(descending=True, stable=True)[:count]
    return pool[:, most[torch.randperm(count, generator=generator, device=most.device)]]


def common_neighbours(adj: Adjacency, pairs: Int[Tensor, "2 k"]) -> Int[Tensor, " k"]:
    """How many nodes are joined, by an edge of either direction, to both nodes of each pair.

    >>> common_neighbours(Adjacency([[0, 1, 3], [1, 2, 1]]), torch.tensor([[0, 0], [2, 1]])).tolist()
    [1, 0]
    """
    check(adj.is_square, f"neighbours are common among the nodes of one set, got {adj}")
    matrix = to_scipy(adj)
    joined = ((matrix + matrix.T) != 0).astype(np.int64).tocsr()
    ends = pairs.cpu().numpy()
    counts = [
        joined[ends[0, k : k + _AT_ONCE]].multiply(joined[ends[1, k : k + _AT_ONCE]]).sum(axis=1)
        for k in range(0, ends.shape[1], _AT_ONCE)
    ]
    flat = np.concatenate([np.asarray(some).ravel() for some in counts]) if counts else np.zeros(0, np.int64)
    return torch.from_numpy(flat).to(pairs.device)


def _by_degree(edges: EdgeSet, positives: Tensor, generator: torch.Generator) -> Tensor:
    """One end of each pair stays, the other is drawn; of a directed graph the source stays."""
    sources = positives[0]
    if not edges.is_directed:
        is_turned = torch.rand(positives.shape[1], generator=generator, device=positives.device) < 0.5
        sources = torch.where(is_turned, positives[1], positives[0])
    weights = edges.adj.in_degree.double().pow(0.75)
    return sample_non_edges(edges, len(sources), generator=generator, sources=sources, target_weights=weights)
