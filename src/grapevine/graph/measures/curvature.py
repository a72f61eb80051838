"""Curvature of edges: below zero where an edge is all that joins two regions, above zero inside a cluster.

Balanced Forman, with d = degrees, T = the common neighbours, Q_i = the neighbours k of i, not of j, from which a path
k - w - j leads to j past neither i nor a neighbour of i:

    B(i, j) = 2 / d_i + 2 / d_j - 2 + 2 |T| / max(d_i, d_j) + |T| / min(d_i, d_j)
              + (|Q_i| + |Q_j|) / (g max(d_i, d_j)),       and 0 if d_i or d_j is 1

g is the largest number of such paths that one node of Q_i (to j) or of Q_j (to i) is on; the last term is 0 without Q.
Topping, Di Giovanni, Chamberlain, Dong & Bronstein 2022, "Understanding over-squashing and bottlenecks on graphs via
curvature".

Ollivier-Ricci, with W the cost of moving one heap of sand to another along the edges, and m_i = a share `idleness` at i
and the rest evenly on its neighbours:

    K(i, j) = 1 - W(m_i, m_j)                                                          (i and j are one step apart)

Ollivier 2009, "Ricci curvature of Markov chains on metric spaces"; Lin, Lu & Yau 2011: K / (1 - idleness) tends to
their curvature, and reaches it where idleness >= 1 / (1 + max(d_i, d_j)) (Bourne et al. 2018).
Both are of the simple undirected graph: no direction, no loops, each pair of neighbours once.
"""

from math import lcm

import numpy as np
import scipy.sparse
from jaxtyping import Int
from scipy.optimize import linear_sum_assignment, linprog
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import Undirected, pairs_of, undirected
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows

_LARGEST_ASSIGNMENT = 400  # grains of sand that are moved one by one
_GRAIN = 1e-12  # less sand than this is rounding


