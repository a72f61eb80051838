"""Over-squashing: how much a node hears of another by distance, and which edges all that news has to pass.

    influence(i, j) = sum over a, b of |d h_i[a] / d x_j[b]|

Xu et al. 2018, "Representation learning on graphs with jumping knowledge networks"; that it vanishes with the distance
where paths are few is over-squashing: Alon & Yahav 2021, "On the bottleneck of graph neural networks"; Topping et al.
2022; Di Giovanni et al. 2023, "On over-squashing in message passing neural networks".
Distances are steps along the edges, in their direction; the bottlenecks are of the simple undirected graph.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from scipy.sparse.csgraph import dijkstra
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.graph.measures.curvature import balanced_forman
from grapevine.graph.measures.resistance import effective_resistance, estimated_resistance
from grapevine.graph.measures.undirected import undirected

_EXACT = 3000  # nodes up to which the resistance of every edge is exact
_PROBES, _SPARE = 60, 5  # else so many probes, and so many times the edges asked for are computed after


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """How much the sampled targets hear of the nodes at each distance; one row a distance.

    Args:
        distance: [k] steps from the source to the target, rising; infinity: no path leads there.
        num_pairs: [k] pairs (target, source) at that distance.
        mean, median: [k] their influence.
        share: [k] the part of all a target hears that comes from there, the mean over the targets; they add up to one,
            and all are NaN where no target hears anything.
        targets: [t] the nodes that were looked at.
        is_exact: whether these are all nodes.
    """

    distance: np.ndarray
    num_pairs: np.ndarray
    mean: np.ndarray
    median: np.ndarray
    share: np.ndarray
    targets: np.ndarray
    is_exact: bool

    @property
    def reach(self) -> float:
        """How far what is heard comes from: the distance, weighted by the shares; over what a path leads to."""
        finite = np.isfinite(self.distance)
        total = self.share[finite].sum()
        return float(self.share[finite] @ self.distance[finite] / total) if total > 0 else np.nan


def sensitivity(
    network: Callable[[Tensor], Tensor],
    x: Float[Tensor, "n c"],
    edges: Adjacency | Graph | Tensor,
    *,
    num_targets: int = 50,
    seed: int = 0,
) -> Sensitivity:
    """Measure the influence on up to `num_targets` nodes, drawn by the seed; on all, exactly, where there are no more.

    It takes a backward pass for each target and column of the states.

    Args:
        network: the states [n, d] of features like x; in evaluation mode, or dropout is measured too.
        edges: what the distances are measured on: the graph that the network hears.

    Raises:
        InputError: if the states are no [n, d] tensor that gradients lead from to x.

    >>> from grapevine.nn import GNN, GCNConv
    >>> path, x = Adjacency([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), torch.ones(4, 3)
    >>> network = GNN([GCNConv(3, 3), GCNConv(3, 3)], activation="none")
    >>> found = sensitivity(lambda x: network(x, path), x, path)
    >>> found.distance.tolist(), found.num_pairs.tolist(), found.mean[3].item()
    ([0.0, 1.0, 2.0, 3.0], [4, 6, 4, 2], 0.0)
    >>> bool(found.mean[0] > found.mean[2] > 0)
    True
    """
    check(num_targets > 0, f"num_targets must be positive, got {num_targets}")
    check_tensor("x", x, ndim=2)
    adj = as_adjacency(edges, x.shape[0], x.shape[0])
    is_exact = x.shape[0] <= num_targets
    drawn = np.random.default_rng(seed).permutation(x.shape[0])[:num_targets]
    targets = np.sort(drawn)
    influence = jacobian_norms(network, x, torch.from_numpy(targets)).cpu().double().numpy()
    steps = _distances(adj, targets)
    totals = influence.sum(1, keepdims=True)
    parts = np.divide(influence, totals, out=np.zeros_like(influence), where=totals > 0) / max((totals > 0).sum(), 1)
    rows, place = np.unique(steps, return_inverse=True)
    place = place.ravel()
    order, counts = np.argsort(place, kind="stable"), np.bincount(place, minlength=len(rows))
    groups = np.split(influence.ravel()[order], counts.cumsum()[:-1]) if len(rows) else []
    return Sensitivity(
        distance=rows,
        num_pairs=counts,
        mean=np.array([group.mean() for group in groups]),
        median=np.array([np.median(group) for group in groups]),
        share=np.bincount(place, parts.ravel(), len(rows)) if totals.any() else np.full(len(rows), np.nan),
        targets=targets,
        is_exact=is_exact,
    )


def jacobian_norms(
    network: Callable[[Tensor], Tensor], x: Float[Tensor, "n c"], targets: Int[Tensor, " t"]
) -> Float[Tensor, "t n"]:
    """The sum of the absolute derivatives of each target's state by each node's features, exact by autograd.

    >>> jacobian_norms(lambda x: x.cumsum(0) ** 2, torch.tensor([[1.0], [2.0]]), torch.tensor([0, 1])).tolist()
    [[2.0, 0.0], [6.0, 6.0]]
    """
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        states = network(x)
    check_tensor("network(x)", states, ndim=2)
    check_rows("network(x)", states, x.shape[0], "nodes")
    check(states.requires_grad, "network(x) must depend on x by operations with gradients: leave out torch.no_grad()")
    out = x.new_zeros(len(targets), x.shape[0])
    for k, target in enumerate(targets.tolist()):
        for value in states[target]:
            (gradient,) = torch.autograd.grad(value, x, retain_graph=True, allow_unused=True)
            if gradient is not None:
                out[k] += gradient.abs().sum(1)
    return out


@dataclass(frozen=True, eq=False)
class Bottlenecks:
    """The edges [2, k] that news has to pass, the worst first.

    Args:
        resistance: [k] effective resistance in (0, 1]: the probability that a random spanning tree has the edge; 1 is
            a bridge.
        curvature: [k] balanced Forman curvature, above -2.
    """

    pairs: np.ndarray
    resistance: np.ndarray
    curvature: np.ndarray


def bottlenecks(
    edges: Adjacency | Graph | Tensor, *, count: int = 20, by: Literal["resistance", "curvature"] = "resistance"
) -> Bottlenecks:
    """The `count` edges of the highest resistance, or of the lowest curvature; of equals, those worse by the other.

    Edges to nodes that have no other neighbour are left out: nothing passes them. On more than 3,000 nodes the
    resistance of all edges is estimated first, and that of the highest then computed.

    >>> two_triangles_and_a_bridge = Adjacency([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> worst = bottlenecks(two_triangles_and_a_bridge, count=1)
    >>> worst.pairs.T.tolist(), worst.resistance.round(6).tolist(), worst.curvature.round(4).tolist()
    ([[2, 3]], [1.0], [-0.6667])
    """
    check(by in ("resistance", "curvature"), f"by must be resistance or curvature, got {by!r}")
    check(count >= 0, f"count must not be negative, got {count}")
    graph = undirected(edges)
    pairs, curvature = balanced_forman(edges)
    passes = (graph.degree[pairs] > 1).all(0)
    pairs, curvature = pairs[:, passes], curvature[passes]
    if by == "curvature":
        worst = np.argsort(curvature, kind="stable")[: _SPARE * count]
    elif graph.num_nodes > _EXACT:
        worst = np.argsort(-estimated_resistance(edges, pairs, num_probes=_PROBES), kind="stable")[: _SPARE * count]
    else:
        worst = np.arange(len(curvature))
    pairs, curvature = pairs[:, worst], curvature[worst]
    resistance = effective_resistance(edges, pairs)
    keys = -resistance.round(9), curvature.round(9)
    order = np.lexsort(keys[::-1] if by == "resistance" else keys)[:count]
    return Bottlenecks(pairs[:, order], resistance[order], curvature[order])


def _distances(adj: Adjacency, targets: np.ndarray) -> np.ndarray:
    """[t, n] how many steps each node's news takes to each target."""
    indptr, src = adj.indptr.cpu().numpy(), adj.src.cpu().numpy()
    heard = scipy.sparse.csr_array((np.ones(len(src)), src, indptr), shape=(adj.num_nodes, adj.num_nodes))
    return dijkstra(heard, indices=targets, unweighted=True).reshape(len(targets), adj.num_nodes)
