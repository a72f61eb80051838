"""The graphs that are measured on: one in the shape of ogbn-arxiv, and the web graph cnr-2000.

cnr-2000: Boldi & Vigna 2004, "The WebGraph framework I: compression techniques".
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from grapevine.graph import Adjacency, Graph

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"  # beside the project
CNR_2000 = DATA / "web" / "cnr2000_csr.npz"
CHANNELS = 128  # features a node, and the width of the networks
CLASSES = 40


@dataclass(frozen=True)
class Case:
    """A graph by name: [2, e] sources above targets."""

    name: str
    edge_index: Tensor
    num_nodes: int

    @property
    def num_edges(self) -> int:
        return self.edge_index.shape[1]

    def __str__(self) -> str:
        return f"{self.name} ({self.num_nodes:,} nodes, {self.num_edges:,} arcs)"


def fresh_graph(graph: Graph) -> Graph:
    """Its edges alone, with nothing of what an adjacency keeps once it was made."""
    pattern = graph.adj.pattern
    return Graph(Adjacency.trusted(type(pattern).trusted(pattern.indptr, pattern.indices, graph.num_nodes)))


def arxiv_shaped(share: float = 1.0) -> Case:
    """169,343 nodes and 1,166,243 distinct random edges in both directions, or that share of both.

    As in a network of citations every node cites about as many others, and a few are cited by very many: the cited
    ones are drawn by a power law of their rank.
    """
    num_nodes, num_edges = round(169_343 * share), round(1_166_243 * share)
    rng = np.random.default_rng(0)
    cited_by = np.cumsum((np.arange(num_nodes) + 10.0) ** -0.6)
    draws = num_edges * 3 // 2
    citing = rng.integers(0, num_nodes, draws)
    cited = np.searchsorted(cited_by, rng.random(draws) * cited_by[-1])
    cited = rng.permutation(num_nodes)[np.minimum(cited, num_nodes - 1)]
    ends = np.sort(np.stack([citing, cited])[:, citing != cited], axis=0)
    pairs = rng.permutation(np.unique(ends[0] * num_nodes + ends[1]))[:num_edges]
    pairs = np.stack([pairs // num_nodes, pairs % num_nodes])
    both = np.concatenate([pairs, pairs[::-1]], axis=1)
    edge_index = torch.from_numpy(both[:, np.lexsort(both[::-1])])  # by source, as to_undirected gives them
    return Case(_name("arxiv-shaped", share), edge_index, num_nodes)


def cnr_2000() -> Case:
    """The web graph, from its file: 325,557 pages and their 3,216,152 links."""
    with np.load(CNR_2000) as arrays:
        indptr, indices = (torch.from_numpy(arrays[key]).long() for key in ("indptr", "indices"))
    page = torch.arange(len(indptr) - 1).repeat_interleave(indptr.diff())
    return Case("cnr-2000", torch.stack([page, indices]), len(indptr) - 1)


def _name(name: str, share: float) -> str:
    return name if share == 1 else f"{name}, {100 * share:.3g}%"
