"""Laplacian eigenvectors: where a node lies along the smoothest waves over its connected piece.

L = I - D^-1/2 A D^-1/2,    L v_l = lambda_l v_l,    lappe_i = [v_1i, ..., v_ki]    0 = lambda_0 < lambda_1 <= ...

Dwivedi et al. 2023, "Benchmarking graph neural networks", which flips signs at random in training. An eigenvector's
sign, and of a repeated eigenvalue the whole basis, mean nothing; here both are chosen by one rule, so that the same
graph always gets the same numbers: of the node whose axis lies most in the space (of equals, the first one) the axis is
projected into it, then the same in what is left, as in Ma et al. 2023, "Laplacian canonization". Isomorphic graphs
get the same numbers only where no two nodes are equals there. Of the simple undirected graph.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import scipy.sparse
from jaxtyping import Float
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh, splu

from grapevine.encoding.encoding import Encoding, check_number
from grapevine.encoding.pieces import larger, stacks
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.measures import Undirected, undirected

_DENSE = 600  # nodes of a piece up to which all eigenvectors are computed
_SAME = 1e-6  # eigenvalues nearer than that are one
_EQUAL = 1e-6  # relative: projections nearer than that are as long
_SPARE = 6  # eigenvectors more than asked for, in case an eigenvalue is repeated
_SHIFT = 1e-8  # added to L, which has no inverse
_RESTARTS = 60  # of Lanczos' method, before the matrix is factorised
_FACTORISED = 200_000  # nodes up to which that is tried


@dataclass(frozen=True)
class Laplacian(Encoding):
    """`lappe:8`: the eigenvectors of the smallest eigenvalues above 0, of length 1, of each connected piece.

    A piece of fewer nodes has fewer, and zeros behind them. Pieces of up to 600 nodes by dense matrices, larger ones by
    Lanczos' method, where the space of an eigenvalue that is repeated many times may be cut at the last one asked for.

    Args:
        vectors: how many.
        signnet: the network is to read them by SignNet (`nn.SignNet`), whatever their signs; without it the signs are
            flipped at random in each step of a training.

    >>> Laplacian(2).values(Graph([[0, 1, 1, 2], [1, 0, 2, 1]])).round(3).tolist()
    [[0.707, -0.5], [0.0, 0.707], [-0.707, -0.5]]
    """

    vectors: int = 8
    signnet: bool = False

    name: ClassVar[str] = "lappe"

    def __post_init__(self) -> None:
        check_number(self.name, "eigenvectors", self.vectors)

    @property
    def channels(self) -> int:
        return self.vectors

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        plain = undirected(graph)
        out = np.zeros((plain.num_nodes, self.vectors))
        for nodes, adjacency in stacks(plain, largest=_DENSE):
            root = adjacency.sum(2) ** -0.5
            laplacian = np.eye(nodes.shape[1]) - root[:, :, None] * adjacency * root[:, None, :]
            values, vectors = np.linalg.eigh(laplacian)
            for piece in range(len(nodes)):
                found = canonical(values[piece, 1:], vectors[piece, :, 1:], self.vectors)
                out[nodes[piece], : found.shape[1]] = found
        for nodes in larger(plain, _DENSE):
            found = canonical(*_smallest(plain, nodes, self.vectors + _SPARE), self.vectors)
            out[nodes, : found.shape[1]] = found
        return out


def canonical(
    values: Float[np.ndarray, " m"], vectors: Float[np.ndarray, "s m"], count: int
) -> Float[np.ndarray, "s k"]:
    """The first `count` of the eigenvectors, the basis of each eigenvalue's space chosen by the rule of this file.

    >>> canonical(np.array([1.0, 1.0]), np.array([[0.6, 0.8], [-0.8, 0.6]]), 2).round(9).tolist()[0]
    [1.0, 0.0]
    """
    out, first = [], 0
    while first < min(count, len(values)):
        last = first + 1
        while last < len(values) and values[last] - values[last - 1] < _SAME:
            last += 1
        out.append(_basis(vectors[:, first:last], min(last, count) - first))
        first = last
    return np.concatenate(out, axis=1) if out else vectors[:, :0]


def _basis(space: np.ndarray, count: int) -> np.ndarray:
    """Axes projected into the space of these orthonormal columns, one after another; their own entries are positive."""
    out = np.empty((len(space), count))
    for k in range(count):
        length = np.sqrt((space**2).sum(1))
        axis = int(np.argmax(length >= length.max() * (1 - _EQUAL)))
        direction = space[axis] / length[axis]
        out[:, k] = space @ direction
        space = space - out[:, k : k + 1] * direction
    return out


def _smallest(graph: Undirected, nodes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The smallest eigenvalues above 0 of a large piece, and their eigenvectors."""
    matrix = graph.matrix[nodes][:, nodes]
    root = matrix.sum(1) ** 0.5
    scale: Any = scipy.sparse.diags_array(1 / root)
    walk, n = scipy.sparse.csr_array(scale @ matrix @ scale), len(nodes)
    top, start = root / np.linalg.norm(root), np.random.default_rng(0).standard_normal(n)
    solve, as_operator = cast(Any, eigsh), cast(Any, LinearOperator)  # SciPy's types know less

    def across(v: np.ndarray) -> np.ndarray:
        return v - (top @ v) * top

    def largest(apply: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        """Of the operator off the trivial vector."""
        operator = as_operator((n, n), matvec=lambda v: across(apply(across(v.ravel()))), dtype=np.float64)
        return solve(operator, count, which="LA", ncv=max(3 * count, 40), v0=across(start), **options)

    try:
        values, vectors = largest(lambda v: walk @ v + v, tol=1e-10, maxiter=_RESTARTS)
        values = 2 - values
    except ArpackNoConvergence as error:
        if n > _FACTORISED:
            raise InputError(f"the eigenvectors of a piece of {n} nodes did not converge: take rwpe or heat") from error
        factor = splu(scipy.sparse.csc_array(scipy.sparse.eye_array(n) * (1 + _SHIFT) - walk))
        values, vectors = largest(factor.solve, tol=1e-10)
        values = 1 / values - _SHIFT
    order = np.argsort(values)
    return values[order], vectors[:, order]
