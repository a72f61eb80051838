"""1-WL with what a node is told of its place: distances to all others, or how often a random walk returns.

c_i' = (c_i, {{ (d(j, i), c_j) : all nodes j of the graph, i too }})    d the shortest-path or the resistance distance

The generalised-distance WL tests, SPD-WL and RD-WL, of Zhang, Luo, Wang & He 2023, "Rethinking the expressive power of
GNNs via graph biconnectivity". Return probabilities as features: Dwivedi et al. 2022, "Graph neural networks with
learnable structural and positional representations".
"""

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from scipy.sparse.csgraph import connected_components, shortest_path

from grapevine.diagnose.labelled import (
    Coloring,
    Labelled,
    check_size,
    complete,
    near_classes,
    pair_classes,
    together,
)
from grapevine.errors import check
from grapevine.ops.color_refinement import color_refinement
from grapevine.ops.random_walk import return_probabilities

WALK_STEPS = 16
_ALL = 2**62  # of the work: nothing is estimated


def distance_wl(graph: Labelled) -> Coloring:
    """With shortest-path distances, along the edges; beside them what joins two nodes, where edges have labels."""
    _check_pairs("distance-wl", graph)
    distances = []
    for matrix in adjacency_matrices(graph):
        far = shortest_path(matrix, unweighted=True)
        distances.append(np.where(np.isinf(far), -1, far).astype(np.int64) + 1)
    return _refine_pairs(graph, distances)


def resistance_wl(graph: Labelled) -> Coloring:
    """With resistance distances; two are told apart where they differ by more than 1e-9."""
    _check_pairs("resistance-wl", graph)
    check(graph.adj.is_symmetric(), "resistance-wl needs every edge in both directions: add the reverse ones")
    values = [resistances(matrix) for matrix in adjacency_matrices(graph)]
    classes = near_classes(np.concatenate([matrix.reshape(-1) for matrix in values]))
    ends = np.cumsum([matrix.size for matrix in values])
    parts = zip(np.split(classes, ends[:-1]), values, strict=True)
    return _refine_pairs(graph, [part.reshape(matrix.shape) for part, matrix in parts])


def random_walk_wl(graph: Labelled) -> Coloring:
    """1-WL, each node told how probable it is that a random walk is back after 1, 2, ..., 16 steps."""
    is_symmetric = graph.adj.is_symmetric()
    found = return_probabilities(graph.adj.pattern, WALK_STEPS, is_symmetric=is_symmetric, most_work=_ALL)
    returns = found.probabilities.numpy()
    told = [near_classes(column) for column in returns.T]
    node = together([graph.node, *told], len(graph.node))
    colors = color_refinement(graph.adj.pattern, torch.from_numpy(node), torch.from_numpy(graph.edge)).colors.numpy()
    return Coloring(colors, colors, graph.ptr)


def adjacency_matrices(graph: Labelled) -> list[scipy.sparse.csr_array]:
    """For each graph how many edges run from j to i, in row j and column i."""
    src, dst = graph.adj.edge_index.numpy()
    matrices = []
    for k, size in enumerate(graph.sizes):
        own = slice(graph.edge_ptr[k], graph.edge_ptr[k + 1])
        places = src[own] - graph.ptr[k], dst[own] - graph.ptr[k]
        matrices.append(scipy.sparse.csr_array((np.ones(len(places[0])), places), shape=(size, size)))
    return matrices


def resistances(matrix: scipy.sparse.csr_array) -> Float[np.ndarray, "n n"]:
    """The effective resistance between any two nodes, each edge one ohm; -1 where no path joins them.

    r_ij = p_ii + p_jj - 2 p_ij,   p the pseudo-inverse of the Laplacian      (Klein & Randic 1993)

    >>> resistances(scipy.sparse.csr_array([[0.0, 1.0], [1.0, 0.0]])).round(9).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    dense = matrix.toarray()
    np.fill_diagonal(dense, 0)
    _, piece = connected_components(matrix, directed=False)
    is_joined = piece[:, None] == piece[None, :]
    laplacian = np.diag(dense.sum(1)) - dense
    inverse = np.linalg.inv(laplacian + is_joined / is_joined.sum(1, keepdims=True))
    own = np.diagonal(inverse)
    return np.where(is_joined, own[:, None] + own[None, :] - 2 * inverse, -1.0)


def _refine_pairs(graph: Labelled, distances: list[Int[np.ndarray, "n n"]]) -> Coloring:
    kinds = max((int(matrix.max(initial=0)) for matrix in distances), default=0) + 1
    pairs = [d + kinds * joined for d, joined in zip(distances, pair_classes(graph), strict=True)]
    pattern, labels = complete(graph, pairs)
    colors = color_refinement(pattern, torch.from_numpy(graph.node), labels).colors.numpy()
    return Coloring(colors, colors, graph.ptr)


def _check_pairs(test: str, graph: Labelled) -> None:
    check_size(test, sum(size**2 for size in graph.sizes), "pairs of nodes")
