"""First-order spectral rewiring: add, one after another, the edges that widen the spectral gap most.

The gap of L = I - D^-1/2 A D^-1/2 grows by about  - 2 x_i x_j / sqrt((1 + d_i) (1 + d_j))  when i and j are joined,
x the eigenvector of the second eigenvalue, so the pair of least  x_i x_j / sqrt((1 + d_i) (1 + d_j))  is.

Karhadkar, Banerjee & Montufar 2023, "FoSR: first-order spectral rewiring for addressing oversquashing in GNNs".
x is followed by a step of the power method on I + D^-1/2 A D^-1/2 after each edge. A node without neighbours counts as
its own neighbour there, so that it is joined too.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grapevine.errors import check
from grapevine.graph.measures.undirected import Undirected
from grapevine.ops.runtime.kernel import kernel
from grapevine.rewire.lists import neighbour_lists, place_edge
from grapevine.rewire.rewiring import Change, PairRewiring


@dataclass(frozen=True)
class FoSR(PairRewiring):
    """Add `num_edges` edges to each graph (Karhadkar et al. 2023); fewer where all nodes are joined before.

    It takes O(n + e) an edge.

    Args:
        num_edges: 50 in the paper, where it is tuned for each data set.
        num_first: steps of the power method before the first edge.
        seed: of its start.

    >>> from grapevine.graph import Graph
    >>> from grapevine.graph.measures import spectral_gap
    >>> barbell = Graph([[0, 0, 1, 2, 3, 3, 4], [1, 2, 2, 3, 4, 5, 5]])
    >>> rewired = FoSR(1)(barbell)
    >>> rewired.num_edges, spectral_gap(rewired).gap > 1.5 * spectral_gap(barbell).gap
    (9, True)
    """

    name: ClassVar[str] = "fosr"
    num_edges: int = 50
    num_first: int = 5
    seed: int = 0

    def __post_init__(self):
        check(self.num_edges >= 0, f"num_edges must not be negative, got {self.num_edges}")
        check(self.num_first >= 0, f"num_first must not be negative, got {self.num_first}")

    def change(self, graph: Undirected, number: int) -> Change:
        start = np.random.default_rng([self.seed, number]).standard_normal(graph.num_nodes)
        lists = neighbour_lists(graph, self.num_edges)
        added = np.empty((2, self.num_edges), np.int64)
        return Change(added[:, : _add(lists, start, self.num_first, added)])


@kernel
def _add(lists, x, num_first, added):
    """The number of edges that were found; `x` follows the eigenvector."""
    for _ in range(num_first):
        _step(lists, x)
    for k in range(added.shape[1]):
        _step(lists, x)
        i, j = _least(lists, x)
        if i < 0:
            return k
        added[0, k], added[1, k] = min(i, j), max(i, j)
        place_edge(lists, i, j)
    return added.shape[1]


@kernel
def _step(lists, x):
    """x, across from D^1/2 1, times I + D^-1/2 A D^-1/2."""
    start, length, _, pool, _ = lists
    n = x.shape[0]
    along, whole = 0.0, 0.0
    for i in range(n):
        degree = max(length[i], 1)
        along += x[i] * np.sqrt(degree)
        whole += degree
    given = np.empty(n)
    for i in range(n):
        degree = max(length[i], 1)
        x[i] -= along / whole * np.sqrt(degree)
        given[i] = x[i] / np.sqrt(degree)
    square = 0.0
    for i in range(n):
        total = given[i] if length[i] == 0 else 0.0
        for p in range(start[i], start[i] + length[i]):
            total += given[pool[p]]
        x[i] += total / np.sqrt(max(length[i], 1))
        square += x[i] * x[i]
    if square > 0:
        for i in range(n):
            x[i] /= np.sqrt(square)


@kernel
def _least(lists, x):
    """The strangers of the least product, or -1: each node with the lowest or highest that it does not know."""
    start, length, _, pool, _ = lists
    n = x.shape[0]
    y = x / np.sqrt(length + 1.0)
    order = np.argsort(y, kind="mergesort")
    knows = np.zeros(n, np.bool_)
    least, one, other = np.inf, -1, -1
    for i in range(n):
        knows[i] = True
        for p in range(start[i], start[i] + length[i]):
            knows[pool[p]] = True
        for r in range(n):
            j = order[r] if y[i] > 0 else order[n - 1 - r]
            if not knows[j]:
                if y[i] * y[j] < least:
                    least, one, other = y[i] * y[j], i, j
                break
        knows[i] = False
        for p in range(start[i], start[i] + length[i]):
            knows[pool[p]] = False
    return one, other
