"""Effective resistance: how hard it is to get from one node to another over all paths at once, each edge one ohm.

R(i, j) = (e_i - e_j)^T (D - A)^+ (e_i - e_j)

The commute time of a random walk is 2 |E| R (Chandra et al. 1989), and R bounds how much a message-passing network can
let j say to i: Black, Wan, Nayyeri & Wang 2023, "Understanding oversquashing in GNNs through the lens of effective
resistance". Estimates: Spielman & Srivastava 2008, "Graph sparsification by effective resistances".
It is of the simple undirected graph: no direction, no loops, each pair of neighbours once. Between pieces that are not
connected it is infinite.
"""

from typing import Any, cast

import numpy as np
import scipy.linalg
import scipy.sparse
from jaxtyping import Int
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import Undirected, from_pairs, pairs_of, undirected

_DENSE = 3000  # nodes of a piece up to which a matrix is inverted
_LARGEST = 20_000  # nodes of which all pairs may be asked for
_EXACT, _ROUGH = 1e-10, 1e-6  # where the conjugate gradients stop, relative to the right-hand side


def resistance_matrix(edges: Adjacency | Graph | Tensor) -> np.ndarray:
    """[n, n] between all pairs of nodes, exact: O(n^3) time, O(n^2) memory.

    Raises:
        InputError: for a graph of more than 20,000 nodes.

    >>> resistance_matrix(Adjacency([[0, 1, 2], [1, 2, 0]], num_nodes=4)).round(3).tolist()[0]
    [0.0, 0.667, 0.667, inf]
    """
    graph = undirected(edges)
    n = graph.num_nodes
    check(n <= _LARGEST, f"all pairs of {n} nodes are too many: ask effective_resistance for the pairs you need")
    out = np.full((n, n), np.inf)
    for nodes, part in _pieces(graph):
        out[np.ix_(nodes, nodes)] = _between_all(part)
    return out


def effective_resistance(
    edges: Adjacency | Graph | Tensor, pairs: Int[Tensor, "2 k"] | np.ndarray | None = None
) -> np.ndarray:
    """[k] of those pairs of nodes; None: of all pairs of neighbours, the smaller node first and sorted.

    Exact by a matrix in pieces of 3,000 nodes at most; in larger ones by conjugate gradients, to ten digits, in
    O(e sqrt(condition)) for each pair. For many pairs there, `estimated_resistance`.

    >>> path = Adjacency([[0, 1, 2], [1, 2, 3]])
    >>> effective_resistance(path, [[0, 3], [3, 3]]).round(6).tolist()
    [3.0, 0.0]
    """
    graph = undirected(edges)
    asked = _asked(graph, pairs)
    out, of_pair = _start(graph, asked)
    for number, (nodes, part) in enumerate(_pieces(graph)):
        mine = np.flatnonzero(of_pair == number)
        if len(mine) == 0 or part.num_nodes == 1:
            continue
        ends = np.searchsorted(nodes, asked[:, mine])
        out[mine] = _between_all(part)[ends[0], ends[1]] if part.num_nodes <= _DENSE else _by_solving(part, ends)
    return out


def estimated_resistance(
    edges: Adjacency | Graph | Tensor,
    pairs: Int[Tensor, "2 k"] | np.ndarray | None = None,
    *,
    num_probes: int = 200,
    seed: int = 0,
) -> np.ndarray:
    """The same from `num_probes` random sketches: O(num_probes (e sqrt(condition) + k)), for any number of pairs.

    R(i, j) = the mean of (z_i - z_j)^2 over the z = (D - A)^+ B^T q, q random signs at the edges, B the incidence; each
    value is off by about sqrt(2 / num_probes) of itself.

    >>> ring = Adjacency([[0, 1, 2, 3], [1, 2, 3, 0]])
    >>> bool(abs(estimated_resistance(ring, num_probes=2000) - 0.75).max() < 0.1)
    True
    """
    check(num_probes > 0, f"num_probes must be positive, got {num_probes}")
    graph = undirected(edges)
    asked = _asked(graph, pairs)
    out, of_pair = _start(graph, asked)
    out[of_pair >= 0] = 0
    generator, solve = np.random.default_rng(seed), _solver(graph, _ROUGH)
    for _ in range(num_probes):
        signs = generator.choice(np.array([-1.0, 1.0]), graph.num_pairs)
        given = np.bincount(graph.low, signs, graph.num_nodes) - np.bincount(graph.high, signs, graph.num_nodes)
        z = solve(given)
        out += (z[asked[0]] - z[asked[1]]) ** 2 / num_probes
    out[asked[0] == asked[1]] = 0
    return out


