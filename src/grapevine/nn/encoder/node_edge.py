"""A stack of layers that give edges new states too, behind linear maps of the features.

h^0 = W_x x,  e^0 = W_e e,    (h^(k+1), e^(k+1)) = layer_k(h^k, e^k)
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges, edges_of
from grapevine.nn.conv.node_edge import NodeEdgeLayer
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features, Linear, check_channels, check_features


class NodeEdgeStack(Encoder):
    """Layers of nodes and edges one after another; the nodes' last states are the network's output.

    Args:
        in_channels: width of the nodes' features, or -1 to take it from the first input.
        layers: from `hidden_channels` to `hidden_channels`, for nodes and for edges.
        hidden_channels: width of all states.
        edge_channels: width of the edges' features. Without it all edges start in one learnt state, and the network
            takes no edge input.

    >>> from grapevine.nn.conv.gated_gcn import GatedGCNConv
    >>> network = NodeEdgeStack(3, [GatedGCNConv(8, 8), GatedGCNConv(8, 8)], hidden_channels=8, edge_channels=2)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 2)).shape
    torch.Size([4, 8])
    """

    def __init__(
        self,
        in_channels: int,
        layers: Sequence[NodeEdgeLayer],
        *,
        hidden_channels: int,
        edge_channels: int | None = None,
    ):
        super().__init__()
        check(len(layers) > 0, "a NodeEdgeStack needs at least one layer")
        for layer in layers:
            if not isinstance(layer, NodeEdgeLayer):
                raise InputError(f"layers must give edges new states (NodeEdgeLayer), got {type(layer).__name__}")
        check_channels("hidden_channels", hidden_channels)
        self.out_channels, self.edge_channels = hidden_channels, edge_channels
        self.lin_node = Linear(in_channels, hidden_channels)
        self.lin_edge = None if edge_channels is None else Linear(edge_channels, hidden_channels)
        self.edge_start = None
        if edge_channels is None:
            self.edge_start = nn.Parameter(nn.init.normal_(torch.empty(hidden_channels), std=hidden_channels**-0.5))
        self.layers = nn.ModuleList(layers)

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        yield x
        h: Tensor = self.lin_node(x)
        if self.edge_start is not None:
            check(edge is None, "this NodeEdgeStack was made without edge_channels and takes no edge features")
            e = self.edge_start.expand(adjacency.num_edges, -1)
        elif edge is None:
            raise InputError(f"this NodeEdgeStack needs [e, {self.edge_channels}] edge features")
        else:
            e = cast(Linear, self.lin_edge)(edges_of(edge, adj, adjacency, ndim=2))
        for layer in self.layers:
            h, e = layer(h, adjacency, e)
            yield h
