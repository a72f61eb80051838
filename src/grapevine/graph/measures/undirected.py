"""The simple undirected graph under any graph: no direction, no loops, each pair of neighbours once.

{u, v} in E  if and only if  u != v, and u -> v or v -> u is an edge
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse
from jaxtyping import Int
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph, as_adjacency


@dataclass(frozen=True, eq=False)
class Undirected:
    """Pairs of neighbours and the sorted neighbours of every node, as arrays on the processor.

    Args:
        low, high: [m] the pairs u < v, sorted by u and then v.
        indptr, indices: the neighbours of node i are indices[indptr[i] : indptr[i + 1]], sorted.

    >>> pairs = undirected(Adjacency([[0, 1, 1, 2], [1, 0, 1, 1]], num_nodes=4))
    >>> pairs.low.tolist(), pairs.high.tolist(), pairs.degree.tolist()
    ([0, 1], [1, 2], [1, 2, 1, 0])
    """

    num_nodes: int
    low: np.ndarray
    high: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray

    @property
    def num_pairs(self) -> int:
        return len(self.low)

    @cached_property
    def degree(self) -> np.ndarray:
        """[n] how many neighbours."""
        return np.diff(self.indptr)

    @cached_property
    def matrix(self) -> Any:
        """[n, n] ones where there are edges, in compressed rows and float64."""
        parts = np.ones(len(self.indices)), self.indices, self.indptr
        return scipy.sparse.csr_array(parts, shape=(self.num_nodes, self.num_nodes))

    @cached_property
    def laplacian(self) -> Any:
        """[n, n] D - A in compressed rows."""
        return scipy.sparse.csr_array(scipy.sparse.diags_array(self.degree.astype(float)) - self.matrix)

    @cached_property
    def component(self) -> np.ndarray:
        """[n] the number of the connected piece that each node is in."""
        return connected_components(self.matrix, directed=False)[1] if self.num_nodes else np.zeros(0, np.int64)

    @property
    def num_components(self) -> int:
        return int(self.component.max()) + 1 if self.num_nodes else 0

    def position(self, pairs: np.ndarray) -> np.ndarray:
        """[k] where each of the pairs [2, k] stands among `low` and `high`, -1 where it is no pair of neighbours."""
        keys, wanted = self.low * self.num_nodes + self.high, pairs.min(0) * self.num_nodes + pairs.max(0)
        if len(keys) == 0:
            return np.full(len(wanted), -1)
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[place] == wanted, place, -1)


def undirected(edges: Adjacency | Graph | Tensor, num_nodes: int | None = None) -> Undirected:
    """The simple undirected graph under an Adjacency, a Graph or an `edge_index`.

    Raises:
        InputError: for a bipartite adjacency, or one of another number of nodes than is given.

    >>> undirected(Adjacency([[0, 0, 1], [1, 1, 0]])).num_pairs
    1
    """
    adj = as_adjacency(edges, num_nodes, num_nodes)
    check(adj.is_square, f"this is measured on a graph of one set of nodes, got {adj}")
    src, dst = adj.edge_index.cpu().numpy()
    return from_pairs(np.stack([src, dst]), adj.num_nodes)


def from_pairs(pairs: np.ndarray, num_nodes: int) -> Undirected:
    """The same of pairs of nodes [2, k], which may be repeated, turned round or loops.

    >>> from_pairs(np.array([[2, 0], [0, 2]]), 3).degree.tolist()
    [1, 0, 1]
    """
    pairs = pairs[:, pairs[0] != pairs[1]].astype(np.int64)
    low, high = np.divmod(np.unique(pairs.min(0) * num_nodes + pairs.max(0)), max(num_nodes, 1))
    rows, cols = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort([cols, rows])
    indptr = np.concatenate([np.zeros(1, np.int64), np.bincount(rows, minlength=num_nodes).cumsum()])
    return Undirected(num_nodes, low, high, indptr, cols[order])


def pairs_of(name: str, pairs: Int[Tensor, "2 k"] | np.ndarray, num_nodes: int) -> np.ndarray:
    """Pairs of nodes as an int64 array [2, k]; an InputError for another shape, numbers or nodes that are not there."""
    array = pairs.detach().cpu().numpy() if isinstance(pairs, Tensor) else np.asarray(pairs)
    is_fit = array.ndim == 2 and array.shape[0] == 2 and (array.dtype.kind in "iu" or array.size == 0)
    check(is_fit, f"{name} must hold whole numbers of shape [2, k], got {array.dtype} of shape {array.shape}")
    array = array.astype(np.int64)
    if array.size and (array.min() < 0 or array.max() >= num_nodes):
        outside = array.min() if array.min() < 0 else array.max()
        raise InputError(f"{name} must name nodes 0 .. {num_nodes - 1}, got {outside}")
    return array
