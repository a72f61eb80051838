"""GIN with edge features (Hu et al. 2020).

h_i' = network((1 + eps) h_i + sum over j of ReLU(h_j + W_e e_ij))
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gin import check_equal_widths, set_eps
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce


class GINEConv(Conv):
    """GIN with edge features (Hu et al. 2020). Its edge input is [e, edge_channels] features, and it needs them.

    Args:
        network: maps the sum, [n, in] to [n, out].
        in_channels: width of the states. Only read where edge_channels is given.
        edge_channels: width of the edge features; without it they must be as wide as the states.
        eps: what is added to 1 for your own state.
        train_eps: learn eps, or keep it.

    >>> layer = GINEConv(nn.Identity())
    >>> x, edge = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5]])
    >>> layer(x, torch.tensor([[1], [0]]), edge).tolist()
    [[3.5], [2.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="GINE",
        message="ReLU(h_j + W_e e_ij)",
        aggregation="sum",
        update="MLP((1 + eps) h_i + m_i)",
        edges="features",
        readout="mean",
        cost="n c^2 + e c",
        power="1-WL",
        year=2020,
        paper="Hu et al., Strategies for pre-training graph neural networks",
    )

    eps: Tensor

    def __init__(
        self,
        network: nn.Module,
        *,
        in_channels: int | None = None,
        edge_channels: int | None = None,
        eps: float = 0.0,
        train_eps: bool = False,
    ):
        super().__init__()
        both = (in_channels is None) == (edge_channels is None)
        check(
            both,
            "a map of the edge features needs both in_channels, its output, and edge_channels, its input",
        )
        self.network, self.bias, self.lin_edge = network, None, None
        if in_channels is not None and edge_channels is not None:
            self.lin_edge = Linear(edge_channels, in_channels)
        set_eps(self, eps, train_eps)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "GINEConv")
        if edge is None:
            raise InputError("GINEConv needs edge features; GINConv is the layer without them")
        check_equal_widths(x_src, x_dst)
        edge = edges_of(edge, adj, adjacency, ndim=2)
        features = edge if self.lin_edge is None else self.lin_edge(edge)
        check(
            features.shape[1] == x_src.shape[1],
            f"edge features are {features.shape[1]} wide, states {x_src.shape[1]}: give in_channels and edge_channels",
        )
        message = (gather(adjacency.pattern, x_src, side="cols") + features).relu()
        total = segment_reduce(adjacency.pattern, message, reduce="sum")
        return self.network(torch.addcmul(total, x_dst, 1 + self.eps))
