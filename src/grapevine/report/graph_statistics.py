"""What a graph is like: its size, its degrees, its pieces, its triangles, and how alike neighbours are.

All but the degrees are of the simple undirected graph under it: no direction, no loops, each pair of neighbours once.

Homophily is that of `grapevine.diagnose.homophily`; of numbers, assortativity is the correlation between the two ends
of an edge (Newman 2003). Watts & Strogatz 1998: clustering.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Shaped
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from grapevine.checks import check_rows
from grapevine.graph import Graph

_PAIRS = 200  # of neighbours looked at for each sampled node


@dataclass(frozen=True)
class Homophily:
    """How often neighbours share a class, over the edges of which both ends are known; NaN where there are none."""

    edge: float
    node: float
    adjusted: float


@dataclass(frozen=True)
class GraphStatistics:
    """The figures of a graph or of a collection.

    Args:
        num_edges: as they are stored: an undirected edge counts once if the graph is symmetric.
        in_degree, out_degree: [n] edges that come in and go out, as they are stored.
        num_components: pieces, whatever the edges' directions; for a collection, of all its graphs.
        largest_component: the share of the nodes in the largest piece.
        density: neighbouring pairs among all pairs of nodes of one graph.
        clustering: the mean over nodes of the share of pairs of neighbours that are neighbours (0 below two).
        clustering_nodes: over how many sampled nodes that mean was taken.
        nodes_per_graph, edges_per_graph: [g] for a collection.
        class_counts: [c] how many nodes (or graphs) of each class; None where the answers are numbers.
        homophily: of a class for each node, if there is one.
        assortativity: of a number for each node, if there is one.
    """

    num_graphs: int
    num_nodes: int
    num_edges: int
    is_undirected: bool
    num_loops: int
    num_isolated: int
    num_components: int
    largest_component: float
    density: float
    clustering: float
    clustering_nodes: int
    in_degree: np.ndarray
    out_degree: np.ndarray
    nodes_per_graph: np.ndarray
    edges_per_graph: np.ndarray
    class_counts: np.ndarray | None = None
    homophily: Homophily | None = None
    assortativity: float | None = None


def graph_statistics(
    graph: Graph, y: Shaped[Tensor, " rows"] | None = None, *, num_sampled: int = 2000, seed: int = 0
) -> GraphStatistics:
    """Measure a graph, or a batch of graphs; seconds and little memory for ten million edges.

    Args:
        y: [n] or [g] integer classes (-1: unknown) or numbers (NaN: unknown) of the nodes or of the graphs.
        num_sampled: of how many nodes the clustering is measured, at 200 pairs of neighbours each at most.

    >>> import torch
    >>> triangle_and_one = Graph([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]], num_nodes=4)
    >>> figures = graph_statistics(triangle_and_one, torch.tensor([0, 0, 1, 1]))
    >>> figures.num_edges, figures.num_isolated, figures.num_components, figures.density, figures.clustering
    (3, 1, 2, 0.5, 0.75)
    >>> round(figures.homophily.edge, 3), round(figures.homophily.node, 3), round(figures.homophily.adjusted, 3)
    (0.333, 0.333, -0.5)
    """
    adj, n = graph.adj, graph.num_nodes
    src, dst = adj.edge_index.cpu().numpy()
    pairs, is_undirected = _neighbours(src, dst, n), adj.is_symmetric()
    num_loops = int((src == dst).sum())
    low, high = pairs // max(n, 1), pairs % max(n, 1)
    degree = np.bincount(low, minlength=n) + np.bincount(high, minlength=n)
    num_pieces, piece = connected_components(_matrix(low, high, n), directed=False) if n else (0, np.zeros(0, int))
    per_graph = graph.ptr.diff().cpu().numpy()
    edges_per_graph = np.bincount(graph.graph_id.cpu().numpy()[dst], minlength=graph.num_graphs)
    possible = float((per_graph.astype(float) * (per_graph - 1) / 2).sum())
    sample = np.random.default_rng(seed).permutation(n)[:num_sampled]
    return GraphStatistics(
        num_graphs=graph.num_graphs,
        num_nodes=n,
        num_edges=(len(src) - num_loops) // 2 + num_loops if is_undirected else len(src),
        is_undirected=is_undirected,
        num_loops=num_loops,
        num_isolated=int((degree == 0).sum()),
        num_components=int(num_pieces),
        largest_component=float(np.bincount(piece).max() / n) if n else 0.0,
        density=len(pairs) / possible if possible else 0.0,
        clustering=_clustering(low, high, pairs, sample, n, seed),
        clustering_nodes=len(sample),
        in_degree=adj.in_degree.cpu().numpy(),
        out_degree=adj.out_degree.cpu().numpy(),
        nodes_per_graph=per_graph,
        edges_per_graph=edges_per_graph,
        **({} if y is None else _of_answers(y, graph, low, high)),
    )


def _of_answers(y: Tensor, graph: Graph, low: np.ndarray, high: np.ndarray) -> dict:
    is_of_nodes = y.shape[0] == graph.num_nodes
    if not is_of_nodes:
        check_rows("y", y, graph.num_graphs, "graphs (or nodes)")
    values = y.detach().cpu().numpy()
    if y.is_floating_point():
        return {"assortativity": _assortativity(values.astype(float), low, high) if is_of_nodes else None}
    values = values.astype(np.int64)
    found = {"class_counts": np.bincount(values[values >= 0])}
    return found | ({"homophily": _homophily(graph, values)} if is_of_nodes else {})


def _homophily(graph: Graph, classes: np.ndarray) -> Homophily:
    from grapevine.diagnose import homophily  # with all the tests beside it, which most runs need not wait for

    found = homophily(graph, torch.from_numpy(classes))
    return Homophily(found.edge, found.node, found.adjusted)


def _assortativity(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    known = np.isfinite(y[low]) & np.isfinite(y[high])
    one, other = y[np.concatenate([low[known], high[known]])], y[np.concatenate([high[known], low[known]])]
    if len(one) == 0 or np.ptp(one) == 0:
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def _neighbours(src: np.ndarray, dst: np.ndarray, n: int) -> np.ndarray:
    """[m] each pair of neighbours u < v once, as u n + v, in order."""
    bare = src != dst
    low, high = np.minimum(src, dst)[bare], np.maximum(src, dst)[bare]
    return np.unique(low * n + high)


def _matrix(low: np.ndarray, high: np.ndarray, n: int) -> scipy.sparse.csr_matrix:
    return scipy.sparse.csr_matrix((np.ones(len(low), np.int8), (low, high)), (n, n))


def _clustering(low: np.ndarray, high: np.ndarray, pairs: np.ndarray, sample: np.ndarray, n: int, seed: int) -> float:
    """The mean over the sampled nodes; of a node with many neighbours, an unbiased sample of their pairs."""
    if len(sample) == 0:
        return 0.0
    upper = _matrix(low, high, n)
    matrix, generator = (upper + upper.T).tocsr(), np.random.default_rng(seed)
    shares = np.zeros(len(sample))
    for k, node in enumerate(sample):
        neighbours = matrix.indices[matrix.indptr[node] : matrix.indptr[node + 1]]
        if (d := len(neighbours)) < 2:
            continue
        if d * (d - 1) // 2 <= _PAIRS:
            one, other = np.triu_indices(d, 1)
        else:
            one = generator.integers(0, d, _PAIRS)
            other = (one + generator.integers(1, d, _PAIRS)) % d
        u, v = neighbours[one].astype(np.int64), neighbours[other].astype(np.int64)
        keys = np.minimum(u, v) * n + np.maximum(u, v)
        place = np.minimum(np.searchsorted(pairs, keys), len(pairs) - 1)
        shares[k] = (pairs[place] == keys).mean()
    return float(shares.mean())
