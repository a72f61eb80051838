"""GraphSAGE: your own state and your neighbours' together, each through its own map (Hamilton et al. 2017).

h_i' = W_root h_i + W aggregate over N(i) of h_j + b        aggregate: mean, max, sum, max-pool or LSTM
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.aggregation import LSTM
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gcn import propagate
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, ends_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, linear
from grapevine.ops.gather import gather
from grapevine.ops.sparse import SparseMatrix
from grapevine.ops.spmm import spmm

SageAggregation = Literal["mean", "sum", "max", "pool", "lstm"]


class SAGEConv(Conv):
    """GraphSAGE (Hamilton et al. 2017). It has no edge input.

    Args:
        in_channels: input width, or the pair of the sources' and the targets'; -1 takes it from the first input.
        out_channels: output width.
        aggregation: "mean", "sum" or "max" of the neighbours; "pool" the maximum after a linear map and ReLU;
            "lstm" the last state of an LSTM over a random order of the neighbours (needs a known input width).
        root_weight: add your own state; without it only the neighbours speak.
        normalize: scale every output to length 1, as in the paper.
        bias: add a bias.

    >>> layer = SAGEConv(2, 2, bias=False)  # its two weights together are the 4 x 2 weight of the concatenated form
    >>> layer.lin_root.weight.data = torch.tensor([[0.5, -0.2], [0.3, 0.8]])
    >>> layer.lin.weight.data = torch.tensor([[0.7, 0.1], [-0.1, 0.6]])
    >>> x = torch.tensor([[1.0, 2.0], [0.5, 1.0], [1.5, 0.5], [0.0, 2.0]])
    >>> [round(number, 3) for number in layer(x, torch.tensor([[1, 2, 3], [0, 0, 0]]))[0].tolist()]
    [0.683, 2.533]
    """

    equation: ClassVar[Equation] = Equation(
        name="GraphSAGE",
        message="h_j",
        aggregation="mean, max of an MLP, or LSTM; here sum and max too",
        update="W_root h_i + W m_i + b",
        edges="none",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2017,
        paper="Hamilton et al., Inductive representation learning on large graphs",
    )

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        *,
        aggregation: SageAggregation = "mean",
        root_weight: bool = True,
        normalize: bool = False,
        bias: bool = True,
    ):
        super().__init__()
        known = ("mean", "sum", "max", "pool", "lstm")
        check(aggregation in known, f"aggregation must be one of {', '.join(known)}, got {aggregation!r}")
        src_channels, dst_channels = in_channels if isinstance(in_channels, tuple) else (in_channels, in_channels)
        self.aggregation, self.normalize, self.out_channels = aggregation, normalize, out_channels
        self.lin = Linear(src_channels, out_channels, bias=False)
        self.lin_root = Linear(dst_channels, out_channels, bias=False) if root_weight else None
        self.lin_pool = self.lstm = None
        if aggregation == "pool":
            self.lin_pool = Linear(src_channels, src_channels if src_channels > 0 else out_channels)
        if aggregation == "lstm":
            check(src_channels > 0, "the LSTM needs to know its input width: give in_channels")
            self.lstm = LSTM(src_channels, src_channels)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(
            edge is None,
            "SAGEConv has no edge input; GATConv and GINEConv take edge features, GCNConv weights",
        )
        if self.aggregation in ("mean", "sum"):
            x_src, x_dst, adjacency = ends_of(x, adj)
            self.lin.fit_width(x_src)
            out = propagate(x_src, adjacency, self.lin.weight, reduce=self.aggregation)
        else:
            x_src, x_dst, adjacency = dense_ends_of(x, adj, f"SAGEConv with aggregation {self.aggregation}")
            out = self.lin(self._neighbourhood(x_src, adjacency))
        return out if self.lin_root is None else add_linear(out, x_dst, self.lin_root)

    def _neighbourhood(self, x: Tensor, adjacency) -> Tensor:
        if self.lstm is not None:
            return self.lstm(adjacency.pattern, gather(adjacency.pattern, x, side="cols"))
        if self.lin_pool is not None:
            x = self.lin_pool(x).relu()
        return spmm(adjacency.pattern, x, reduce="max")


def add_linear(out: Tensor, x: Features, layer: Linear) -> Tensor:
    """layer(x) added to `out`, which is made use of: no pass of its own for the sum, and no room."""
    weight = layer.fitted(x)
    return out.add_(linear(x, weight)) if isinstance(x, SparseMatrix) else out.addmm_(x, weight.T)
