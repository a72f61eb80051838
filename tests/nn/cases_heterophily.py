"""Layers and networks for graphs whose neighbours are unlike, with the options that change what they compute."""

from collections.abc import Callable

import torch
from torch import nn

from grapevine import nn as gnn
from grapevine.testing import (
    Case,
    check_batched_equals_single,
    check_bipartite,
    check_empty_graph,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_same_bits,
)

_ONE_GRAPH = (  # it knows its nodes by their numbers
    check_batched_equals_single,
    check_bipartite,
    check_empty_graph,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_same_bits,
)


def _case(name: str, make: Callable[[], nn.Module], *, edge_channels: int | None = None) -> Case:
    """A layer or network that takes no pair of states."""
    return Case(name, make, edge_channels=edge_channels, exempt=(check_bipartite,))


def directed(conv: Callable[[], gnn.Conv], **options: object) -> gnn.DirGNNConv:
    return gnn.DirGNNConv(conv(), conv(), **options)


def linkx(**options: object) -> gnn.LINKX:
    """Its biases are moved away from 0, where a node without edges would stand at the kink of ReLU."""
    network = gnn.LINKX(7, 3, 4, hidden_channels=6, **options)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.uniform_(0.1, 0.5)
    return network


CASES = [
    Case("GATSep", lambda: gnn.GATSepConv(3, 4)),
    Case("GATSep heads", lambda: gnn.GATSepConv(-1, 4, heads=3, hidden_channels=6, dropout=0.4, bias=False)),
    Case("Block GATSep", lambda: gnn.ResidualBlock(gnn.GATSepConv(3, 8, heads=2), 3, inner_channels=8, dropout=0.2)),
    Case("FA", lambda: gnn.FAConv(3, dropout=0.4)),
    Case("FA loops", lambda: gnn.FAConv(3, add_self_loops=True)),
    _case("FAGCN", lambda: gnn.FAGCN(3, 4, hidden_channels=6, num_layers=3, dropout=0.4)),
    _case("FAGCN loops", lambda: gnn.FAGCN(-1, 4, hidden_channels=6, eps=0.7, add_self_loops=True)),
    _case("H2GCN-1", lambda: gnn.H2GCN(3, 4, hidden_channels=6, num_rounds=1, dropout=0.4)),
    _case("H2GCN-2", lambda: gnn.H2GCN(-1, 4, hidden_channels=6, activation="none", input_dropout=0.2)),
    _case("GPRGNN", lambda: gnn.GPRGNN(3, 4, hidden_channels=[6], num_hops=3, dropout=0.4)),
    _case("GPRGNN weighted", lambda: gnn.GPRGNN(3, 4, hidden_channels=[], num_hops=2, start="nppr"), edge_channels=0),
    _case("DirGNN GCN", lambda: directed(lambda: gnn.GCNConv(3, 4), alpha=0.3), edge_channels=0),
    _case(
        "DirGNN SAGE",
        lambda: directed(lambda: gnn.SAGEConv(3, 4, root_weight=False), root=gnn.Linear(3, 4)),
    ),
    _case(
        "DirGNN GAT",
        lambda: directed(lambda: gnn.GATConv(3, 2, heads=2, edge_channels=5), alpha=0.8),
        edge_channels=5,
    ),
    Case("LINKX", linkx, exempt=_ONE_GRAPH),
    Case(
        "LINKX deep",
        lambda: linkx(num_layers=3, num_edge_layers=2, num_node_layers=2, dropout=0.4),
        exempt=_ONE_GRAPH,
    ),
    Case("LINKX no norms", lambda: linkx(num_layers=2, batch_norm=False), exempt=_ONE_GRAPH),
]  # fmt: skip
