"""Graph isomorphism network: as strong as the 1-WL test, by a sum and a network (Xu et al. 2019).

h_i' = network((1 + eps) h_i + sum over j of h_j)
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of
from grapevine.nn.equation import Equation
from grapevine.ops.spmm import spmm


class GINConv(Conv):
    """Graph isomorphism network (Xu et al. 2019). It has no edge input; `GINEConv` has.

    Args:
        network: maps the sum, [n, in] to [n, out]; an MLP in the paper.
        eps: what is added to 1 for your own state.
        train_eps: learn eps, or keep it.

    >>> layer = GINConv(nn.Identity())
    >>> layer(torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([[1, 2], [0, 0]])).tolist()
    [[7.0], [2.0], [4.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="GIN",
        message="h_j",
        aggregation="sum",
        update="MLP((1 + eps) h_i + m_i)",
        edges="none",
        readout="sum of every layer",
        cost="n c^2 + e c",
        power="1-WL",
        year=2019,
        paper="Xu et al., How powerful are graph neural networks?",
    )

    eps: Tensor

    def __init__(self, network: nn.Module, *, eps: float = 0.0, train_eps: bool = False):
        super().__init__()
        self.network, self.bias = network, None
        set_eps(self, eps, train_eps)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(edge is None, "GINConv has no edge input; GINEConv takes edge features")
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "GINConv")
        check_equal_widths(x_src, x_dst)
        if x_src is x_dst:
            return self.network(spmm(adjacency.pattern, x_src, own_scale=(1 + self.eps).to(x_src.dtype)))
        return self.network(torch.addcmul(spmm(adjacency.pattern, x_src), x_dst, 1 + self.eps))


def check_equal_widths(x_src: Tensor, x_dst: Tensor) -> None:
    """Raise an InputError unless the states of sources and targets, which are added up, are equally wide."""
    widths = x_src.shape[1], x_dst.shape[1]
    check(widths[0] == widths[1], f"x_src and x_dst must be equally wide, got {widths[0]} and {widths[1]} columns")


def set_eps(layer: nn.Module, eps: float, train_eps: bool) -> None:
    """Give a layer its eps, as a parameter or as a constant that is saved with it."""
    value = torch.tensor(float(eps))
    if train_eps:
        layer.eps = nn.Parameter(value)
    else:
        layer.register_buffer("eps", value)
