"""A virtual node: a state for each graph that all its nodes hear and that hears all of them, between any two layers.

h_i(k) <- h_i(k) + v(k),    h(k+1) = layer(h(k)),    v(k+1) = MLP(v(k) + sum over i of h_i(k)),    v(0) learnt

Hu, Fey, Ren, Nakata, Dong & Leskovec 2021, "OGB-LSC: a large-scale challenge for machine learning on graphs"; the
master node of Gilmer et al. 2017, "Neural message passing for quantum chemistry".
The graph stays as it is: no split, no answer and no readout ever meets a node that is none.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.nn.conv import Conv
from grapevine.nn.conv.inputs import Edges, in_order
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.fully_adjacent import one_graph
from grapevine.nn.linear import Features, Linear
from grapevine.nn.mlp import MLP
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce
from grapevine.typing import ActivationName


class VirtualNode(Encoder):
    """Convolutions with a virtual node that takes part in each of them.

    What knows of no batch, an Adjacency or an edge_index, is one graph.

    Args:
        in_channels: width of the features; a linear map makes them as wide as the states.
        channels: width of the states and of the virtual node's.
        layers: convolutions from `channels` to `channels`, but for the last one, which may end in another width.
        norms: a normalisation for each layer but the last, if any.
        activation: after each layer but the last.
        dropout: after each activation, in training.

    >>> from grapevine.nn import GCNConv
    >>> network = VirtualNode(3, 8, [GCNConv(8, 8), GCNConv(8, 2)])
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        layers: Sequence[Conv],
        *,
        norms: Sequence[nn.Module] | None = None,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        check(len(layers) > 0, "a network needs at least one layer")
        for layer in layers:
            if not isinstance(layer, Conv):
                raise InputError(f"layers must be convolutions, got {type(layer).__name__}")
        inner = len(layers) - 1
        fits = norms is None or len(norms) == inner
        check(fits, f"{len(layers)} layers take {inner} norms, none behind the last, got {len(norms or ())}")
        self.first, self.layers = Linear(in_channels, channels), nn.ModuleList(layers)
        self.norms = None if norms is None else nn.ModuleList(norms)
        self.start = nn.Parameter(torch.zeros(channels))
        self.updates = nn.ModuleList(
            MLP([channels, 2 * channels, channels], activation=activation) for _ in range(inner)
        )
        self.activation: ActivationName = activation
        self.dropout = dropout

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        adjacency: Adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        if edge is not None:
            edge = in_order("edge", edge, adj, adjacency)
        yield x
        h = self.first(x)
        members = adj.members if isinstance(adj, Graph) else one_graph(h)
        virtual = self.start.expand(members.num_rows, -1)
        for k, layer in enumerate(self.layers):
            h = h + gather(members, virtual, side="rows")
            out = cast(Conv, layer)(h, adjacency, edge)
            if k < len(self.layers) - 1:
                virtual = self.updates[k](virtual + segment_reduce(members, h, reduce="sum"))
                out = out if self.norms is None else self.norms[k](out, members)
                out = epilogue(out, activation=self.activation, dropout=self.dropout if self.training else 0.0)
            h = out
            yield h
