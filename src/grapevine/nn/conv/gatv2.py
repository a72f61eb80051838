"""Graph attention whose ranking of the neighbours may differ from node to node (Brody et al. 2022).

h_i' = sum over j of alpha_ij W_src h_j,    alpha_i = softmax_j  a . LeakyReLU(W_src h_j + W_dst h_i + W_e e_ij)
"""

from typing import ClassVar

from torch import Tensor, nn

from grapevine.nn.conv.attention import AttentionConv, head_vector
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear
from grapevine.ops.attention import gatv2_attention
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.sddmm import sddmm
from grapevine.ops.spmm import spmm


class GATv2Conv(AttentionConv):
    """Graph attention v2 (Brody et al. 2022). Its edge input is [e, edge_channels] features.

    Without edge features the pass is fused and its memory grows with the nodes; with them it holds [e, heads *
    out_channels] numbers, since each edge's own map of its features goes through the LeakyReLU.

    Args:
        in_channels: input width, or the pair of the sources' and the targets'; -1 takes it from the first input.
        out_channels: output width of a head.
        heads: number of heads.
        concat: put the heads side by side (heads * out_channels wide), or average them.
        negative_slope: of the LeakyReLU.
        dropout: probability to drop an attention weight in training.
        add_self_loops: hear yourself too: existing loops are replaced by one a node; not in bipartite graphs.
        edge_channels: width of the edge features, if there are any.
        share_weights: one map for both ends.
        bias: add biases, to the two maps too.

    >>> import torch
    >>> layer = GATv2Conv(3, 4, heads=2, concat=False)
    >>> layer(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 4])
    """

    equation: ClassVar[Equation] = Equation(
        name="GATv2",
        message="a_ij W h_j, a_i = softmax over j of a . LeakyReLU(W h_j + W' h_i + W_e e_ij)",
        aggregation="sum, yourself too",
        update="m_i + b, heads side by side",
        edges="features",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2022,
        paper="Brody et al., How attentive are graph attention networks?",
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
        share_weights: bool = False,
        bias: bool = True,
    ):
        super().__init__(
            out_channels, heads=heads, concat=concat, negative_slope=negative_slope, dropout=dropout,
            add_self_loops=add_self_loops,
        )  # fmt: skip
        src_channels, dst_channels = in_channels if isinstance(in_channels, tuple) else (in_channels, in_channels)
        self.lin_src = Linear(src_channels, heads * out_channels, bias=bias)
        self.lin_dst = self.lin_src if share_weights else Linear(dst_channels, heads * out_channels, bias=bias)
        self.att = head_vector(heads, out_channels)
        self.lin_edge = None if edge_channels is None else Linear(edge_channels, heads * out_channels, bias=False)
        self.bias = self.new_bias(bias)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency, edge = self.enter(x, adj, edge)
        value, query = self.split_heads(self.lin_src(x_src)), self.split_heads(self.lin_dst(x_dst))
        dropout = self.dropout if self.training else 0.0
        if edge is None or self.lin_edge is None:
            out = gatv2_attention(
                adjacency.pattern, value, query, self.att, negative_slope=self.negative_slope, dropout=dropout
            )
        else:
            mixed = sddmm(adjacency.pattern, query, value, op="add") + self.split_heads(self.lin_edge(edge))
            score = (nn.functional.leaky_relu(mixed, self.negative_slope) * self.att).sum(2)
            alpha = nn.functional.dropout(edge_softmax(adjacency.pattern, score), dropout)
            out = spmm(adjacency.pattern, value, alpha)
        return self.join_heads(out)