def balanced_forman(edges: Adjacency | Graph | Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of neighbours [2, m], the smaller node first and sorted, and the balanced Forman curvature [m] of each.

    The cost is the sum over edges of the degrees of an end's neighbours, in a kernel on all threads.

    >>> triangle_with_a_tail = Adjacency([[0, 1, 2, 2, 3], [1, 2, 0, 3, 4]])
    >>> pairs, curvature = balanced_forman(triangle_with_a_tail)
    >>> pairs.T.tolist()
    [[0, 1], [0, 2], [1, 2], [2, 3], [3, 4]]
    >>> [round(c, 3) for c in curvature.tolist()]
    [1.5, 0.833, 0.833, -0.333, 0.0]
    """
    graph = undirected(edges)
    out = np.empty(graph.num_pairs)
    first = np.searchsorted(graph.low, np.arange(graph.num_nodes + 1))  # the pairs of which node i is the smaller
    work = int((graph.degree**2).sum())
    share_rows(_forman, graph.num_nodes, graph.indptr, graph.indices, first, graph.high, out, work=4 * work)
    return np.stack([graph.low, graph.high]), out


def ollivier_ricci(
    edges: Adjacency | Graph | Tensor | Undirected,
    pairs: Int[Tensor, "2 k"] | np.ndarray | None = None,
    *,
    idleness: float = 0.0,
) -> np.ndarray:
    """The Ollivier-Ricci curvature [k] of those pairs of neighbours; None: of all, in `balanced_forman`'s order.

    Exact: an assignment where that is small, else a linear programme; about a millisecond an edge and more at hubs, so
    of a large graph ask for a sample.

    Args:
        idleness: the share of the sand that stays at the node, in [0, 1).

    Raises:
        InputError: if a pair is none of neighbours, or for an idleness out of range.

    >>> square = Adjacency([[0, 1, 2, 3], [1, 2, 3, 0]])
    >>> ollivier_ricci(square).tolist(), ollivier_ricci(square, [[0], [1]], idleness=0.5).tolist()
    ([0.0, 0.0, 0.0, 0.0], [0.5])
    """
    graph = edges if isinstance(edges, Undirected) else undirected(edges)
    check(0 <= idleness < 1, f"idleness must be in [0, 1), got {idleness}")
    asked = np.stack([graph.low, graph.high]) if pairs is None else pairs_of("pairs", pairs, graph.num_nodes)
    strangers = np.flatnonzero(graph.position(asked) < 0)
    if len(strangers):
        raise InputError(f"pairs must be of neighbours, {asked[:, strangers[0]].tolist()} is no edge")
    return np.array([1 - _cost(graph, int(i), int(j), idleness) for i, j in asked.T])


def ollivier_plan(
    graph: Undirected, i: int, j: int, *, idleness: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The cheapest way to move the heap of i to that of j. What the two share stays: moving that nowhere costs least.

    Returns:
        [a] the nodes that give sand, [b] those that take it, [a, b] how much goes from one to the other, and how far.

    >>> square_with_a_tail = undirected(Adjacency([[0, 1, 2, 3, 3], [1, 2, 3, 0, 4]]))
    >>> gives, takes, moved, distance = ollivier_plan(square_with_a_tail, 0, 3)
    >>> gives.tolist(), takes.tolist(), round(float((moved * distance).sum()), 4)
    ([1, 3], [0, 2, 4], 1.0)
    """
    (near_i, heap_i), (near_j, heap_j) = (_heap(graph, node, idleness) for node in (i, j))
    nodes = np.union1d(near_i, near_j)
    surplus = np.zeros(len(nodes))
    surplus[np.searchsorted(nodes, near_i)] += heap_i
    surplus[np.searchsorted(nodes, near_j)] -= heap_j
    gives, takes = nodes[surplus > _GRAIN], nodes[surplus < -_GRAIN]
    if len(gives) == 0 or len(takes) == 0:
        return gives, takes, np.zeros((len(gives), len(takes))), np.zeros((len(gives), len(takes)))
    supply, demand = (np.abs(surplus[np.searchsorted(nodes, some)]) for some in (gives, takes))
    distance = _distances(graph, gives, takes)
    step = 1 / lcm(len(near_i) - 1, len(near_j) - 1)
    grains = np.rint(supply / step).astype(int), np.rint(demand / step).astype(int)
    if idleness == 0 and grains[0].sum() <= _LARGEST_ASSIGNMENT:
        of_row, of_col = (
            np.repeat(np.arange(len(some)), count) for some, count in zip((gives, takes), grains, strict=True)
        )
        rows, cols = linear_sum_assignment(distance[of_row][:, of_col])
        moved = np.zeros(distance.shape)
        np.add.at(moved, (of_row[rows], of_col[cols]), step)
        return gives, takes, moved, distance
    return gives, takes, _transport(supply, demand, distance), distance


def _cost(graph: Undirected, i: int, j: int, idleness: float) -> float:
    """W(m_i, m_j)."""
    _, _, moved, distance = ollivier_plan(graph, i, j, idleness=idleness)
    return float((moved * distance).sum())


def _heap(graph: Undirected, node: int, idleness: float) -> tuple[np.ndarray, np.ndarray]:
    """The node and its neighbours, and how much sand lies on each."""
    near = graph.indices[graph.indptr[node] : graph.indptr[node + 1]]
    sand = np.full(len(near) + 1, (1 - idleness) / len(near))
    sand[0] = idleness
    return np.concatenate([[node], near]), sand


def _distances(graph: Undirected, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Steps between the neighbourhoods of neighbours: at most three."""
    near = graph.matrix[rows]
    distance = np.full((len(rows), len(cols)), 3.0)
    distance[(near @ graph.matrix[cols].T).toarray() > 0] = 2
    distance[near[:, cols].toarray() > 0] = 1
    distance[rows[:, None] == cols] = 0
    return distance


def _transport(supply: np.ndarray, demand: np.ndarray, distance: np.ndarray) -> np.ndarray:
    a, b = distance.shape
    leaves = scipy.sparse.kron(scipy.sparse.eye_array(a), np.ones((1, b)))
    arrives = scipy.sparse.kron(np.ones((1, a)), scipy.sparse.eye_array(b))
    demand = demand * (supply.sum() / demand.sum())  # equal but for rounding
    limits = scipy.sparse.vstack([leaves, arrives], format="csr")
    found = linprog(distance.ravel(), A_eq=limits, b_eq=np.concatenate([supply, demand]), method="highs")
    assert found.success, found.message
    return found.x.reshape(a, b)


@kernel
def _forman(begin, end, indptr, indices, first, high, out):
    """Of the pairs (i, j) with i < j. `mark` is 1 at i's neighbours, 2 at j's, 3 at both."""
    mark = np.zeros(indptr.shape[0] - 1, np.int8)
    for i in range(begin, end):
        if first[i] == first[i + 1]:
            continue
        for p in range(indptr[i], indptr[i + 1]):
            mark[indices[p]] |= 1
        for e in range(first[i], first[i + 1]):
            j = high[e]
            for p in range(indptr[j], indptr[j + 1]):
                mark[indices[p]] |= 2
            out[e] = _forman_of(i, j, indptr, indices, mark)
            for p in range(indptr[j], indptr[j + 1]):
                mark[indices[p]] &= 1
        for p in range(indptr[i], indptr[i + 1]):
            mark[indices[p]] = 0


@kernel
def _forman_of(i, j, indptr, indices, mark):
    degree_i, degree_j = indptr[i + 1] - indptr[i], indptr[j + 1] - indptr[j]
    small, large = min(degree_i, degree_j), max(degree_i, degree_j)
    if small == 1:
        return 0.0
    triangles = 0
    for p in range(indptr[i], indptr[i + 1]):
        triangles += mark[indices[p]] == 3
    squares_i, most_i = _squares(i, j, 1, indptr, indices, mark)
    squares_j, most_j = _squares(j, i, 2, indptr, indices, mark)
    curvature = 2.0 / degree_i + 2.0 / degree_j - 2.0 + 2.0 * triangles / large + 1.0 * triangles / small
    if squares_i > 0:
        curvature += (squares_i + squares_j) / (1.0 * max(most_i, most_j) * large)
    return curvature


@kernel
def _squares(i, j, own, indptr, indices, mark):
    """|Q_i|, and the most paths k - w - j that a k in it is on; `own` is the mark of i's neighbours."""
    count, most = 0, 0
    for p in range(indptr[i], indptr[i + 1]):
        k = indices[p]
        if k == j or mark[k] != own:
            continue
        paths = 0
        for q in range(indptr[k], indptr[k + 1]):
            w = indices[q]
            paths += w != i and mark[w] == 3 - own
        count += paths > 0
        most = max(most, paths)
    return count, most
