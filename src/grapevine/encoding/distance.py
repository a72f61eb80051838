"""Shortest paths: how many nodes are 1, 2, ... steps away, and how far the ends of an edge are apart without it.

distance_i = [log(1 + #{ j : d(j, i) = 1 }), ..., log(1 + #{ j : d(j, i) = k })],     edge-distance_ji = 1 / d'(j, i)

Counts by distance: Li, Wang, Wang & Leskovec 2020, "Distance encoding: design provably more powerful neural networks
for graph representation learning". d' is the distance where the edges between i and j are taken out, so 1 + d' is the
size of the smallest ring that the edge is on.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.encoding import Encoding, EncodingLevel, check_number
from grapevine.graph import Graph
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows

_FARTHEST = 16  # steps that a way round is followed


@dataclass(frozen=True)
class Distance(Encoding):
    """`distance:8`: log(1 + how many nodes are exactly 1 .. steps steps away), along the edges, towards the node.

    It costs what is within so many steps of each node: of a large graph ask for few.

    >>> Distance(2)(Graph([[0, 1, 1, 2], [1, 0, 2, 1]])).exp().tolist()
    [[2.0, 2.0], [3.0, 1.0], [2.0, 2.0]]
    """

    steps: int = 8

    name: ClassVar[str] = "distance"

    def __post_init__(self) -> None:
        check_number(self.name, "steps", self.steps)

    @property
    def channels(self) -> int:
        return self.steps

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        pattern = graph.adj.pattern
        out = np.zeros((graph.num_nodes, self.steps))
        told = pattern.indptr.numpy(), pattern.indices.numpy(), out
        share_rows(_count, graph.num_nodes, *told, work=8 * self.steps * graph.num_edges)
        return np.log1p(out)


@dataclass(frozen=True)
class Detour(Encoding):
    """`edge-distance`: 1 / the steps from an edge's source to its target without it; 0 where 16 do not suffice.

    >>> square = Graph([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])
    >>> Detour()(square).flatten().unique()
    tensor([0.3333])
    """

    name: ClassVar[str] = "edge-distance"
    level: ClassVar[EncodingLevel] = "edge"

    @property
    def channels(self) -> int:
        return 1

    def values(self, graph: Graph) -> Float[np.ndarray, "e c"]:
        pattern = graph.adj.pattern
        out = np.zeros(graph.num_edges)
        told = pattern.indptr.numpy(), pattern.indices.numpy(), out
        share_rows(_detour, graph.num_nodes, *told, work=64 * graph.num_edges)
        return out[:, None]


@kernel
def _count(begin, end, indptr, indices, out):
    """Breadth first, over whom each node hears."""
    num_nodes = indptr.shape[0] - 1
    seen, queue = np.full(num_nodes, -1), np.empty(num_nodes, np.int64)
    for i in range(begin, end):
        seen[i], queue[0], first, last = i, i, 0, 1
        for step in range(out.shape[1]):
            stop = last
            for q in range(first, stop):
                for p in range(indptr[queue[q]], indptr[queue[q] + 1]):
                    j = indices[p]
                    if seen[j] != i:
                        seen[j], queue[last] = i, j
                        last += 1
            out[i, step] = last - stop
            first = stop


@kernel
def _detour(begin, end, indptr, indices, out):
    """For each edge on its own: all others of i are passed over, then breadth first until its source is met."""
    num_nodes, stamp = indptr.shape[0] - 1, 0
    seen, queue = np.zeros(num_nodes, np.int64), np.empty(num_nodes, np.int64)
    for i in range(begin, end):
        for e in range(indptr[i], indptr[i + 1]):
            source = indices[e]
            stamp += 1
            seen[i], queue[0], first, last, steps, found = stamp, i, 0, 1, 0, source == i
            while first < last and steps < _FARTHEST and not found:
                stop = last
                for q in range(first, stop):
                    for p in range(indptr[queue[q]], indptr[queue[q] + 1]):
                        j = indices[p]
                        if seen[j] != stamp and not (queue[q] == i and j == source):
                            seen[j], queue[last] = stamp, j
                            last += 1
                            found = found or j == source
                first, steps = stop, steps + 1
            if found and source != i:
                out[e] = 1.0 / steps
