"""The spectral gap: how fast news spreads over the whole graph, and how narrow its narrowest cut is.

    L = I - D^-1/2 A D^-1/2,    gap = the second smallest eigenvalue of L, in [0, n / (n - 1)]
    gap / 2 <= h <= sqrt(2 gap),    h = min over S of  edges that leave S / min(degrees in S, degrees outside S)

Cheeger's inequality (Alon & Milman 1985; Chung 1997, "Spectral graph theory"). The eigenvector, cut at its best place,
gives an S that obeys the upper bound: where the narrow place is.
It is of the simple undirected graph: no direction, no loops, each pair of neighbours once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import scipy.linalg
import scipy.sparse
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import Undirected, from_pairs, undirected

_DENSE = 400  # nodes up to which all eigenvalues are computed
_SHIFT = 1e-10  # added to L, which has no inverse
_RESTARTS = 100  # of Lanczos' method, before the graph is taken for one with a thin place and factorised
_FACTORISED = 100_000  # nodes up to which that is tried


@dataclass(frozen=True, eq=False)
class SpectralGap:
    """The gap of a graph and its narrowest cut, as far as the eigenvector finds it.

    Args:
        gap: 0 where the graph is in pieces.
        lower, upper: Cheeger's bounds on the conductance h of the whole graph.
        num_components: pieces; nodes without neighbours are pieces too.
        largest: the gap of the largest piece; the same where there is one.
        conductance: of the narrowest cut that was found of the largest piece; NaN where that is a single node.
        side: [n] which nodes are on that cut's side of fewer degrees.
        num_cut: how many edges cross it.
    """

    gap: float
    lower: float
    upper: float
    num_components: int
    largest: float
    conductance: float
    side: np.ndarray
    num_cut: int


def spectral_gap(edges: Adjacency | Graph | Tensor) -> SpectralGap:
    """Measure the gap and the narrowest cut; a graph in pieces has the gap 0, so its largest piece is measured too.

    Up to 400 nodes by a dense matrix, beyond by Lanczos' method, and where that is slow by a sparse factorisation,
    which the thin places that make it slow make cheap.

    Raises:
        InputError: for a graph of fewer than two nodes, or where Lanczos' method fails on more than 100,000.

    >>> two_triangles_and_a_bridge = Adjacency([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> found = spectral_gap(two_triangles_and_a_bridge)
    >>> round(found.gap, 4), round(found.lower, 4), round(found.upper, 4), round(found.conductance, 4), found.num_cut
    (0.2047, 0.1023, 0.6398, 0.1429, 1)
    """
    graph = undirected(edges)
    n, pieces = graph.num_nodes, graph.num_components
    check(n > 1, f"a gap needs at least two nodes, this graph has {n}")
    number = np.bincount(graph.component).argmax()
    nodes, inside = np.flatnonzero(graph.component == number), graph.component[graph.low] == number
    side, conductance, num_cut, largest = np.zeros(n, bool), np.nan, 0, 0.0
    if len(nodes) > 1:
        part = from_pairs(np.searchsorted(nodes, np.stack([graph.low, graph.high])[:, inside]), len(nodes))
        largest, vector = _second(part)
        conductance, side[nodes], num_cut = _sweep(part, vector)
    gap = largest if pieces == 1 else 0.0
    return SpectralGap(gap, gap / 2, float(np.sqrt(2 * gap)), pieces, largest, conductance, side, num_cut)


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
        except ArpackNoConvergence as error:
            if n > _FACTORISED:
                raise InputError(f"the spectral gap of {n} nodes did not converge: it is very small") from error
            factor = splu(scipy.sparse.csc_array(scipy.sparse.eye_array(n) * (1 + _SHIFT) - walk))
            vector = _largest(factor.solve, top, start)
    vector = vector / root
    steps = vector[graph.low] - vector[graph.high]  # by differences, a small gap keeps its digits
    return float(steps @ steps / (graph.degree @ vector**2)), vector


def _largest(apply: Callable[[np.ndarray], np.ndarray], top: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The eigenvector of the largest eigenvalue but the one of `top`, by Lanczos' method."""

    def across(v: np.ndarray) -> np.ndarray:
        return v - (top @ v) * top

    n, as_operator, solve = len(top), cast(Any, LinearOperator), cast(Any, eigsh)  # SciPy's types know less
    operator = as_operator((n, n), matvec=lambda v: across(apply(across(v.ravel()))), dtype=np.float64)
    tolerance = 1e-9 if n <= _FACTORISED else 1e-5
    found = solve(operator, 1, which="LA", ncv=40, v0=across(start), tol=tolerance, maxiter=_RESTARTS)
    return across(found[1][:, 0])


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
