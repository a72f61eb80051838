"""What layers of learnt attention share: heads, loops at every node, and the edge features that are taken."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, edges_of, ends_of
from grapevine.nn.linear import Features, Linear, check_channels
from grapevine.ops.segment import segment_reduce


class Entered(NamedTuple):
    """The input of a layer, checked: states of both ends, and the edges with the loops that were asked for."""

    x_src: Features
    x_dst: Features
    adjacency: Adjacency
    edge: Float[Tensor, "e d"] | None


class AttentionConv(Conv):
    """A layer with heads; see `GATConv` for its arguments."""

    lin_edge: Linear | None

    def __init__(
        self,
        out_channels: int,
        *,
        heads: int,
        concat: bool,
        negative_slope: float,
        dropout: float,
        add_self_loops: bool,
    ):
        super().__init__()
        check_channels("heads", heads)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.out_channels, self.heads, self.concat = out_channels, heads, concat
        self.negative_slope, self.dropout, self.add_self_loops = negative_slope, dropout, add_self_loops

    def new_bias(self, bias: bool) -> nn.Parameter | None:
        """Zeros as wide as the output, if asked for."""
        width = self.heads * self.out_channels if self.concat else self.out_channels
        return nn.Parameter(torch.zeros(width)) if bias else None

    def enter(self, x: Ends, adj: Edges, edge: Tensor | None) -> Entered:
        """Check what the layer is given, and put one loop at each node if so asked."""
        x_src, x_dst, adjacency = ends_of(x, adj)
        if edge is not None:
            name = type(self).__name__
            check(self.lin_edge is not None, f"this {name} was made without edge_channels and takes no edge features")
            edge = edges_of(edge, adj, adjacency, ndim=2)
        if self.add_self_loops and not isinstance(x, tuple):
            adjacency, edge = _with_mean_loops(adjacency, edge)
        return Entered(x_src, x_dst, adjacency, edge)

    def split_heads(self, x: Float[Tensor, "n hc"]) -> Float[Tensor, "n h c"]:
        return x.unflatten(1, (self.heads, self.out_channels))

    def join_heads(self, out: Float[Tensor, "n h c"]) -> Float[Tensor, "n d"]:
        """The heads side by side, or their mean."""
        return out.flatten(1) if self.concat else out.mean(1)

    def extra_repr(self) -> str:
        return f"heads={self.heads}, concat={self.concat}, dropout={self.dropout}"


def head_vector(heads: int, channels: int) -> nn.Parameter:
    """[h, c] a scoring vector a head, by Glorot's rule."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(heads, channels)))


def _with_mean_loops(adjacency: Adjacency, edge: Float[Tensor, "e d"] | None) -> tuple[Adjacency, Tensor | None]:
    """Exactly one self-loop a node, its features the mean of what comes in from others (0 where nothing does)."""
    bare = adjacency.without_self_loops()
    looped = bare.with_self_loops()
    if edge is None:
        return looped, None
    edge = edge[bare.edge_id]
    loops = segment_reduce(bare.pattern, edge, reduce="mean")
    return looped, torch.cat([edge, loops])[looped.edge_id]
