"""Every public layer with the options that change what it computes: the one table the laws run over."""

import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.graph import Graph
from grapevine.testing import (
    Case,
    check_bipartite,
    check_edge_order,
    check_isolated_nodes,
    check_same_bits,
)


class OnNodes(nn.Module):
    """A layer that looks at no edges, called as the others are."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, adj: Graph) -> Tensor:
        return self.layer(x)


class OnMembers(nn.Module):
    """A normalisation, called as the others are; its weights are moved away from 1 and 0."""

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.norm = norm
        with torch.no_grad():
            for parameter in norm.parameters():
                parameter += 0.5 * torch.rand_like(parameter)

    def forward(self, x: Tensor, adj: Graph) -> Tensor:
        return self.norm(x, adj.members if isinstance(adj, Graph) else adj)


class Pulled(gnn.MessagePassing):
    """h_i' = U h_i + the aggregate of tanh(W (h_j - h_i)) times the edge's weight, if it has one."""

    def __init__(self, aggregation: gnn.Aggregation | None = None):
        super().__init__(aggregation)
        self.lin_message, self.lin_update = nn.Linear(3, 4), nn.Linear(3, 4)

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor | None) -> Tensor:
        message = self.lin_message(x_src - x_dst).tanh()
        return message if edge_attr is None else message * edge_attr.unsqueeze(1)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return self.lin_update(x_dst) + message


def network(in_channels: int = 3) -> nn.Module:
    """What a GIN maps its sums with."""
    return gnn.MLP([in_channels, 8, 4], activation="tanh")


def gnn_of_gcn(**options: object) -> gnn.GNN:
    return gnn.GNN([gnn.GCNConv(3, 6), gnn.GCNConv(6, 6), gnn.GCNConv(6, 2)], activation="elu", **options)


_NO_PAIR = (check_bipartite,)
_OF_ALL_NODES = (check_bipartite, check_isolated_nodes)  # every node of the graph, or the batch, has a say
_IN_ORDER = (check_edge_order,)  # an LSTM reads in some order
_TORCH_SUMS = (check_bipartite, check_same_bits)  # the bits of PyTorch's own batch norm depend on the threads

CASES = [
    Case("GCN", lambda: gnn.GCNConv(3, 4)),
    Case("GCN weighted", lambda: gnn.GCNConv(3, 4), edge_channels=0),
    Case("GCN wide", lambda: gnn.GCNConv(9, 4, bias=False), channels=9),
    Case("GCN no loops", lambda: gnn.GCNConv(3, 4, add_self_loops=False), edge_channels=0),
    Case("GCN open", lambda: gnn.GCNConv(-1, 4)),
    Case("SAGE mean", lambda: gnn.SAGEConv(3, 4)),
    Case("SAGE mean wide", lambda: gnn.SAGEConv(9, 4), channels=9),
    Case("SAGE sum", lambda: gnn.SAGEConv(3, 4, aggregation="sum", normalize=True)),
    Case("SAGE max", lambda: gnn.SAGEConv(3, 4, aggregation="max", root_weight=False)),
    Case("SAGE pool", lambda: gnn.SAGEConv(3, 4, aggregation="pool", bias=False)),
    Case("SAGE lstm", lambda: gnn.SAGEConv(3, 4, aggregation="lstm"), exempt=_IN_ORDER),
    Case("GAT", lambda: gnn.GATConv(3, 4)),
    Case("GAT concat", lambda: gnn.GATConv(3, 4, heads=3, dropout=0.4)),
    Case("GAT average", lambda: gnn.GATConv(3, 4, heads=3, concat=False, add_self_loops=False, bias=False)),
    Case("GAT edges", lambda: gnn.GATConv(3, 4, heads=2, edge_channels=5), edge_channels=5),
    Case("GAT two maps", lambda: gnn.GATConv((3, 3), 4, heads=2)),
    Case("GATv2", lambda: gnn.GATv2Conv(3, 4, heads=2, dropout=0.4)),
    Case("GATv2 average", lambda: gnn.GATv2Conv(3, 4, heads=2, concat=False, add_self_loops=False)),
    Case("GATv2 edges", lambda: gnn.GATv2Conv(3, 4, heads=2, edge_channels=5, dropout=0.4), edge_channels=5),
    Case("GATv2 one map", lambda: gnn.GATv2Conv(3, 4, share_weights=True, bias=False)),
    Case("GIN", lambda: gnn.GINConv(network(), eps=0.3)),
    Case("GIN learnt eps", lambda: gnn.GINConv(network(), train_eps=True)),
    Case("GINE", lambda: gnn.GINEConv(network(), eps=0.3), edge_channels=3),
    Case(
        "GINE edge map",
        lambda: gnn.GINEConv(network(), in_channels=3, edge_channels=5, train_eps=True),
        edge_channels=5,
    ),
    Case("LinearConv", lambda: gnn.LinearConv(3, 4)),
    Case("Block GCN", lambda: gnn.ResidualBlock(gnn.GCNConv(3, 8), 3, inner_channels=8, dropout=0.4), edge_channels=0),
    Case("Block SAGE", lambda: gnn.ResidualBlock(gnn.SAGEConv(3, 3, normalize=True), 3, norm=nn.Identity())),
    Case("MessagePassing sum", Pulled),
    Case("MessagePassing mean", lambda: Pulled(gnn.Mean()), edge_channels=0),
    Case("MessagePassing max", lambda: Pulled(gnn.Max())),
    Case("MessagePassing min", lambda: Pulled(gnn.Min())),
    Case("MessagePassing lstm", lambda: Pulled(gnn.LSTM(4, 4)), exempt=_IN_ORDER),
    Case("Linear", lambda: OnNodes(gnn.Linear(3, 4)), exempt=_NO_PAIR),
    Case("MLP", lambda: gnn.MLP([3, 8, 4], activation="silu", dropout=0.4), exempt=_NO_PAIR),
    Case("MLP batch norm", lambda: gnn.MLP([3, 8, 4], activation="tanh", batch_norm=True), exempt=_TORCH_SUMS),
    Case("BatchNorm", lambda: OnMembers(gnn.BatchNorm(3)), exempt=_TORCH_SUMS),
    Case("LayerNorm", lambda: OnMembers(gnn.LayerNorm(3)), exempt=_NO_PAIR),
    Case("GraphNorm", lambda: OnMembers(gnn.GraphNorm(3)), exempt=_OF_ALL_NODES),
    Case("GNN", lambda: gnn_of_gcn(dropout=0.4, input_dropout=0.2), exempt=_NO_PAIR),
    Case("GNN residual", lambda: gnn_of_gcn(residual=True), edge_channels=0, exempt=_NO_PAIR),
    Case(
        "GNN BatchNorm",
        lambda: gnn_of_gcn(norms=[gnn.BatchNorm(6), gnn.BatchNorm(6)], residual=True),
        exempt=_TORCH_SUMS,
    ),
    Case(
        "GNN GraphNorm",
        lambda: gnn_of_gcn(norms=[gnn.GraphNorm(6), gnn.LayerNorm(6)]),
        exempt=_OF_ALL_NODES,
    ),
    Case(
        "GNN of kinds",
        lambda: gnn.GNN([gnn.GATConv(3, 2, heads=2), gnn.SAGEConv(4, 4, normalize=True), gnn.GINConv(network(4))]),
        exempt=_NO_PAIR,
    ),
    Case("Readout sum", gnn.Readout, output="graph"),
    Case("Readout mean", lambda: gnn.Readout(gnn.Mean()), output="graph"),
    Case("Readout max", lambda: gnn.Readout(gnn.Max()), output="graph"),
    Case("Readout min", lambda: gnn.Readout(gnn.Min()), output="graph"),
]  # fmt: skip
