"""Directed graph network: who leads to you and whom you lead to are two neighbourhoods (Rossi et al. 2023).

h_i' = (1 - alpha) conv_in(h, edges)_i + alpha conv_out(h, edges turned round)_i + W h_i + b

E. Rossi, B. Charpentier, F. Di Giovanni, F. Frasca, S. Günnemann and M. Bronstein, "Edge directionality improves
learning on heterophilic graphs", Learning on Graphs Conference 2023.
"""

from typing import ClassVar

from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, in_order
from grapevine.nn.conv.matrix import one_set_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, linear


class DirGNNConv(Conv):
    """Directed graph network around any convolution (Rossi et al. 2023). Its edge input is theirs.

    The two hear sources and targets as two sets of nodes, without loops, each end with its own degree: around
    `GCNConv` that is D_in^-1/2 A D_out^-1/2 one way and its transpose the other, the paper's Dir-GCN; around
    `SAGEConv(root_weight=False)` with `root` its Dir-SAGE, around `GATConv` its Dir-GAT. Where every edge has its
    other direction, both hear the same.

    Args:
        conv_in: hears along the edges.
        conv_out: hears against them, with the same widths.
        alpha: the share of `conv_out`; 0.5 in the paper where it is not tuned.
        root: a map of a node's own state that is added, such as `Linear(in_channels, out_channels)`; None: none.

    >>> import torch
    >>> from grapevine.nn import SAGEConv
    >>> along, against = (SAGEConv(3, 4, root_weight=False) for _ in range(2))
    >>> layer = DirGNNConv(along, against, root=Linear(3, 4))
    >>> layer(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 4])
    """

    equation: ClassVar[Equation] = Equation(
        name="Directed graph network (Dir-GNN)",
        message="that of any convolution along the edges, and of another one against them",
        aggregation="theirs, of edges in and of edges out apart",
        update="W h_i + (1 - a) m_i + a m'_i",
        edges="features",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2023,
        paper="Rossi et al., Edge directionality improves learning on heterophilic graphs",
    )

    def __init__(self, conv_in: Conv, conv_out: Conv, *, alpha: float = 0.5, root: Linear | None = None):
        super().__init__()
        for name, conv in (("conv_in", conv_in), ("conv_out", conv_out)):
            if not isinstance(conv, Conv):
                raise InputError(f"{name} must be a convolution, got {type(conv).__name__}")
        check(0 <= alpha <= 1, f"alpha is a share, 0 to 1, got {alpha!r}")
        self.conv_in, self.conv_out, self.alpha, self.root, self.bias = conv_in, conv_out, alpha, root, None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        states, adjacency = one_set_of(x, adj, "DirGNNConv")
        against = None
        if edge is not None:
            edge = in_order("edge", edge, adj, adjacency)
            order = adjacency.pattern.transposed.entry
            against = edge if order is None else edge[order.long()]
        ends = states, states  # as a pair: two sets of nodes, so that no loops are added and each has its own degrees
        out = (1 - self.alpha) * self.conv_in(ends, adjacency, edge)
        out = out + self.alpha * self.conv_out(ends, adjacency.reverse(), against)
        if self.root is None:
            return out
        return out + linear(states, self.root.fitted(states), self.root.bias)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}"
