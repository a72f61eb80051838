"""Expanders: sparse graphs without any narrow place, laid over the graph so that all nodes are few steps apart.

Random regular graphs: every node gets the same number of neighbours, drawn at random; with high probability the gap is
near the best there is, 1 - 2 sqrt(d - 1) / d (Friedman 2003). Shirzad, Velingker, Venkatachalam, Sutherland & Sinop
2023, "Exphormer: sparse transformers for graphs".

Cayley graphs: the nodes are the matrices of SL(2, Z_n), joined where one of the generators [[1, 1], [0, 1]] and
[[1, 0], [1, 1]] or its inverse leads from one to the other: 4-regular for n > 2, with n^3 prod (1 - 1 / p^2) nodes, p
the primes that divide n. The smallest with enough nodes, of which the first are kept, by their distance from the
identity. Deac, Lackenby & Velickovic 2022, "Expander graph propagation".
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import networkx as nx
import numpy as np

from grapevine.errors import check
from grapevine.graph.measures.undirected import Undirected
from grapevine.rewire.rewiring import Change, PairRewiring

_TRIES = 100  # of drawing a connected graph; one of degree 4 is, but for rare ones


@dataclass(frozen=True)
class Expander(PairRewiring):
    """Add a random regular graph over the nodes of each graph (Shirzad et al. 2023).

    Edges that are there already stay as they are. A graph of no more than `degree` nodes becomes complete.

    Args:
        degree: how many neighbours each node gets; even, so that there is such a graph for any number of nodes.
        seed: of what is drawn.

    >>> from grapevine.graph import Graph
    >>> ring = Graph([[0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 0]])
    >>> Expander(4, mark=True)(ring).is_new.sum() > 0
    tensor(True)
    """

    name: ClassVar[str] = "expander"
    degree: int = 4
    seed: int = 0

    def __post_init__(self):
        is_fit = self.degree >= 4 and self.degree % 2 == 0
        check(is_fit, f"degree must be even and at least 4, got {self.degree}")

    def change(self, graph: Undirected, number: int) -> Change:
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        return Change(strangers(graph, regular_graph(graph.num_nodes, self.degree, seed)))


@dataclass(frozen=True)
class Cayley(PairRewiring):
    """Add the Cayley graph of SL(2, Z_n) of as few nodes as suffice to each graph (Deac et al. 2022).

    Nodes are matched in their order. Edges that are there already stay as they are.

    >>> from grapevine.graph import Graph
    >>> path = Graph([[0, 1, 2], [1, 2, 3]])
    >>> Cayley()(path).num_edges
    9
    """

    name: ClassVar[str] = "cayley"

    def change(self, graph: Undirected, number: int) -> Change:
        pairs = cayley_graph(cayley_order(graph.num_nodes))
        return Change(strangers(graph, pairs[:, pairs[1] < graph.num_nodes]))


def regular_graph(num_nodes: int, degree: int, seed: int) -> np.ndarray:
    """[2, m] the pairs of a connected simple random regular graph; of the complete graph where nodes are too few.

    >>> np.bincount(regular_graph(10, 4, seed=0).ravel()).tolist()
    [4, 4, 4, 4, 4, 4, 4, 4, 4, 4]
    """
    if num_nodes <= degree + 1:
        return np.stack(np.triu_indices(num_nodes, 1))
    for k in range(_TRIES):
        drawn = nx.random_regular_graph(degree, num_nodes, seed=seed + k)
        if nx.is_connected(drawn):
            break
    pairs = np.array(drawn.edges).T
    return np.stack([pairs.min(0), pairs.max(0)])


def cayley_order(num_nodes: int) -> int:
    """The smallest n > 2 for which SL(2, Z_n) has so many elements.

    >>> cayley_order(24), cayley_order(25), cayley_size(5)
    (3, 4, 120)
    """
    n = 3
    while cayley_size(n) < num_nodes:
        n += 1
    return n


def cayley_size(n: int) -> int:
    """How many matrices there are in SL(2, Z_n)."""
    size, rest, p = n**3, n, 2
    while rest > 1:
        if rest % p == 0:
            size = size // p**2 * (p**2 - 1)
            while rest % p == 0:
                rest //= p
        p += 1
    return size


@lru_cache(maxsize=32)
def cayley_graph(n: int) -> np.ndarray:
    """[2, m] the pairs of the Cayley graph of SL(2, Z_n), smaller node first; node 0 is the identity, n > 2.

    >>> np.unique(np.bincount(cayley_graph(3).ravel())).tolist()
    [4]
    """
    frontier, found = np.array([[1, 0, 0, 1]]), np.zeros(n**4, bool)
    keys = [_key(frontier, n)]
    found[keys[0]] = True
    layers = [frontier]
    while len(frontier):
        heard = np.concatenate([_times(frontier, k, n) for k in range(4)])
        _, first = np.unique(_key(heard, n), return_index=True)
        heard = heard[np.sort(first)]
        frontier = heard[~found[_key(heard, n)]]
        found[_key(frontier, n)] = True
        layers.append(frontier)
    nodes = np.concatenate(layers)
    number = np.empty(n**4, np.int64)
    number[_key(nodes, n)] = np.arange(len(nodes))
    pairs = np.stack(
        [np.tile(np.arange(len(nodes)), 2), number[_key(np.concatenate([_times(nodes, k, n) for k in range(2)]), n)]]
    )
    return np.unique(np.stack([pairs.min(0), pairs.max(0)]), axis=1)


def _times(matrices: np.ndarray, generator: int, n: int) -> np.ndarray:
    """[k, 4] rows a, b, c, d of [[a, b], [c, d]] times a generator: [[1, 1], [0, 1]], [[1, 0], [1, 1]], inverses."""
    a, b, c, d = matrices.T
    sign = 1 if generator < 2 else -1
    if generator % 2 == 0:
        return np.stack([a, b + sign * a, c, d + sign * c], 1) % n
    return np.stack([a + sign * b, b, c + sign * d, d], 1) % n


def _key(matrices: np.ndarray, n: int) -> np.ndarray:
    return ((matrices[:, 0] * n + matrices[:, 1]) * n + matrices[:, 2]) * n + matrices[:, 3]


def strangers(graph: Undirected, pairs: np.ndarray) -> np.ndarray:
    """Those of the pairs that are no neighbours."""
    return pairs[:, graph.position(pairs) < 0]
