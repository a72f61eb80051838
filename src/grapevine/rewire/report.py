"""What rewirings did to a graph: how many edges came and went, and the spectral gap before and after.

A graph in pieces has the gap 0: of the largest piece it is told beside. Of a batch both are means over its graphs of
two nodes or more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.graph.measures import spectral_gap
from grapevine.rewire.rewiring import Rewiring

_MEASURED = 200  # graphs of a batch, drawn, whose gaps are measured


@dataclass(frozen=True)
class Rewired:
    """The edges that came and went, and how wide the narrowest place is.

    Args:
        spec: of the rewirings.
        added, removed: edges by direction, as the graph stores them, each place once.
        num_edges: in the end.
        gap_before, gap_after: the spectral gap; NaN where no graph has two nodes.
        largest_before, largest_after: that of the largest piece.

    >>> from grapevine.rewire import FoSR
    >>> two_triangles_and_a_bridge = Graph([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> print(report(two_triangles_and_a_bridge, FoSR(1)(two_triangles_and_a_bridge), "fosr:1"))
    fosr:1: 2 edges added, 0 removed, 9 in all; spectral gap 0.205 -> 0.423
    """

    spec: str
    added: int
    removed: int
    num_edges: int
    gap_before: float
    gap_after: float
    largest_before: float
    largest_after: float

    def __str__(self) -> str:
        edges = f"{self.added:,} edges added, {self.removed:,} removed, {self.num_edges:,} in all"
        gap = f"spectral gap {self.gap_before:.3f} -> {self.gap_after:.3f}"
        if self.gap_before != self.largest_before or self.gap_after != self.largest_after:
            gap += f", of the largest piece {self.largest_before:.3f} -> {self.largest_after:.3f}"
        return f"{self.spec}: {edges}; {gap}"


def rewire(graph: Graph, rewirings: Sequence[Rewiring]) -> Graph:
    """The graph with one rewiring after another.

    >>> from grapevine.rewire import Shortcuts
    >>> rewire(Graph([[0, 1], [1, 2]]), [Shortcuts(2)]).num_edges
    4
    """
    for rewiring in rewirings:
        check(isinstance(rewiring, Rewiring), f"rewirings must be Rewirings, got {type(rewiring).__name__}")
        graph = rewiring(graph)
    return graph


def report(before: Graph, after: Graph, spec: str) -> Rewired:
    """Compare a graph with what was made of it; of a batch of more than 200 graphs, the gaps of 200 of them."""
    one, other = (_places(graph, after.num_nodes == before.num_nodes) for graph in (before, after))
    drawn = np.random.default_rng(0).permutation(before.num_graphs)[:_MEASURED]
    gaps, largest = zip(*(_gaps(graph, np.sort(drawn)) for graph in (before, after)), strict=True)
    added, removed = (len(np.setdiff1d(a, b)) for a, b in ((other, one), (one, other)))
    if after.num_nodes != before.num_nodes:  # virtual nodes: the numbers of the others moved
        added, removed = after.num_edges - before.num_edges, 0
    return Rewired(spec, added, removed, after.num_edges, *gaps, *largest)


def _places(graph: Graph, is_same: bool) -> np.ndarray:
    src, dst = graph.adj.edge_index.cpu().numpy()
    return np.unique(src * graph.num_nodes + dst) if is_same else np.zeros(0, np.int64)


def _gaps(graph: Graph, drawn: np.ndarray) -> tuple[float, float]:
    """The mean gap, and that of the largest pieces."""
    parts = graph.unbatch()
    found = [spectral_gap(parts[k].adj) for k in drawn if parts[k].num_nodes > 1]
    if not found:
        return float("nan"), float("nan")
    return float(np.mean([each.gap for each in found])), float(np.mean([each.largest for each in found]))
