"""Frequency-adaptive graph convolution: a neighbour's weight may be negative, and then differences count.

h_i' = sum over j of alpha_ij h_j / sqrt(d_i d_j),    alpha_ij = tanh(a_src . h_j + a_dst . h_i + c)

Without the tanh's negative half it could only make neighbours more alike. (Bo et al. 2021)

D. Bo, X. Wang, C. Shi and H. Shen, "Beyond low-frequency information in graph convolutional networks", AAAI 2021.
"""

from typing import ClassVar

from torch import Tensor

from grapevine.errors import check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear
from grapevine.ops.epilogue import epilogue
from grapevine.ops.sddmm import sddmm
from grapevine.ops.spmm import spmm


class FAConv(Conv):
    """Frequency-adaptive graph convolution (Bo et al. 2021). It has no edge input, and keeps the width.

    In the paper's network, `FAGCN`, eps times the first states are added to what it gives. An edge holds one number,
    and never a state.

    Args:
        channels: width of the states.
        dropout: probability to drop an edge's weight in training.
        add_self_loops: hear yourself too, where no loop is there yet; not in the paper, and not in bipartite graphs.

    >>> import torch
    >>> layer = FAConv(3)
    >>> layer(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 3])
    """

    equation: ClassVar[Equation] = Equation(
        name="FAGCN",
        message="a_ij h_j / sqrt(d_i d_j), a_ij = tanh(a . [h_i, h_j]) between -1 and 1",
        aggregation="sum",
        update="m_i + eps h0_i, h0 = ReLU(W x_i + b)",
        edges="none",
        readout="",
        cost="n c + e c",
        power="below 1-WL",
        year=2021,
        paper="Bo et al., Beyond low-frequency information in graph convolutional networks",
    )

    def __init__(self, channels: int, *, dropout: float = 0.0, add_self_loops: bool = False):
        super().__init__()
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.channels, self.dropout, self.add_self_loops, self.bias = channels, dropout, add_self_loops, None
        self.att_src, self.att_dst = Linear(channels, 1, bias=False), Linear(channels, 1)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(edge is None, "FAConv has no edge input; GATConv takes edge features, GCNConv weights")
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "FAConv")
        if self.add_self_loops and not isinstance(x, tuple):
            adjacency = adjacency.with_self_loops()
        src_scale, dst_scale = adjacency.gcn_scale(x_src.dtype)
        if isinstance(x, tuple):
            _, src_scale = adjacency.reverse().gcn_scale(x_src.dtype)
        score = sddmm(adjacency.pattern, self.att_dst(x_dst), self.att_src(x_src), op="add")
        alpha = epilogue(score, activation="tanh", dropout=self.dropout if self.training else 0.0)
        return spmm(adjacency.pattern, x_src, alpha, row_scale=dst_scale, col_scale=src_scale)

    def extra_repr(self) -> str:
        return f"{self.channels}, dropout={self.dropout}, add_self_loops={self.add_self_loops}"