def _asked(graph: Undirected, pairs: Any) -> np.ndarray:
    return np.stack([graph.low, graph.high]) if pairs is None else pairs_of("pairs", pairs, graph.num_nodes)


def _start(graph: Undirected, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Infinity between pieces, 0 elsewhere so far; and the piece that each pair is in, or -1."""
    one, other = graph.component[asked]
    return np.where(one == other, 0.0, np.inf), np.where(one == other, one, -1)


def _pieces(graph: Undirected) -> list[tuple[np.ndarray, Undirected]]:
    """The nodes of each connected piece, in order, and the graph among them."""
    order = np.argsort(graph.component, kind="stable")
    sizes = np.bincount(graph.component)
    place = np.empty(graph.num_nodes, np.int64)  # of a node in its piece
    place[order] = np.arange(graph.num_nodes) - np.repeat(sizes.cumsum() - sizes, sizes)
    pairs = np.stack([graph.low, graph.high])
    by_piece = np.argsort(graph.component[graph.low], kind="stable")
    counts = np.bincount(graph.component[graph.low], minlength=len(sizes))
    nodes_of, pairs_in = np.split(order, sizes.cumsum()[:-1]), np.split(by_piece, counts.cumsum()[:-1])
    return [
        (nodes, from_pairs(place[pairs[:, mine]], len(nodes)))
        for nodes, mine in zip(nodes_of, pairs_in, strict=True)
        if len(nodes)
    ]


def _between_all(part: Undirected) -> np.ndarray:
    """[n, n] of a connected piece: (L + J / n)^-1 is L^+ + J / n, and J falls out of the differences."""
    n = part.num_nodes
    factor = scipy.linalg.cho_factor(part.laplacian.toarray() + 1 / n, overwrite_a=True)
    inverse = scipy.linalg.cho_solve(factor, np.eye(n), overwrite_b=True)
    own = np.diagonal(inverse)
    out = np.maximum(own[:, None] + own - inverse - inverse.T, 0)
    np.fill_diagonal(out, 0)
    return out


def _by_solving(part: Undirected, ends: np.ndarray) -> np.ndarray:
    solve, out = _solver(part, _EXACT), np.zeros(ends.shape[1])
    for k in np.flatnonzero(ends[0] != ends[1]):
        given = np.zeros(part.num_nodes)
        given[ends[:, k]] = 1, -1
        z = solve(given)
        out[k] = z[ends[0, k]] - z[ends[1, k]]
    return out


def _solver(graph: Undirected, precision: float) -> Any:
    """z with (D - A) z = b, for a b that adds up to zero in every piece; Jacobi's preconditioner."""
    inverse = 1 / np.maximum(graph.degree, 1)
    as_operator = cast(Any, LinearOperator)  # SciPy's types know less
    jacobi = as_operator((graph.num_nodes, graph.num_nodes), matvec=lambda v: inverse * v.ravel())

    def solve(given: np.ndarray) -> np.ndarray:
        z, failed = cg(graph.laplacian, given, rtol=precision, M=jacobi, maxiter=20 * graph.num_nodes + 100)
        if failed:
            raise InputError("the resistance did not converge: the graph is too long and thin for conjugate gradients")
        return z

    return solve
