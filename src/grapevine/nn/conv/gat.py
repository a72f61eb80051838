"""Graph attention: neighbours weighed by a learnt score (Velickovic et al. 2018).

h_i' = sum over j of alpha_ij W h_j,    alpha_i = softmax_j LeakyReLU(a_src . W h_j + a_dst . W h_i + a_edge . W_e e_ij)
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.nn.conv.attention import AttentionConv, head_vector
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, linear
from grapevine.ops.attention import additive_attention


def scores(x: Features, layer: Linear, *vectors: Float[Tensor, "h c"]) -> tuple[Float[Tensor, "n h"], ...]:
    """For each of the vectors a the scores (W x) . a, as x . (W^T a): W x itself, h c wide, is never made for them."""
    heads, channels = vectors[0].shape
    weight = layer.fitted(x).unflatten(0, (heads, channels))
    return linear(x, torch.cat([torch.einsum("hcd,hc->hd", weight, a) for a in vectors])).split(heads, dim=1)


class GATConv(AttentionConv):
    """Graph attention (Velickovic et al. 2018). Its edge input is [e, edge_channels] features.

    Args:
        in_channels: input width, or the pair of the sources' and the targets'; -1 takes it from the first input.
        out_channels: output width of a head.
        heads: number of heads.
        concat: put the heads side by side (heads * out_channels wide), or average them.
        negative_slope: of the LeakyReLU.
        dropout: probability to drop an attention weight in training.
        add_self_loops: hear yourself too: existing loops are replaced by one a node; not in bipartite graphs.
        edge_channels: width of the edge features, if there are any.
        bias: add a bias.

    >>> layer = GATConv(3, 4, heads=2)
    >>> layer(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="GAT",
        message="a_ij W h_j, a_i = softmax over j of LeakyReLU(a . [W h_j, W h_i, W_e e_ij])",
        aggregation="sum, yourself too",
        update="m_i + b, heads side by side",
        edges="features",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2018,
        paper="Velickovic et al., Graph attention networks",
    )

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        *,
        heads: int = 1,
        concat: bool = True,
        negative_slope: float = 0.2,
        dropout: float = 0.0,
        add_self_loops: bool = True,
        edge_channels: int | None = None,
        bias: bool = True,
    ):
        super().__init__(
            out_channels, heads=heads, concat=concat, negative_slope=negative_slope, dropout=dropout,
            add_self_loops=add_self_loops,
        )  # fmt: skip
        is_pair = isinstance(in_channels, tuple)
        self.lin = Linear(in_channels[0] if is_pair else in_channels, heads * out_channels, bias=False)
        self.lin_dst = Linear(in_channels[1], heads * out_channels, bias=False) if is_pair else None
        self.att_src, self.att_dst = head_vector(heads, out_channels), head_vector(heads, out_channels)
        self.lin_edge = self.att_edge = None
        if edge_channels is not None:
            self.lin_edge = Linear(edge_channels, heads * out_channels, bias=False)
            self.att_edge = head_vector(heads, out_channels)
        self.bias = self.new_bias(bias)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency, edge = self.enter(x, adj, edge)
        value = self.split_heads(self.lin(x_src))
        if x_dst is x_src and self.lin_dst is None:
            score_src, score_dst = scores(x_src, self.lin, self.att_src, self.att_dst)
        else:
            (score_src,) = scores(x_src, self.lin, self.att_src)
            (score_dst,) = scores(x_dst, self.lin_dst or self.lin, self.att_dst)
        score_edge = None
        if edge is not None and self.lin_edge is not None and self.att_edge is not None:
            (score_edge,) = scores(edge, self.lin_edge, self.att_edge)
        dropout = self.dropout if self.training else 0.0
        ends, slope = (score_src, score_dst, score_edge), self.negative_slope
        out = additive_attention(adjacency.pattern, value, *ends, negative_slope=slope, dropout=dropout)
        return self.join_heads(out)
