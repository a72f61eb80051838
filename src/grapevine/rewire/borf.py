"""Batch Ollivier-Ricci flow: a few edges at a time are added where it curves down most, and removed where it curves up.

In each batch, with K the Ollivier-Ricci curvature of the graph as it is:
    for each of the `add` edges i ~ j of the lowest K:  the neighbours p of i and q of j are joined between which the
        cheapest way to move the sand of i to j pays most, mass times distance, if they are strangers;
    the `remove` edges of the highest K are removed.

Nguyen, Hieu, Nguyen, Ho, Osher & Nguyen 2023, "Revisiting over-smoothing and over-squashing using Ollivier-Ricci
curvature".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grapevine.errors import check
from grapevine.graph.measures.curvature import ollivier_plan, ollivier_ricci
from grapevine.graph.measures.undirected import Undirected, from_pairs
from grapevine.rewire.rewiring import Change, PairRewiring
from grapevine.rewire.sdrf import ends_of


@dataclass(frozen=True)
class BORF(PairRewiring):
    """So many batches of the flow on each graph (Nguyen et al. 2023).

    Of equal curvatures the edge that comes first, by its nodes, is the lower one. About a millisecond for each edge and
    batch, and more at hubs.

    Args:
        num_batches, add, remove: 10, 4 and 2 in the paper's code; the paper tunes them for each data set.

    >>> from grapevine.graph import Graph
    >>> two_triangles_and_a_bridge = Graph([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> BORF(1, add=1, remove=0)(two_triangles_and_a_bridge).num_edges
    9
    """

    name: ClassVar[str] = "borf"
    num_batches: int = 10
    add: int = 4
    remove: int = 2

    def __post_init__(self):
        for name in ("num_batches", "add", "remove"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, got {getattr(self, name)}")

    def change(self, graph: Undirected, number: int) -> Change:
        now = graph
        for _ in range(self.num_batches):
            if now.num_pairs == 0:
                break
            now = self._batch(now)
        old, new = ends_of(graph), ends_of(now)
        return Change(new[:, graph.position(new) < 0], old[:, now.position(old) < 0])

    def _batch(self, graph: Undirected) -> Undirected:
        pairs = ends_of(graph)
        order = np.argsort(ollivier_ricci(graph), kind="stable")
        added = [_dearest(graph, *pairs[:, e]) for e in order[: self.add]]
        kept = order[: len(order) - min(self.remove, len(order))]
        found = np.array([pair for pair in added if pair is not None], np.int64).reshape(-1, 2).T
        return from_pairs(np.concatenate([pairs[:, np.sort(kept)], found], 1), graph.num_nodes)


def _dearest(graph: Undirected, i: int, j: int) -> tuple[int, int] | None:
    """The strangers between which the sand of i's neighbours costs most on its way to j's, the first of equals."""
    gives, takes, moved, distance = ollivier_plan(graph, int(i), int(j))
    if moved.size == 0:
        return None
    p, q = np.unravel_index(np.argmax(moved * distance), moved.shape)
    one, other = int(gives[p]), int(takes[q])
    is_known = one == other or graph.position(np.array([[one], [other]]))[0] >= 0
    return None if is_known else (one, other)
