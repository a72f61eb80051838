"""Over-smoothing, layer by layer: how far apart the states of nodes still are, and in how many directions they point.

    energy              2 tr(X^T (D - A) X) / n  =  (1 / n) sum over i, j in N(i) of |x_i - x_j|^2
    normalised energy   tr(X^T L X) / n,  L = I - (D + I)^-1/2 (A + I) (D + I)^-1/2
    relative energy     tr(X^T L X) / tr(X^T X), in [0, 2): free of the states' scale
    mean distance       the mean over nodes of the mean over neighbours of 1 - cos(x_i, x_j)
    mean cosine         the mean over all pairs of cos(x_i, x_j)  =  (|sum of x_i / |x_i||^2 - n) / (n (n - 1))
    effective rank      exp(-sum of p_k log p_k),  p_k = s_k / sum of s,  s the singular values of X
    stable rank         sum of s_k^2 / s_1^2
    rank                |{k : s_k > tolerance s_1}|

energy: Rusch, Bronstein & Mishra 2023, "A survey on oversmoothing in graph neural networks". L: Cai & Wang 2020, "A
note on over-smoothing for graph neural networks", whose energy is not divided by n. Mean average distance: Chen et al.
2020, "Measuring and relieving the over-smoothing problem"; they leave distances of exactly 0 out of the means, here
they count. Effective rank: Roy & Vetterli 2007. All are of the simple undirected graph: no direction, no loops, each
pair of neighbours once. On a batch the mean cosine and the ranks are of the nodes of all its graphs together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from grapevine.checks import FLOATS, check_tensor
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import Undirected, undirected
from grapevine.ops.sparse import SparseMatrix

_CHUNK = 1 << 22  # numbers of the edges' differences that are held at once
_WIDEST = 2048  # rows that a rank is measured on, where there are more columns than this too


@dataclass(frozen=True)
class Smoothing:
    """How alike the states of the nodes are after one layer. NaN where there is nothing to average.

    Args:
        num_channels: how wide the states are.
        zero_share: the share of nodes whose state is zero: they have no direction, and stand in no cosine.
    """

    num_channels: int
    energy: float
    normalised_energy: float
    relative_energy: float
    mean_distance: float
    mean_cosine: float
    effective_rank: float
    stable_rank: float
    rank: int
    zero_share: float


def smoothing(
    states: Sequence[Tensor | SparseMatrix], edges: Adjacency | Graph | Tensor, *, tolerance: float | None = None
) -> list[Smoothing]:
    """Measure the states [n, c] of each layer, as `Encoder.all_states` gives them; float64, O(e c + n c min(n, c)).

    Of states of more than 2048 rows and columns the ranks are those of 2048 rows, evenly spaced.

    Args:
        tolerance: singular values above this share of the largest count for `rank`; by default max(n, c) times the
            smallest step of the states' own dtype.

    >>> import torch
    >>> first, then = smoothing([torch.eye(4), torch.eye(4) + 1], Adjacency([[0, 1, 2, 3], [1, 2, 3, 0]]))
    >>> first.energy, first.mean_cosine, round(first.effective_rank, 6), first.rank
    (4.0, 0.0, 4.0, 4)
    >>> round(then.energy, 6), round(then.mean_cosine, 6), round(then.effective_rank, 2), then.rank
    (4.0, 0.857143, 2.93, 4)
    """
    check(not isinstance(states, Tensor), "states must be a list of tensors [n, c], one a layer, got one tensor")
    if len(states) == 0:
        return []
    for k, layer in enumerate(states):
        if not isinstance(layer, SparseMatrix):
            check_tensor(f"states[{k}]", layer, ndim=2)
    pairs = undirected(edges, states[0].shape[0])
    for k, layer in enumerate(states):
        rows = layer.shape[0]
        check(rows == pairs.num_nodes, f"states[{k}] must have a row for each of {pairs.num_nodes} nodes, got {rows}")
        is_finite = bool((layer.values if isinstance(layer, SparseMatrix) else layer).isfinite().all())
        check(is_finite, f"states[{k}] holds NaN or infinity: nothing can be measured on a network that has diverged")
    return [_of_layer(layer, pairs, tolerance) for layer in states]


def dirichlet_energy(x: Tensor | SparseMatrix, edges: Adjacency | Graph | Tensor) -> float:
    """(1 / n) sum over i, j in N(i) of |x_i - x_j|^2: 0 where neighbours are equal.

    >>> import torch
    >>> dirichlet_energy(torch.tensor([[0.0], [3.0]]), torch.tensor([[0], [1]]))
    9.0
    """
    return _energy(_array(x), undirected(edges, x.shape[0]))


def normalised_energy(x: Tensor | SparseMatrix, edges: Adjacency | Graph | Tensor) -> float:
    """tr(X^T L X) / n with the normalised Laplacian of the graph with loops: 0 where x_i / sqrt(d_i + 1) are equal.

    >>> import torch
    >>> round(normalised_energy(torch.tensor([[0.0], [3.0]]), torch.tensor([[0], [1]])), 6)
    2.25
    """
    return _normalised_energy(_array(x), undirected(edges, x.shape[0]))


def mean_average_distance(x: Tensor | SparseMatrix, edges: Adjacency | Graph | Tensor) -> float:
    """The mean over nodes of the mean over their neighbours of one less the cosine, in [0, 2].

    >>> import torch
    >>> mean_average_distance(torch.eye(2), torch.tensor([[0], [1]]))
    1.0
    """
    return _mean_distance(_array(x), undirected(edges, x.shape[0]))


def mean_cosine(x: Tensor | SparseMatrix) -> float:
    """The mean cosine of all pairs of different rows, exact in O(n c): 1 where all point the same way.

    >>> import torch
    >>> round(mean_cosine(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])), 6)
    0.333333
    """
    return _mean_cosine(_array(x))


def singular_values(x: Tensor | SparseMatrix) -> np.ndarray:
    """The singular values of the states, largest first; of states coarser than float64 by the eigenvalues of X^T X.

    Those are far quicker where x is wide, and off by 1e-8 of the largest one at most, less than float32 resolves.

    >>> import torch
    >>> singular_values(torch.tensor([[3.0, 0.0], [0.0, 4.0]])).tolist()
    [4.0, 3.0]
    """
    array = _array(x)
    if min(array.shape) > _WIDEST:
        array = array[np.linspace(0, array.shape[0] - 1, _WIDEST).astype(np.int64)]
    dense = array.toarray() if scipy.sparse.issparse(array) else array
    if min(dense.shape) == 0:
        return np.zeros(0)
    if x.dtype == torch.float64:
        return np.linalg.svd(dense, compute_uv=False)
    squares = dense.T @ dense if dense.shape[1] <= dense.shape[0] else dense @ dense.T
    return np.sqrt(np.linalg.eigvalsh(squares).clip(min=0))[::-1]


def _of_layer(x: Tensor | SparseMatrix, pairs: Undirected, tolerance: float | None) -> Smoothing:
    array, values, (n, num_channels) = _array(x), singular_values(x), x.shape
    size, norms = float((values**2).sum()), _squared_norms(array)
    if tolerance is None:
        tolerance = max(n, num_channels) * torch.finfo(x.dtype).eps
    normalised = _normalised_energy(array, pairs)
    shares = values[values > 0] / values.sum() if size > 0 else np.zeros(0)
    return Smoothing(
        num_channels=num_channels,
        energy=_energy(array, pairs),
        normalised_energy=normalised,
        relative_energy=normalised * n / float(norms.sum()) if norms.sum() > 0 else np.nan,
        mean_distance=_mean_distance(array, pairs),
        mean_cosine=_mean_cosine(array),
        effective_rank=float(np.exp(-(shares * np.log(shares)).sum())) if size > 0 else 0.0,
        stable_rank=size / float(values[0] ** 2) if size > 0 else 0.0,
        rank=int((values > tolerance * values[0]).sum()) if size > 0 else 0,
        zero_share=float((norms == 0).mean()) if n else np.nan,
    )


def _energy(x: Any, pairs: Undirected) -> float:
    return 2 * float(_gaps(x, pairs).sum()) / pairs.num_nodes if pairs.num_nodes else np.nan


def _normalised_energy(x: Any, pairs: Undirected) -> float:
    scaled = _scaled(x, (pairs.degree + 1.0) ** -0.5)
    return float(_gaps(scaled, pairs).sum()) / pairs.num_nodes if pairs.num_nodes else np.nan


def _mean_distance(x: Any, pairs: Undirected) -> float:
    units, is_nonzero = _units(x)
    known = is_nonzero[pairs.low] & is_nonzero[pairs.high]
    distances = np.where(known, _gaps(units, pairs) / 2, 0)  # |u - v|^2 = 2 - 2 cos, exact where they are nearly equal
    counts, sums = (_per_node(pairs, values) for values in (known, distances))
    return float((sums[counts > 0] / counts[counts > 0]).mean()) if counts.any() else np.nan


def _mean_cosine(x: Any) -> float:
    units, is_nonzero = _units(x)
    count = int(is_nonzero.sum())
    total = np.asarray(units.sum(0)).ravel()
    return float((total @ total - count) / (count * (count - 1))) if count > 1 else np.nan


def _gaps(x: Any, pairs: Undirected) -> np.ndarray:
    """[m] |x_u - x_v|^2 of each pair of neighbours; by differences, so that nearly equal states lose no digits."""
    gaps, step = np.empty(pairs.num_pairs), max(1, _CHUNK // max(x.shape[1], 1))
    for k in range(0, pairs.num_pairs, step):
        some = slice(k, k + step)
        gaps[some] = _squared_norms(x[pairs.low[some]] - x[pairs.high[some]])
    return gaps


def _per_node(pairs: Undirected, values: np.ndarray) -> np.ndarray:
    ends = np.concatenate([pairs.low, pairs.high])
    return np.bincount(ends, np.concatenate([values, values]), minlength=pairs.num_nodes)


def _units(x: Any) -> tuple[Any, np.ndarray]:
    """The rows at length one (zero rows stay), and which rows are not zero."""
    largest = _largest(x)
    x = _scaled(x, np.divide(1, largest, out=np.zeros_like(largest), where=largest > 0))  # else squares vanish
    norms = np.sqrt(_squared_norms(x))
    return _scaled(x, np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)), norms > 0


def _largest(x: Any) -> np.ndarray:
    if x.shape[1] == 0:
        return np.zeros(x.shape[0])
    return abs(x).max(axis=1).toarray().ravel() if scipy.sparse.issparse(x) else np.abs(x).max(1)


def _squared_norms(x: Any) -> np.ndarray:
    if scipy.sparse.issparse(x):
        return np.asarray(x.multiply(x).sum(1)).ravel()
    return np.einsum("nc,nc->n", x, x)


def _scaled(x: Any, factor: np.ndarray) -> Any:
    if scipy.sparse.issparse(x):
        return scipy.sparse.csr_array(scipy.sparse.diags_array(factor) @ x)
    return x * factor[:, None]


def _array(x: Tensor | SparseMatrix) -> Any:
    """As float64: an array, or compressed rows."""
    if isinstance(x, SparseMatrix):
        return x.to_scipy().astype(np.float64)
    check_tensor("x", x, ndim=2, dtypes=FLOATS)
    return x.detach().cpu().double().numpy()
