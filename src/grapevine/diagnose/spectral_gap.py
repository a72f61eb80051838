"""The spectral gap: how fast news spreads over the whole graph, and how narrow its narrowest cut is.

    L = I - D^-1/2 A D^-1/2,    gap = the second smallest eigenvalue of L, in [0, n / (n - 1)]
    gap / 2 <= h <= sqrt(2 gap),    h = min over S of  edges that leave S / min(degrees in S, degrees outside S)

Cheeger's inequality (Alon & Milman 1985; Chung 1997, "Spectral graph theory"). The eigenvector, cut at its best place,
gives an S that obeys the upper bound: where the narrow place is.
It is of the simple undirected graph: no direction, no loops, each pair of neighbours once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu
from torch import Tensor

from grapevine.diagnose.undirected import Undirected, from_pairs, undirected
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph

_DENSE = 400  # nodes up to which all eigenvalues are computed
_SHIFT = 1e-10  # added to L, which has no inverse
_RESTARTS = 400  # of Lanczos' method, before the graph is taken for one with a thin place and factorised


@dataclass(frozen=True, eq=False)
class SpectralGap:
    """The gap of a graph and its narrowest cut, as far as the eigenvector finds it.

    Args:
        gap: 0 where the graph is in pieces.
        lower, upper: Cheeger's bounds on the conductance h.
        conductance: of the cut that was found: h is at most this. 0 where the graph is in pieces.
        side: [n] which nodes are on the side of that cut that has fewer degrees.
        num_cut: how many edges cross it.
        num_components: pieces; nodes without neighbours are pieces too.
        largest: the gap of the largest piece, and so the same where there is one.
    """

    gap: float
    lower: float
    upper: float
    conductance: float
    side: np.ndarray
    num_cut: int
    num_components: int
    largest: float


def spectral_gap(edges: Adjacency | Graph | Tensor) -> SpectralGap:
    """Measure the gap and its cut; of a graph in pieces those of the largest piece are `largest` and the cut is free.

    Up to 400 nodes by all eigenvalues, beyond by Lanczos' method, and where that is slow by a sparse factorisation,
    which the thin places that make it slow make cheap.

    Raises:
        InputError: for a graph of fewer than two nodes.

    >>> two_triangles_and_a_bridge = Adjacency([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> found = spectral_gap(two_triangles_and_a_bridge)
    >>> round(found.gap, 4), round(found.lower, 4), round(found.upper, 4), round(found.conductance, 4), found.num_cut
    (0.2047, 0.1023, 0.6398, 0.1429, 1)
    """
    graph = undirected(edges)
    n = graph.num_nodes
    check(n > 1, f"a gap needs at least two nodes, this graph has {n}")
    pieces = graph.num_components
    if pieces == 1:
        gap, vector = _second(graph)
        conductance, side, num_cut = _sweep(graph, vector)
        return SpectralGap(gap, gap / 2, float(np.sqrt(2 * gap)), conductance, side, num_cut, 1, gap)
    sizes = np.bincount(graph.component)
    nodes = np.flatnonzero(graph.component == sizes.argmax())
    inside = graph.component[graph.low] == sizes.argmax()
    part = from_pairs(np.searchsorted(nodes, np.stack([graph.low, graph.high])[:, inside]), len(nodes))
    largest = _second(part)[0] if len(nodes) > 1 else 0.0
    side = graph.component != sizes.argmax()
    if graph.degree[side].sum() > graph.degree[~side].sum():
        side = ~side
    return SpectralGap(0.0, 0.0, 0.0, 0.0, side, 0, pieces, largest)


def _second(graph: Undirected) -> tuple[float, np.ndarray]:
    """The second smallest eigenvalue of a connected graph's L, and D^-1/2 times its eigenvector."""
    root = graph.degree**0.5
    scale: Any = scipy.sparse.diags_array(1 / root)
    walk, n = scipy.sparse.csr_array(scale @ graph.matrix @ scale), graph.num_nodes
    if n <= _DENSE:
        vector = scipy.linalg.eigh(np.eye(n) - walk.toarray(), subset_by_index=[1, 1])[1][:, 0]
    else:
        top, start = root / np.linalg.norm(root), np.random.default_rng(0).standard_normal(n)
        try:
            vector = _largest(lambda v: walk @ v + v, top, start)
        except ArpackNoConvergence:
            factor = splu(scipy.sparse.csc_array(scipy.sparse.eye_array(n) * (1 + _SHIFT) - walk))
            vector = _largest(factor.solve, top, start)
    vector = vector / root
    steps = vector[graph.low] - vector[graph.high]  # by differences, a small gap keeps its digits
    return float(steps @ steps / (graph.degree @ vector**2)), vector


def _largest(apply: Callable[[np.ndarray], np.ndarray], top: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The eigenvector of the largest eigenvalue but the one of `top`, by Lanczos' method."""

    def across(v: np.ndarray) -> np.ndarray:
        return v - (top @ v) * top

    n = len(top)
    operator: Any = LinearOperator((n, n), matvec=lambda v: across(apply(across(v.ravel()))), dtype=np.float64)
    return across(eigsh(operator, 1, which="LA", ncv=40, v0=across(start), tol=1e-9, maxiter=_RESTARTS)[1][:, 0])


def _sweep(graph: Undirected, vector: np.ndarray) -> tuple[float, np.ndarray, int]:
    """The best of the n - 1 cuts between nodes sorted by the vector: its conductance, smaller side and edges."""
    order = np.argsort(vector, kind="stable")
    rank = np.empty(graph.num_nodes, np.int64)
    rank[order] = np.arange(graph.num_nodes)
    one, other = rank[graph.low], rank[graph.high]
    opens, closes = (np.bincount(f(one, other), minlength=graph.num_nodes) for f in (np.minimum, np.maximum))
    cut = (opens - closes).cumsum()[:-1]
    inside = graph.degree[order].cumsum()[:-1]
    conductance = cut / np.minimum(inside, graph.degree.sum() - inside)
    best = int(conductance.argmin())
    is_first_smaller = inside[best] <= graph.degree.sum() - inside[best]
    side = rank <= best if is_first_smaller else rank > best
    return float(conductance[best]), side, int(cut[best])
