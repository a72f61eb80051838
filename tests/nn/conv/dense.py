"""Small graphs and their matrices by the plain formulas, to hold layers to."""

import torch
from torch import Tensor

from grapevine.graph import Adjacency


def symmetric_edges(num_nodes: int, pairs: int, seed: int = 0) -> Tensor:
    """The edge_index of a random undirected graph without repeated edges or loops, whose last node has no edges."""
    generator = torch.Generator().manual_seed(seed)
    all_pairs = torch.combinations(torch.arange(num_nodes - 1))
    chosen = all_pairs[torch.randperm(len(all_pairs), generator=generator)[:pairs]].T
    edges = torch.cat([chosen, chosen.flip(0)], dim=1)
    return edges[:, torch.randperm(edges.shape[1], generator=generator)]


def symmetric_weights(edges: Tensor) -> Tensor:
    """[e] positive weights, one for both directions."""
    low, high = edges.min(0).values, edges.max(0).values
    return 0.5 + ((low * 7 + high * 13) % 11).double() / 11


def dense_adjacency(edges: Tensor, num_nodes: int, weight: Tensor | None = None) -> Tensor:
    """A[i, j], the weight of j -> i, without loops."""
    matrix = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    for k, (j, i) in enumerate(edges.T.tolist()):
        if i != j:
            matrix[i, j] += 1 if weight is None else weight[k]
    return matrix


def dense_laplacian(matrix: Tensor, normalization: str = "sym") -> Tensor:
    degree = matrix.sum(1)
    if normalization == "none":
        return torch.diag(degree) - matrix
    scale = torch.where(degree > 0, degree.clamp(min=1e-30) ** -0.5, 0.0)
    return torch.eye(len(matrix), dtype=torch.float64) - scale[:, None] * matrix * scale


def edges_of(adj: Adjacency) -> list[tuple[int, int, int]]:
    """(place, source, target) of each edge."""
    return [(place, *ends) for place, ends in enumerate(adj.edge_index.T.tolist())]


def gcn_matrix(edges: Tensor, num_nodes: int) -> Tensor:
    """D^-1/2 (A + I) D^-1/2, with a loop added where there is none and in-degrees on both sides."""
    matrix = dense_adjacency(edges, num_nodes)
    for i in range(num_nodes):
        loops = sum(1 for j, k in edges.T.tolist() if j == k == i)
        matrix[i, i] = max(loops, 1)
    scale = matrix.sum(1) ** -0.5
    return scale[:, None] * matrix * scale
