"""Separated graph attention: what is heard stays apart from what a node knew itself (Platonov et al. 2023).

h_i' = W_own v_i + W_heard sum over j of alpha_ij v_j + b,    v = V h + c
alpha_i = softmax over j of LeakyReLU(A_src v_j + A_dst v_i + a), a head a row of A

O. Platonov, D. Kuznedelev, M. Diskin, A. Babenko and L. Prokhorenkova, "A critical look at the evaluation of GNNs under
heterophily: are we really making progress?", ICLR 2023. There it stands in a residual block: `ResidualBlock`.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, ends_of
from grapevine.nn.conv.sage import add_linear
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear
from grapevine.ops.attention import additive_attention


class GATSepConv(Conv):
    """Separated graph attention, GAT-sep (Platonov et al. 2023). It has no edge input; `GATConv` has.

    A node does not attend to itself, unless the graph has a loop there: its own state comes in by a map of its own, so
    that neighbours of another class can not wash it out.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        heads: number of heads; they share the channels of v.
        hidden_channels: width of v, a multiple of `heads`; None: `out_channels`.
        negative_slope: of the LeakyReLU.
        dropout: probability to drop an attention weight in training; 0 in the paper.
        bias: add a bias.

    >>> layer = GATSepConv(3, 4, heads=2)
    >>> layer(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 4])
    """

    equation: ClassVar[Equation] = Equation(
        name="Separated GAT (GAT-sep)",
        message="a_ij v_j, v = V h + c, a_i = softmax over j of LeakyReLU(a . [v_j, v_i])",
        aggregation="sum, not yourself",
        update="W v_i + W' m_i + b, in a residual block",
        edges="none",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2023,
        paper="Platonov et al., A critical look at the evaluation of GNNs under heterophily: are we really making "
        "progress?",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        heads: int = 1,
        hidden_channels: int | None = None,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        bias: bool = True,
    ):
        super().__init__()
        hidden = out_channels if hidden_channels is None else hidden_channels
        for name, number in (("heads", heads), ("hidden_channels", hidden)):
            check_channels(name, number)
        check(hidden % heads == 0, f"{heads} heads share the {hidden} hidden channels: choose a multiple of {heads}")
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.out_channels, self.heads = out_channels, heads
        self.negative_slope, self.dropout = negative_slope, dropout
        self.lin = Linear(in_channels, hidden)
        self.att_src, self.att_dst = Linear(hidden, heads), Linear(hidden, heads, bias=False)
        self.lin_heard = Linear(hidden, out_channels, bias=False)
        self.lin_own = Linear(hidden, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(edge is None, "GATSepConv has no edge input; GATConv takes edge features")
        x_src, x_dst, adjacency = ends_of(x, adj)
        value = self.lin(x_src)
        own = value if x_dst is x_src else self.lin(x_dst)
        heard = additive_attention(
            adjacency.pattern, value.unflatten(1, (self.heads, -1)), self.att_src(value), self.att_dst(own),
            negative_slope=self.negative_slope, dropout=self.dropout if self.training else 0.0,
        ).flatten(1)  # fmt: skip
        return add_linear(linear(heard, self.lin_heard.weight), own, self.lin_own)

    def extra_repr(self) -> str:
        return f"heads={self.heads}, dropout={self.dropout}"
