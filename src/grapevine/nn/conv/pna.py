"""Principal neighbourhood aggregation: several aggregations, each scaled by the degree (Corso et al. 2020).

m_ij = MLP_pre([h_i, h_j, e_ij]),    a_i = [mean, max, min, std] over j of m_ij
h_i' = W MLP_post([h_i, a_i, a_i log(d_i + 1) / delta, a_i delta / log(d_i + 1)]) + b,    delta = average log(d + 1)

With T towers there are T such networks side by side, and W joins them.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.nn.aggregation import Aggregation, Max, Mean, Min
from grapevine.nn.aggregation.std import Std
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gin import check_equal_widths
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear
from grapevine.ops.sddmm import sddmm

PnaAggregation = Literal["mean", "max", "min", "std"]
PnaScaler = Literal["identity", "amplification", "attenuation"]

_AGGREGATIONS: dict[str, type[Aggregation]] = {"mean": Mean, "max": Max, "min": Min, "std": Std}
_SCALERS = ("identity", "amplification", "attenuation")


def average_log_degree(graphs: Iterable[Graph | Adjacency]) -> float:
    """The mean of log(d + 1) over all nodes of the graphs, d their in-degrees: delta, made of the training graphs.

    >>> round(average_log_degree([Graph([[0, 1], [1, 0]])]), 4)
    0.6931
    """
    total, count = 0.0, 0
    for graph in graphs:
        adjacency = graph.adj if isinstance(graph, Graph) else graph
        total += adjacency.in_degree.double().log1p().sum().item()
        count += adjacency.num_dst
    check(count > 0 and total > 0, "an average of degrees needs graphs with nodes and edges")
    return total / count


class PNAConv(Conv):
    """Principal neighbourhood aggregation (Corso et al. 2020). Its edge input is [e, edge_channels] features.

    Args:
        in_channels: width of the states.
        out_channels: output width, a multiple of `towers`.
        avg_log_degree: delta: the mean of log(d + 1) over the nodes of the training graphs, see `average_log_degree`.
        aggregations: of "mean", "max", "min", "std".
        scalers: of "identity", "amplification", "attenuation".
        edge_channels: width of the edge features, if there are any.
        towers: networks side by side.
        divide_input: give each tower its share of the input channels, a multiple of `towers`, not all of them.
        pre_layers, post_layers: linear maps in each network, with ReLU between them.
        bias: add a bias at the end.

    >>> layer = PNAConv(4, 6, avg_log_degree=1.1, towers=2)
    >>> layer(torch.ones(3, 4), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([3, 6])
    """

    equation: ClassVar[Equation] = Equation(
        name="PNA",
        message="MLP([h_i, h_j, e_ij])",
        aggregation="[mean, max, min, std] times each of 1, log(d_i + 1) / delta, delta / log(d_i + 1)",
        update="W MLP([h_i, m_i]) + b",
        edges="features",
        readout="sum, mean or Set2Set",
        cost="n c^2 + e c; n c^2 + e c^2 for messages of a deeper MLP",
        power="1-WL",
        year=2020,
        paper="Corso et al., Principal neighbourhood aggregation for graph nets",
    )

    avg_log_degree: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        avg_log_degree: float,
        aggregations: Sequence[PnaAggregation] = ("mean", "max", "min", "std"),
        scalers: Sequence[PnaScaler] = _SCALERS,
        edge_channels: int | None = None,
        towers: int = 1,
        divide_input: bool = False,
        pre_layers: int = 1,
        post_layers: int = 1,
        bias: bool = True,
    ):
        super().__init__()
        given = {"in_channels": in_channels, "out_channels": out_channels, "towers": towers}
        given |= {"pre_layers": pre_layers, "post_layers": post_layers}
        for name, count in (given if edge_channels is None else given | {"edge_channels": edge_channels}).items():
            check_channels(name, count)
        divided = {"out_channels": out_channels} | ({"in_channels": in_channels} if divide_input else {})
        for name, width in divided.items():
            check(width % towers == 0, f"{name} must be a multiple of the {towers} towers, got {width}")
        check(avg_log_degree > 0, f"avg_log_degree must be positive, got {avg_log_degree}; see average_log_degree")
        _check_names("aggregations", aggregations, tuple(_AGGREGATIONS))
        _check_names("scalers", scalers, _SCALERS)
        self.in_channels, self.out_channels, self.edge_channels = in_channels, out_channels, edge_channels
        self.towers, self.divide_input, self.scalers = towers, divide_input, tuple(scalers)
        self.register_buffer("avg_log_degree", torch.tensor(float(avg_log_degree)))
        self.aggregations = nn.ModuleList(_AGGREGATIONS[name]() for name in aggregations)

        inner, outer = in_channels // towers if divide_input else in_channels, out_channels // towers
        self.pre_dst = Towers(towers, inner, inner)
        self.pre_src = Towers(towers, inner, inner, bias=False)
        self.pre_edge = None if edge_channels is None else Towers(towers, edge_channels, inner, bias=False)
        self.pre_more = nn.ModuleList(Towers(towers, inner, inner) for _ in range(pre_layers - 1))
        self.post_own = Towers(towers, inner, outer)
        heard = len(aggregations) * inner
        self.post_heard = Towers(towers, heard, len(scalers) * outer, bias=False)
        self.post_more = nn.ModuleList(Towers(towers, outer, outer) for _ in range(post_layers - 1))
        self.lin = Linear(out_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "PNAConv")
        check_equal_widths(x_src, x_dst)
        width = x_src.shape[1]
        check(width == self.in_channels, f"x must have {self.in_channels} columns, got {width}")
        src = self._shared(x_src)
        dst = src if x_dst is x_src else self._shared(x_dst)
        message = self._message(src, dst, adjacency, self._features(edge, adj, adjacency))
        heard = torch.cat([aggregation(adjacency.pattern, message) for aggregation in self.aggregations], dim=-1)
        # W [s_1 a, s_2 a, ..] = s_1 W_1 a + s_2 W_2 a + ..: the scaled copies of a never stand side by side.
        by_scaler = self.post_heard(heard).unflatten(-1, (len(self.scalers), self.out_channels // self.towers))
        out = self.post_own(dst) + (by_scaler * self._scales(adjacency, x_dst.dtype)).sum(-2)
        for layer in self.post_more:
            out = layer(out.relu())
        return linear(out.flatten(1), self.lin.fitted(out.flatten(1)))

    def _message(self, src: Tensor, dst: Tensor, adjacency: Adjacency, edge: Tensor | None) -> Float[Tensor, "e t c"]:
        message = sddmm(adjacency.pattern, self.pre_dst(dst), self.pre_src(src), op="add")
        if edge is not None and self.pre_edge is not None:
            message = message + self.pre_edge(edge)
        for layer in self.pre_more:
            message = layer(message.relu())
        return message

    def _shared(self, x: Tensor) -> Tensor:
        """What each tower is given: [n, towers, share], or x itself for all of them."""
        return x.unflatten(1, (self.towers, -1)) if self.divide_input else x

    def _scales(self, adjacency: Adjacency, dtype: torch.dtype) -> Float[Tensor, "n 1 s 1"]:
        degree, average = adjacency.in_degree.double(), self.avg_log_degree.double()
        scales = {
            "identity": torch.ones_like(degree),
            "amplification": degree.log1p() / average,
            "attenuation": average / degree.clamp(min=1).log1p(),
        }
        return torch.stack([scales[name] for name in self.scalers], dim=1).to(dtype)[:, None, :, None]

    def _features(self, edge: Tensor | None, adj: Edges, adjacency: Adjacency) -> Tensor | None:
        if edge is None:
            check(self.edge_channels is None, f"this PNAConv needs [e, {self.edge_channels}] edge features")
            return None
        if self.edge_channels is None:
            raise InputError("this PNAConv was made without edge_channels and takes no edge features")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        width = self.edge_channels
        check(edge.shape[1] == width, f"edge must have {width} columns, got shape {tuple(edge.shape)}")
        return edge

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, scalers={self.scalers}, edge_channels={self.edge_channels}"


class Towers(nn.Module):
    """A linear map for each tower: of one input for all, [m, c] -> [m, t, d], or of each its own, [m, t, c].

    >>> Towers(2, 3, 4)(torch.ones(5, 3)).shape
    torch.Size([5, 2, 4])
    """

    def __init__(self, towers: int, in_channels: int, out_channels: int, *, bias: bool = True):
        super().__init__()
        weight = torch.empty(towers, out_channels, in_channels)
        for matrix in weight:
            nn.init.xavier_uniform_(matrix)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(towers, out_channels)) if bias else None

    def forward(self, x: Tensor) -> Float[Tensor, "m t d"]:
        if x.ndim == 2:
            bias = None if self.bias is None else self.bias.flatten()
            return linear(x, self.weight.flatten(0, 1), bias).unflatten(1, self.weight.shape[:2])
        out = torch.einsum("mtc,tdc->mtd", x, self.weight)
        return out if self.bias is None else out + self.bias

    def extra_repr(self) -> str:
        towers, out_channels, in_channels = self.weight.shape
        return f"{towers}, {in_channels}, {out_channels}, bias={self.bias is not None}"


def _check_names(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    is_known = not isinstance(given, str) and len(given) > 0 and all(name in known for name in given)
    check(is_known, f"{what} must be some of {', '.join(known)}, got {given!r}")
    check(len(set(given)) == len(given), f"{what} must not repeat themselves, got {given!r}")
