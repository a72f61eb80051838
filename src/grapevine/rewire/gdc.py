"""Diffusion instead of edges: each node hears those that most of a random walk from them would come by.

    T = D^-1/2 (A + I) D^-1/2,    S = a sum over k of (1 - a)^k T^k  (personalised PageRank)
                                 or  exp(-t) sum over k of t^k / k! T^k  (heat)
    of each column of S the largest entries, or those of at least a threshold, scaled to a sum of 1

Gasteiger, Weissenberger & Gunnemann 2019, "Diffusion improves graph learning" (GDC; DIGL to those who rewire by it).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, cast

import numpy as np
import scipy.linalg
import torch
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.rewire.rewiring import Rewiring, with_edges

_LARGEST = 20_000  # nodes of a graph; the matrix S is dense before it is thinned out
Diffusion = Literal["ppr", "heat"]


@dataclass(frozen=True)
class GDC(Rewiring):
    """Put diffusion in place of the edges (Gasteiger et al. 2019); `edge_weight` says how strong it is.

    Existing weights, which must not be negative, count in A. An edge that stays keeps its other tensors; others get
    zeros there. Each node hears itself too. O(n^3) time and O(n^2) memory for each graph.

    Args:
        diffusion: "ppr" or "heat".
        alpha: of the PageRank, how likely the walk starts anew; 0.05 to 0.3 in the paper.
        time: of the heat; 1 to 10 in the paper.
        top: how many each node hears; 0: by the threshold instead.
        threshold: the least entry of S that is an edge.

    Raises:
        InputError: for a graph of more than 20,000 nodes, or negative weights.

    >>> path = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> near = GDC("ppr", top=2)(path)
    >>> near.adj.edge_index.tolist(), [round(w, 2) for w in near.edge_weight.tolist()]
    ([[1, 0, 2, 1, 1, 2], [0, 0, 1, 1, 2, 2]], [0.41, 0.59, 0.38, 0.62, 0.41, 0.59])
    """

    name: ClassVar[str] = "gdc"
    diffusion: str = "ppr"
    alpha: float = 0.15
    time: float = 5.0
    top: int = 64
    threshold: float = 1e-4

    def __post_init__(self):
        check(self.diffusion in ("ppr", "heat"), f"diffusion must be ppr or heat, got {self.diffusion!r}")
        check(0 < self.alpha < 1, f"alpha must be between 0 and 1, got {self.alpha}")
        check(self.time > 0, f"time must be positive, got {self.time}")
        check(self.top >= 0, f"top must not be negative, got {self.top}")
        check(self.threshold > 0, f"threshold must be positive, got {self.threshold}")

    def __call__(self, graph: Graph) -> Graph:
        check(isinstance(graph, Graph), f"a rewiring is called with a Graph, got {type(graph).__name__}")
        ends, weights = [np.zeros((2, 0), np.int64)], [np.zeros(0)]
        edges, weight = graph.adj.edge_index.cpu().numpy(), _weights(graph)
        bounds, starts = graph.adj.indptr[graph.ptr].tolist(), graph.ptr.tolist()
        for k in range(graph.num_graphs):
            mine, n = slice(bounds[k], bounds[k + 1]), starts[k + 1] - starts[k]
            dense = np.zeros((n, n))
            np.add.at(dense, tuple(edges[:, mine] - starts[k]), weight[mine])
            sources, targets, strength = self._thinned(self.spread(dense))
            ends.append(np.stack([sources, targets]) + starts[k])
            weights.append(strength)
        return _replaced(graph, np.concatenate(ends, 1), np.concatenate(weights), self.mark)

    def spread(self, adjacency: np.ndarray) -> np.ndarray:
        """S of a dense adjacency matrix, a row for each source.

        >>> GDC().spread(np.array([[0.0, 1.0], [1.0, 0.0]])).round(3).tolist()
        [[0.575, 0.425], [0.425, 0.575]]
        """
        n = len(adjacency)
        check(n <= _LARGEST, f"the diffusion on a graph of {n} nodes takes too much memory, at most {_LARGEST} can be")
        looped = adjacency + np.eye(n)
        root = looped.sum(0) ** -0.5
        walk = root[:, None] * looped * root
        if self.diffusion == "ppr":
            return self.alpha * np.linalg.inv(np.eye(n) - (1 - self.alpha) * walk) if n else walk
        return scipy.linalg.expm(-self.time * (np.eye(n) - walk)) if n else walk

    def _thinned(self, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sources, targets and weights of what remains."""
        n = len(spread)
        if self.top:
            order = np.argsort(-spread, axis=0, kind="stable")[: self.top]
            sources, targets = order.T.ravel(), np.repeat(np.arange(n), len(order))
            strong = spread[sources, targets] > 0
            sources, targets = sources[strong], targets[strong]
        else:
            targets, sources = (spread >= self.threshold).T.nonzero()
        strength = spread[sources, targets]
        return sources, targets, strength / np.bincount(targets, strength, n)[targets]


def _weights(graph: Graph) -> np.ndarray:
    if "edge_weight" not in graph.edge:
        return np.ones(graph.num_edges)
    weight = graph.edge_weight.detach().cpu().double().numpy()
    check(bool((weight >= 0).all()), "diffusion needs weights that are not negative")
    return weight


def _replaced(graph: Graph, ends: np.ndarray, weight: np.ndarray, mark: bool) -> Graph:
    """The graph with these edges: the tensors of the first copy of those that were there, zeros for the others."""
    n = graph.num_nodes
    old = graph.adj.edge_index.cpu().numpy()
    keys, first = np.unique(old[0] * n + old[1], return_index=True)
    wanted = ends[0] * n + ends[1]
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    stays = keys[place] == wanted if len(keys) else np.zeros(len(wanted), bool)
    order = np.concatenate([np.flatnonzero(stays), np.flatnonzero(~stays)])
    kept = torch.from_numpy(first[place[stays]] if len(keys) else np.zeros(0, np.int64)).to(graph.device)
    adj = Adjacency(torch.from_numpy(ends[:, order]).to(graph.device), n)
    new = with_edges(graph, adj, kept, {}, mark)
    dtype = cast(Tensor, graph.edge["edge_weight"]).dtype if "edge_weight" in graph.edge else torch.float32
    strength = torch.from_numpy(weight[order]).to(graph.device, dtype)[adj.edge_id]
    return new.replace(edge_weight=strength)
