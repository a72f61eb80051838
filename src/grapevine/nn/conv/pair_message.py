"""Pair message: an edge's message is a network of both ends' states and its features (Gilmer et al. 2017).

h_i' = aggregate over j of W_2 activation(W_1 [h_i, h_j, e_ij] + b_1) + b_2
"""

from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.edge_network import Heard, turned_round
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.edge_mlp import EdgeMLP
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear
from grapevine.ops.segment import segment_reduce
from grapevine.typing import ActivationName


class PairMessage(Conv):
    """The pair message of Gilmer et al. 2017, "Neural message passing for quantum chemistry".

    The last map stands behind the aggregation, which is the same: an edge's message is only its hidden layer. Its edge
    input is [e, edge_channels] features, and it needs them.

    Args:
        in_channels: width of the states, or the pair of the sources' and the targets'.
        out_channels: width of a message.
        edge_channels: width of the edge features.
        hidden_channels: width of the hidden layer.
        activation: of the hidden layer.
        aggregation: the sum, as in the paper, or the mean.
        both_directions: half of the output is of the edges that come in, half of those that go out, each with a network
            of its own; see `EdgeNetworkConv`.

    >>> layer = PairMessage(2, 3, 5)
    >>> layer(torch.ones(4, 2), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 5)).shape
    torch.Size([4, 3])
    """

    equation: ClassVar[Equation] = Equation(
        name="Pair message",
        message="MLP([h_i, h_j, e_ij])",
        aggregation="sum, of edges in and of edges out apart",
        update="m_i; in the paper GRU(h_i, m_i), which MPNN is",
        edges="features",
        readout="Set2Set, or gated sum",
        cost="n c^2 + e c",
        power="1-WL",
        year=2017,
        paper="Gilmer et al., Neural message passing for quantum chemistry",
    )

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        edge_channels: int,
        *,
        hidden_channels: int = 128,
        activation: ActivationName = "relu",
        aggregation: Literal["sum", "mean"] = "sum",
        both_directions: bool = False,
    ):
        super().__init__()
        check(aggregation in ("sum", "mean"), f"aggregation must be sum or mean, got {aggregation!r}")
        check_channels("out_channels", out_channels)
        check_channels("hidden_channels", hidden_channels)
        check_channels("edge_channels", edge_channels)
        ends = in_channels if isinstance(in_channels, tuple) else (in_channels, in_channels)
        if both_directions and (out_channels % 2 or ends[0] != ends[1]):
            raise InputError(
                "both_directions needs one in_channels and an even out_channels, half of it for each direction; got "
                f"{in_channels} and {out_channels}"
            )
        self.aggregation: Literal["sum", "mean"] = aggregation
        self.both_directions, self.out_channels, self.bias = both_directions, out_channels, None
        share = out_channels // 2 if both_directions else out_channels
        self.network = EdgeMLP(*ends, edge_channels, [hidden_channels, share], activation=activation)
        self.network_out = None
        if both_directions:
            self.network_out = EdgeMLP(*ends, edge_channels, [hidden_channels, share], activation=activation)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "PairMessage")
        if edge is None:
            raise InputError("PairMessage needs edge features; InteractionConv does without them")
        return self.on(adjacency, edges_of(edge, adj, adjacency, ndim=2))(x_src, x_dst)

    def on(self, adjacency: Adjacency, edge: Float[Tensor, "e k"]) -> Heard:
        """What nodes hear, as a function of their states: all that hangs on edges alone is done once, for all steps."""
        incoming = self._one_way(self.network, adjacency, edge)
        if self.network_out is None:
            return incoming
        outgoing = self._one_way(self.network_out, *turned_round(adjacency, edge))
        return lambda x_src, x_dst: torch.cat([incoming(x_src, x_dst), outgoing(x_src, x_dst)], 1)

    def _one_way(self, network: EdgeMLP, adjacency: Adjacency, edge: Tensor) -> Heard:
        pattern, hidden = adjacency.pattern, network.on(adjacency.pattern, edge)
        # Behind a sum the last map's bias counts as often as there are edges, behind a mean where there are any.
        times = pattern.indptr.diff().unsqueeze(1).to(edge.dtype)
        times = times if self.aggregation == "sum" else times.clamp(max=1)

        def hear(x_src: Tensor, x_dst: Tensor) -> Tensor:
            total = segment_reduce(pattern, hidden(x_src, x_dst), reduce=self.aggregation)
            return _last_map(network, total, times)

        return hear


def _last_map(network: EdgeMLP, total: Float[Tensor, "n k"], times: Float[Tensor, "n 1"]) -> Float[Tensor, "n d"]:
    """The map behind a network's one hidden layer, of sums of that layer over so many edges."""
    assert network.rest is not None
    last = cast(Linear, network.rest.layers[0])
    assert last.bias is not None
    return linear(total, last.weight) + times * last.bias
