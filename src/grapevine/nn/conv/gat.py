"""Graph attention: neighbours weighed by a learnt score (Velickovic et al. 2018).

h_i' = sum over j of alpha_ij W h_j,    alpha_i = softmax_j LeakyReLU(a_src . W h_j + a_dst . W h_i + a_edge . W_e e_ij)
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, edges_of, ends_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, linear
from grapevine.ops.attention import additive_attention
from grapevine.ops.segment import segment_reduce


def with_mean_loops(adjacency: Adjacency, edge: Float[Tensor, "e d"] | None) -> tuple[Adjacency, Tensor | None]:
    """Exactly one self-loop a node, its features the mean of what comes in from others (0 where nothing does)."""
    bare = adjacency.without_self_loops()
    looped = bare.with_self_loops()
    if edge is None:
        return looped, None
    edge = edge[bare.edge_id]
    loops = segment_reduce(bare.pattern, edge, reduce="mean")
    return looped, torch.cat([edge, loops])[looped.edge_id]


def head_vector(heads: int, channels: int) -> nn.Parameter:
    """[h, c] a scoring vector a head, by Glorot's rule."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels)))


def scores(x: Features, layer: Linear, *vectors: Float[Tensor, "h c"]) -> tuple[Float[Tensor, "n h"], ...]:
    """For each of the vectors a the scores (W x) . a, as x . (W^T a): W x itself, h c wide, is never made for them."""
    heads, channels = vectors[0].shape
    weight = layer.fitted(x).unflatten(0, (heads, channels))
    return linear(x, torch.cat([torch.einsum("hcd,hc->hd", weight, a) for a in vectors])).split(heads, dim=1)


def join_heads(out: Float[Tensor, "n h c"], concat: bool) -> Float[Tensor, "n d"]:
    """The heads side by side, or their mean."""
    return out.flatten(1) if concat else out.mean(1)


class GATConv(Conv):
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
        super().__init__()
        check_channels("heads", heads)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.out_channels, self.heads, self.concat = out_channels, heads, concat
        self.negative_slope, self.dropout, self.add_self_loops = negative_slope, dropout, add_self_loops
        is_pair = isinstance(in_channels, tuple)
        self.lin = Linear(in_channels[0] if is_pair else in_channels, heads * out_channels, bias=False)
        self.lin_dst = Linear(in_channels[1], heads * out_channels, bias=False) if is_pair else None
        self.att_src, self.att_dst = head_vector(heads, out_channels), head_vector(heads, out_channels)
        self.lin_edge = self.att_edge = None
        if edge_channels is not None:
            self.lin_edge = Linear(edge_channels, heads * out_channels, bias=False)
            self.att_edge = head_vector(heads, out_channels)
        width = heads * out_channels if concat else out_channels
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = ends_of(x, adj)
        if edge is not None:
            check(
                self.lin_edge is not None,
                "this GATConv was made without edge_channels and takes no edge features",
            )
            edge = edges_of(edge, adj, adjacency, ndim=2)
        if self.add_self_loops and not isinstance(x, tuple):
            adjacency, edge = with_mean_loops(adjacency, edge)
        value = self.lin(x_src).unflatten(1, (self.heads, self.out_channels))
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
        return join_heads(out, self.concat)

    def extra_repr(self) -> str:
        return f"heads={self.heads}, concat={self.concat}, dropout={self.dropout}"
