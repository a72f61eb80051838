"""The Laplacian of a graph as a SciPy matrix, and its largest eigenvalue.

L = I - D^-1/2 A D^-1/2  ("sym")   or   L = D - A  ("none"),   D the (weighted) degrees of A, A without self-loops

Where a node has no edges the first has a 1 on its diagonal, since D^-1/2 is 0 there. (F. Chung, Spectral graph theory,
1997, puts a 0 there.) Eigenvalues are those of a symmetric matrix: of edges that go both ways with one weight.
"""

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import Graph, as_adjacency
from grapevine.nn.conv.inputs import Edges, edges_of

Normalization = Literal["sym", "none"]

_DENSE_UP_TO = 64  # nodes; a full decomposition of so few costs less than an iteration's start


def laplacian_matrix(
    adj: Edges, edge_weight: Float[Tensor, " e"] | None = None, *, normalization: Normalization = "sym"
) -> Any:
    """The Laplacian as a SciPy matrix of compressed rows, in float64.

    Args:
        adj: an Adjacency, a Graph or an edge_index tensor.
        edge_weight: [e] in the order of `adj`.
        normalization: "sym" for I - D^-1/2 A D^-1/2, "none" for D - A.

    Raises:
        InputError: if the edges do not go both ways with one weight.

    >>> laplacian_matrix(Graph([[0, 1], [1, 0]])).toarray().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    check(normalization in ("sym", "none"), f"normalization must be sym or none, got {normalization!r}")
    adjacency = as_adjacency(adj)
    size = adjacency.num_nodes  # an error where sources and targets are not the same nodes
    values = np.ones(adjacency.num_edges)
    if edge_weight is not None:
        values = edges_of(edge_weight, adj, adjacency, ndim=1).detach().cpu().double().numpy()
    src, dst = adjacency.edge_index.cpu().numpy()
    values = np.where(src == dst, 0.0, values)
    matrix: Any = scipy.sparse.csr_array((values, (dst, src)), shape=(size, size))
    largest = abs(values).max(initial=0.0)
    is_symmetric = abs(matrix - matrix.T).max() <= 1e-6 * largest if size and largest else True
    check(bool(is_symmetric), "the Laplacian's eigenvalues need every edge in both directions, with one weight")
    degree = matrix.sum(axis=1)
    if normalization == "none":
        return scipy.sparse.csr_array(scipy.sparse.diags_array(degree) - matrix)
    scale = np.zeros(size)
    np.power(degree, -0.5, out=scale, where=degree > 0)
    by_degree = scipy.sparse.diags_array(scale)
    return scipy.sparse.csr_array(scipy.sparse.eye_array(size) - by_degree @ matrix @ by_degree)


def largest_eigenvalues(
    adj: Edges, edge_weight: Float[Tensor, " e"] | None = None, *, normalization: Normalization = "sym"
) -> Float[Tensor, " g"]:
    """The largest eigenvalue of the Laplacian of each graph of a batch, or of the one graph, in float64.

    Arguments and errors are those of `laplacian_matrix`.

    >>> triangle, path = Graph([[0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]]), Graph([[0, 1], [1, 0]])
    >>> [round(number, 4) for number in largest_eigenvalues(Graph.batch([triangle, path])).tolist()]
    [1.5, 2.0]
    """
    matrix = laplacian_matrix(adj, edge_weight, normalization=normalization)
    ptr = adj.ptr.tolist() if isinstance(adj, Graph) else [0, matrix.shape[0]]
    found = [_largest(matrix[first:last, first:last]) for first, last in pairwise(ptr)]
    return torch.tensor(found, dtype=torch.float64, device=adj.device)


def _largest(matrix: Any) -> float:
    from scipy.linalg import eigvalsh  # slow to import, and seldom needed
    from scipy.sparse.linalg import eigsh

    size = matrix.shape[0]
    if size == 0:
        return 0.0
    if size <= _DENSE_UP_TO:
        return float(eigvalsh(matrix.toarray())[-1])
    start = np.random.default_rng(0).standard_normal(size)  # a fixed one, so that two runs find the same bits
    return float(eigsh(matrix, k=1, which="LA", v0=start, return_eigenvectors=False)[0])
