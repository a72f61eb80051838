"""Small molecules to run networks on: a ring with a tail, methane, ethane."""

import torch
from torch import Tensor

from grapevine.graph import Graph

BONDS = {"ring": ([(0, 1), (1, 2), (2, 0), (2, 3), (3, 4)], 5), "methane": ([], 1), "ethane": ([(0, 1)], 2)}


def molecule(name: str, atom_channels: int = 3, bond_channels: int = 2) -> Graph:
    """Random features, in float64; those of a bond are the same in both directions."""
    bonds, num_nodes = BONDS[name]
    generator = torch.Generator().manual_seed(num_nodes)
    x = torch.randn(num_nodes, atom_channels, generator=generator, dtype=torch.float64)
    edge = torch.randn(len(bonds), bond_channels, generator=generator, dtype=torch.float64)
    both = torch.tensor([pair for j, i in bonds for pair in ((j, i), (i, j))], dtype=torch.int64).reshape(-1, 2).T
    return Graph(both, num_nodes=num_nodes, x=x, edge_attr=edge.repeat_interleave(2, 0))


def batch() -> Graph:
    return Graph.batch([molecule(name) for name in BONDS])


def neighbours(graph: Graph) -> list[list[tuple[int, Tensor]]]:
    """For each node the nodes that it hears, and the features of the edges from them."""
    heard: list[list[tuple[int, Tensor]]] = [[] for _ in range(graph.num_nodes)]
    for (j, i), edge in zip(graph.adj.edge_index.T.tolist(), graph.edge_attr, strict=True):
        heard[i].append((j, edge))
    return heard
