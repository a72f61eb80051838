"""A layer to be tested, how it is called and which laws it is held to: one row of a table of tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from grapevine.graph import Adjacency
from grapevine.testing.laws import (
    Law,
    check_batched_equals_single,
    check_bipartite,
    check_edge_order,
    check_empty_graph,
    check_gradients,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_permutation_invariance,
    check_same_bits,
    check_save_and_load,
)

_OF_ALL: tuple[Law, ...] = (
    check_edge_order,
    check_batched_equals_single,
    check_empty_graph,
    check_gradients,
    check_save_and_load,
    check_same_bits,
)
_OF_NODES: tuple[Law, ...] = (check_permutation_equivariance, check_isolated_nodes, check_bipartite)
_OF_GRAPHS: tuple[Law, ...] = (check_permutation_invariance,)


@dataclass(frozen=True)
class Case:
    """A layer and what the laws need to know of it.

    Args:
        name: what a test calls it.
        make: makes the layer.
        channels: width of the node states it takes.
        edge_channels: width of the edge features it takes: 0 for one weight an edge, None for no edge input.
        output: whether its output has a row for each node or one for each graph.
        exempt: the laws that do not hold for it, such as `check_bipartite` where it takes no pair of states.
    """

    name: str
    make: Callable[[], nn.Module]
    channels: int = 3
    edge_channels: int | None = None
    output: Literal["node", "graph"] = "node"
    exempt: tuple[Law, ...] = ()

    def inputs(self) -> tuple[Tensor, Adjacency, Tensor | None]:
        """States, edges and edge input in float64, of a graph with a loop, a repeated edge and an isolated node."""
        generator = torch.Generator().manual_seed(0)
        some = torch.randint(6, (2, 14), generator=generator)
        adj = Adjacency(torch.cat([some, some[:, :1], torch.tensor([[2], [2]])], dim=1), num_nodes=7)
        x = torch.randn(7, self.channels, generator=generator, dtype=torch.float64)
        if self.edge_channels is None:
            return x, adj, None
        width = (self.edge_channels,) if self.edge_channels else ()
        return x, adj, 0.5 + torch.rand(adj.num_edges, *width, generator=generator, dtype=torch.float64)


def laws_of(case: Case) -> list[Law]:
    """The laws a layer is held to."""
    laws = _OF_ALL + (_OF_NODES if case.output == "node" else _OF_GRAPHS)
    return [law for law in laws if law not in case.exempt]


def check_case(case: Case) -> None:
    """Hold a layer to all its laws.

    Raises:
        AssertionError: by the first one that is broken.

    >>> class Degree(nn.Module):
    ...     def forward(self, x, graph):
    ...         return x * graph.adj.in_degree.unsqueeze(1)
    >>> check_case(Case("degree", Degree, exempt=(check_bipartite,)))
    """
    for law in laws_of(case):
        torch.manual_seed(0)
        law(case.make().double(), *case.inputs())
