"""Graphs whose encodings are compared: small random ones, molecules' rings, pieces, loops and many edges."""

import networkx
import torch

from grapevine.graph import Graph, from_networkx


def both_ways(edges: list[tuple[int, int]], num_nodes: int) -> Graph:
    one_way = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
    return Graph(torch.cat([one_way, one_way.flip(0)], 1), num_nodes=num_nodes)


def random_graph(num_nodes: int = 14, degree: float = 3.0, seed: int = 0) -> Graph:
    """Connected, and no two nodes are alike in it."""
    for k in range(1000):
        network = networkx.gnp_random_graph(num_nodes, degree / (num_nodes - 1), seed=seed + 1000 * k)
        if networkx.is_connected(network):
            between = networkx.resistance_distance(network)
            sums = {round(sum(of.values()), 6) for of in between.values()}
            if len(sums) == num_nodes:
                return from_networkx(network)
    raise AssertionError


def pieces() -> Graph:
    """A triangle with a tail, a pair, and two nodes alone."""
    return both_ways([(0, 4), (4, 2), (2, 0), (2, 6), (1, 5)], 8)


def naphthalene() -> Graph:
    """Two rings of six that share an edge."""
    return both_ways([*zip(range(9), range(1, 10), strict=True), (9, 0), (0, 5)], 10)


GRAPHS = {
    "random": random_graph(),
    "pieces": pieces(),
    "naphthalene": naphthalene(),
    "no edges": Graph(torch.empty(2, 0, dtype=torch.int64), num_nodes=3),
    "no nodes": Graph(torch.empty(2, 0, dtype=torch.int64), num_nodes=0),
    "loops and repeats": both_ways([(0, 1), (0, 1), (1, 2), (2, 3), (3, 0), (2, 2)], 4),
    "batch": Graph.batch([random_graph(seed=1), naphthalene(), pieces()]),
}
