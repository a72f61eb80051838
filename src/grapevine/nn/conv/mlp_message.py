"""The generic message passing layer: an MLP makes the messages, another the new states (Gilmer et al. 2017).

m_i = sum over j of norm(MLP_m([h_i, h_j, e_ij])),    h_i' = h_i + norm(MLP_u([h_i, m_i]))

With layer norm behind both networks, as in MeshGraphNets (Pfaff et al. 2021), whose edges have states of their own too.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.aggregation import Aggregation, Sum
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gin import check_equal_widths
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear
from grapevine.nn.mlp import MLP
from grapevine.nn.norm import LayerNorm
from grapevine.ops.epilogue import epilogue
from grapevine.ops.pattern import Pattern
from grapevine.ops.sddmm import sddmm
from grapevine.typing import ActivationName


class EndsLinear(nn.Module):
    """W [h_i, h_j, e_ij] + b on every edge, as (W_1 h)_i + (W_2 h)_j + W_3 e_ij: the three never stand side by side.

    Args:
        channels: the widths of a target's state, a source's state and an edge's features (0 for none).
        out_channels: output width.

    >>> layer = EndsLinear((1, 1, 0), 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[10.0, 1.0]]))
    >>> pattern = Pattern(torch.tensor([0, 1, 1]), torch.tensor([1]), num_cols=2)
    >>> x = torch.tensor([[1.0], [2.0]])
    >>> layer(pattern, x, x).tolist()
    [[12.0]]
    """

    def __init__(self, channels: tuple[int, int, int], out_channels: int):
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(out_channels, sum(channels))))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(
        self,
        pattern: Pattern,
        x_dst: Float[Tensor, "n c"],
        x_src: Float[Tensor, "m c2"],
        edge: Float[Tensor, "e d"] | None = None,
    ) -> Float[Tensor, "e out"]:
        of_dst, of_src, of_edge = self.weight.split(self.channels, dim=1)
        out = sddmm(pattern, linear(x_dst, of_dst, self.bias), linear(x_src, of_src), op="add")
        return out if edge is None else out + linear(edge, of_edge)

    def extra_repr(self) -> str:
        return f"{self.channels}, {self.weight.shape[0]}"


class MLPMessageConv(Conv):
    """The generic message passing layer: two MLPs (Gilmer et al. 2017), layer norms and a residual (Pfaff et al. 2021).

    Its edge input is [e, edge_channels] features.

    Args:
        in_channels: width of the states.
        out_channels: output width.
        hidden_channels: width inside both networks and of a message; None: `out_channels`.
        edge_channels: width of the edge features, if there are any.
        num_linear: linear maps in each network, at least 2.
        aggregation: how messages come together, to their own width; the sum by default.
        activation: between the linear maps.
        layer_norm: normalise the messages and the update.
        residual: add the input, if it is as wide as the output.

    >>> layer = MLPMessageConv(3, 3, edge_channels=2)
    >>> layer(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 2)).shape
    torch.Size([4, 3])
    """

    equation: ClassVar[Equation] = Equation(
        name="MLP messages",
        message="LayerNorm(MLP([h_i, h_j, e_ij]))",
        aggregation="sum",
        update="h_i + LayerNorm(MLP([h_i, m_i]))",
        edges="features",
        readout="",
        cost="n c^2 + e c^2",
        power="1-WL",
        year=2021,
        paper="Pfaff et al., Learning mesh-based simulation with graph networks",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int | None = None,
        edge_channels: int | None = None,
        num_linear: int = 2,
        aggregation: Aggregation | None = None,
        activation: ActivationName = "relu",
        layer_norm: bool = True,
        residual: bool = True,
    ):
        super().__init__()
        hidden = out_channels if hidden_channels is None else hidden_channels
        given = {"in_channels": in_channels, "out_channels": out_channels, "hidden_channels": hidden}
        if edge_channels is not None:
            given["edge_channels"] = edge_channels
        for name, width in given.items():
            check_channels(name, width)
        check(num_linear >= 2, f"each MLP needs at least 2 linear maps, got num_linear={num_linear}")
        self.in_channels, self.out_channels, self.edge_channels = in_channels, out_channels, edge_channels
        self.residual, self.bias = residual and in_channels == out_channels, None
        self.activation: ActivationName = activation
        self.aggregation = aggregation or Sum()
        inner = [hidden] * (num_linear - 1)
        self.lin_ends = EndsLinear((in_channels, in_channels, edge_channels or 0), hidden)
        self.mlp_message = MLP([*inner, hidden], activation=activation)
        self.lin_own, self.lin_heard = Linear(in_channels, hidden), Linear(hidden, hidden, bias=False)
        self.mlp_update = MLP([*inner, out_channels], activation=activation)
        self.norm_message = LayerNorm(hidden) if layer_norm else nn.Identity()
        self.norm_update = LayerNorm(out_channels) if layer_norm else nn.Identity()

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "MLPMessageConv")
        check_equal_widths(x_src, x_dst)
        width = x_src.shape[1]
        check(width == self.in_channels, f"x must have {self.in_channels} columns, got {width}")
        pattern = adjacency.pattern
        first = self.lin_ends(pattern, x_dst, x_src, self._features(edge, adj, adjacency))
        message = self.norm_message(self.mlp_message(epilogue(first, activation=self.activation)))
        heard = self.aggregation(pattern, message)
        inner = epilogue(self.lin_own(x_dst) + self.lin_heard(heard), activation=self.activation)
        out = self.norm_update(self.mlp_update(inner))
        return x_dst + out if self.residual else out

    def _features(self, edge: Tensor | None, adj: Edges, adjacency) -> Tensor | None:
        if edge is None:
            check(self.edge_channels is None, f"this MLPMessageConv needs [e, {self.edge_channels}] edge features")
            return None
        if self.edge_channels is None:
            raise InputError("this MLPMessageConv was made without edge_channels and takes no edge features")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        check(
            edge.shape[1] == self.edge_channels,
            f"edge must have {self.edge_channels} columns, got shape {tuple(edge.shape)}",
        )
        return edge

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, edge_channels={self.edge_channels}, residual={self.residual}"
