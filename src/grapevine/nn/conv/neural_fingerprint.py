"""Neural graph fingerprints: circular fingerprints made smooth, with a map for each degree (Duvenaud et al. 2015).

h_i' = H_d [h_i + sum over j of h_j, sum over j of e_ij] + b,   d the number of edges into i; then a sigmoid
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.graph.adjacency import kept
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gin import check_equal_widths
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import check_channels, check_fits
from grapevine.ops.segment import segment_reduce
from grapevine.ops.spmm import spmm


class NeuralFingerprintConv(Conv):
    """A layer of neural graph fingerprints (Duvenaud et al. 2015). Its edge input is [e, edge_channels] features.

    `FingerprintReadout` reads the states of all layers out, the input's too.

    Args:
        in_channels: width of the states.
        out_channels: width of the new ones.
        max_degree: there is a map for each number of edges from 0 to this one. The 5 of the paper is enough for
            organic molecules without hydrogens; sulfur hexafluoride needs 6. A node of more edges is an error.
        edge_channels: width of the edge features, if there are any.
        bias: add a bias, the same for every degree.

    >>> layer = NeuralFingerprintConv(3, 4, edge_channels=2)
    >>> layer(torch.ones(2, 3), torch.tensor([[0, 1], [1, 0]]), torch.ones(2, 2)).shape
    torch.Size([2, 4])
    """

    equation: ClassVar[Equation] = Equation(
        name="Neural fingerprint",
        message="[h_j, e_ij]",
        aggregation="sum",
        update="sigmoid(W_d ([h_i, 0] + m_i) + b), d the degree of i",
        edges="features",
        readout="sum over nodes and layers of softmax(W h_i + b)",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2015,
        paper="Duvenaud et al., Convolutional networks on graphs for learning molecular fingerprints",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        max_degree: int = 5,
        edge_channels: int | None = None,
        bias: bool = True,
    ):
        super().__init__()
        widths = {"in_channels": in_channels, "out_channels": out_channels, "max_degree": max_degree}
        for name, number in widths.items():
            check_channels(name, number)
        if edge_channels is not None:
            check_channels("edge_channels", edge_channels)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.max_degree, self.edge_channels = max_degree, edge_channels
        maps = [torch.empty(out_channels, in_channels + (edge_channels or 0)) for _ in range(max_degree + 1)]
        self.weight = nn.Parameter(torch.stack([nn.init.xavier_uniform_(one) for one in maps]))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "NeuralFingerprintConv")
        check_equal_widths(x_src, x_dst)
        check_fits(x_dst, self.weight[0, :, : self.in_channels])
        if x_src is x_dst:
            total = spmm(adjacency.pattern, x_src, own_scale=x_src.new_ones(()))
        else:
            total = spmm(adjacency.pattern, x_src) + x_dst
        if self.edge_channels is not None:
            total = torch.cat([total, self._edge_sums(adj, adjacency, edge)], dim=1)
        else:
            check(edge is None, "this NeuralFingerprintConv was made without edge_channels and takes no edge features")
        return _map_by_degree(total, self.weight, adjacency)

    def _edge_sums(self, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> Tensor:
        if edge is None:
            raise InputError("this NeuralFingerprintConv was made with edge_channels and needs edge features")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        if edge.shape[1] != self.edge_channels:
            raise InputError(f"edge must have {self.edge_channels} columns, got shape {tuple(edge.shape)}")
        return segment_reduce(adjacency.pattern, edge, reduce="sum")

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, max_degree={self.max_degree}"


def _map_by_degree(x: Tensor, weight: Tensor, adjacency: Adjacency) -> Tensor:
    """Each row by the map of its node's degree: the rows of one degree stand together, and are one product."""
    max_degree = len(weight) - 1
    order, place, counts = _by_degree(adjacency)
    if len(counts) > max_degree + 1:
        node = int(order[-1])
        raise InputError(
            f"node {node} has {len(counts) - 1} edges, more than max_degree={max_degree}: "
            f"make the layer with max_degree={len(counts) - 1}"
        )
    parts = x.index_select(0, order).split(counts)
    mapped = [part @ one.T for part, one in zip(parts, weight.unbind(), strict=False)]  # none has the last degrees
    return torch.cat(mapped).index_select(0, place)


@kept
def _by_degree(adjacency: Adjacency) -> tuple[Tensor, Tensor, list[int]]:
    """The nodes sorted by degree, where each of them went, and how many there are of each degree from 0 on."""
    degree = adjacency.in_degree
    order = degree.argsort(stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device)
    return order, place, torch.bincount(degree, minlength=1).tolist()
