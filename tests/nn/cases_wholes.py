"""Networks in which every node hears its whole graph, for the laws of layers."""

from torch import nn

import grapevine.nn as gnn
from grapevine.testing import Case, check_bipartite, check_isolated_nodes

_OF_ALL_NODES = (check_bipartite, check_isolated_nodes)


def _behind(last: gnn.Conv) -> gnn.FullyAdjacent:
    return gnn.FullyAdjacent(gnn.GNN([gnn.GCNConv(3, 4)], activation="tanh", activate_last=True), last)


def _network() -> nn.Module:
    return gnn.MLP([4, 5, 4], activation="tanh")


CASES = [
    Case("FullyAdjacent GCN", lambda: _behind(gnn.GCNConv(4, 2)), exempt=_OF_ALL_NODES),
    Case("FullyAdjacent GIN", lambda: _behind(gnn.GINConv(_network(), eps=0.3)), exempt=_OF_ALL_NODES),
    Case("FullyAdjacent SAGE", lambda: _behind(gnn.SAGEConv(4, 2, normalize=True)), exempt=_OF_ALL_NODES),
    Case("FullyAdjacent GATv2", lambda: _behind(gnn.GATv2Conv(4, 2, heads=2)), exempt=_OF_ALL_NODES),
    Case(
        "VirtualNode",
        lambda: gnn.VirtualNode(3, 4, [gnn.GCNConv(4, 4), gnn.SAGEConv(4, 2)], activation="tanh"),
        exempt=_OF_ALL_NODES,
    ),
]
