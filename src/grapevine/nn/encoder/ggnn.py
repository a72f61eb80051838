"""Gated graph network: what is heard along the edges updates the states as a recurrent network's (Li et al. 2016).

h_i(0) = [x_i, 0]
a_i = [sum over edges j -> i of W_in(type) h_j, sum over edges i -> j of W_out(type) h_j] + b
z_i = sigmoid(W_z a_i + U_z h_i),  r_i = sigmoid(W_r a_i + U_r h_i)
h_i' = (1 - z_i) h_i + z_i tanh(W a_i + U (r_i h_i))

Y. Li, D. Tarlow, M. Brockschmidt and R. Zemel, "Gated graph sequence neural networks", ICLR 2016.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.nn.aggregation.attention import GatedSum
from grapevine.nn.conv.inputs import Edges, dense_ends_of, in_order
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.gates import gru_step, sigmoid, tanh
from grapevine.nn.head import Head
from grapevine.nn.linear import Features, Linear, check_channels, linear
from grapevine.nn.readout import Readout
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern, check_bounds
from grapevine.ops.spmm import spmm

_INTEGERS = (torch.int64, torch.int32)
_Route = tuple[Pattern, Tensor | None]  # who is heard in one direction, and with what weights


class GGNN(Encoder):
    """Gated graph network (Li et al. 2016): one layer, used `num_steps` times, with a matrix for each type of edge.

    Its edge input says the type of each edge: [e] integers (or [e, 1]), the cheapest, or [e, edge_channels] numbers
    by which the matrices are weighed and added up, one 1 in each row for types. A step costs one product of the states
    with all the matrices, [n, c] by [c, types * c], and then a sum along the edges: nothing is ever e x c x c.

    Args:
        in_channels: width of the features x, the annotations of the paper; they are padded with zeros.
        out_channels: width of the states, in_channels or more.
        num_steps: how often the states are updated; 5 in the paper's experiments.
        edge_channels: the number of types of edges; None: they are all of one, and there is no edge input.
        directed: hear backwards along the edges too, by matrices of their own, as in the paper. A graph that holds
            both directions of every edge, as a molecule, says the same thing twice then.
        reset: apply the reset gate to the state before its matrix U, as in the paper, or to the product after it, as
            `torch.nn.GRUCell` and with it most other implementations do; that one has biases in its gates and not b.

    >>> network = GGNN(2, 8, edge_channels=3)
    >>> edges, types = torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([0, 2, 1])
    >>> network(torch.eye(3)[:, :2], edges, types).shape
    torch.Size([3, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="Gated graph network (GGNN)",
        message="W_t h_j, t the type of the edge, and W'_t h_j against the edges",
        aggregation="sum, of edges in and of edges out apart",
        update="GRU(h_i, m_i), the same in every step",
        edges="features",
        readout="gated sum of [h_i, x_i]",
        cost="t n c^2 + e c, t types of edges",
        power="1-WL",
        year=2016,
        paper="Li et al., Gated graph sequence neural networks",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        num_steps: int = 5,
        edge_channels: int | None = None,
        directed: bool = True,
        reset: Literal["before", "after"] = "before",
    ):
        super().__init__()
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels), ("num_steps", num_steps)):
            check_channels(name, value)
        fits = out_channels >= in_channels
        check(fits, f"the states hold the {in_channels} features and so must be as wide, got {out_channels} channels")
        check(reset in ("before", "after"), f"reset must be before or after, got {reset!r}")
        if edge_channels is not None:
            check_channels("edge_channels", edge_channels)
        self.in_channels, self.out_channels, self.num_steps = in_channels, out_channels, num_steps
        self.edge_channels, self.directed, self.reset = edge_channels, directed, reset
        directions, num_types = 1 + directed, edge_channels or 1
        self.weight = nn.Parameter(torch.empty(directions, num_types, out_channels, out_channels))
        for matrix in self.weight.detach().flatten(0, 1):
            nn.init.xavier_uniform_(matrix)
        heard = directions * out_channels
        self.bias = nn.Parameter(torch.zeros(heard)) if reset == "before" else None
        self.cell = _Gated(heard, out_channels) if reset == "before" else nn.GRUCell(heard, out_channels)

    def steps(
        self, x: Features, adj: Edges, edge: Float[Tensor, "e d"] | Int[Tensor, "e *one"] | None = None
    ) -> Iterator[Features]:
        x, _, adjacency = dense_ends_of(x, adj, "GGNN")
        width = x.shape[1]
        check(width == self.in_channels, f"x must have {self.in_channels} columns, got shape {tuple(x.shape)}")
        routes = self._routes(adj, adjacency, edge)
        h = nn.functional.pad(x, (0, self.out_channels - width))
        yield x
        for _ in range(self.num_steps):
            h = self._update(self._heard(h, routes), h)
            yield h

    def _heard(self, h: Tensor, routes: list[_Route]) -> Tensor:
        """a: what is heard in each direction, side by side."""
        said = linear(h, self.weight.flatten(0, 2)).reshape(-1, self.out_channels)  # a row: node, direction, type
        heard = torch.cat([spmm(pattern, said, weight) for pattern, weight in routes], 1)
        return heard if self.bias is None else heard + self.bias

    def _update(self, heard: Tensor, h: Tensor) -> Tensor:
        if isinstance(self.cell, _Gated):
            return self.cell(heard, h)
        return gru_step(self.cell, heard, h)

    def _routes(self, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> list[_Route]:
        """Forwards and, if directed, backwards: which rows of `said` each node adds up, and their weights."""
        edge = self._checked(adj, adjacency, edge)
        pattern, num_types = adjacency.pattern, self.weight.shape[1]
        sides = [(pattern, edge)]
        if self.directed:
            back = pattern.transposed  # its entries are edges in another order
            sides.append((back, edge if edge is None or back.entry is None else edge[back.entry.long()]))
        stride = len(sides) * num_types
        return [_route(side, kind, k * num_types, stride) for k, (side, kind) in enumerate(sides)]

    def _checked(self, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> Tensor | None:
        """The edge input in the order of the adjacency: [e] types, [e, edge_channels] weights, or None for one type."""
        if self.edge_channels is None:
            check(edge is None, "this GGNN was made for edges of one type; give edge_channels, the number of types")
            return None
        if edge is None:
            raise InputError(f"GGNN needs the types of the edges, it was made for {self.edge_channels} of them")
        edge = in_order("edge", edge, adj, adjacency)
        if edge.dtype in _INTEGERS:
            edge = edge.squeeze(1) if edge.ndim == 2 and edge.shape[1] == 1 else edge
            check_tensor("edge, as types,", edge, ndim=1, dtypes=_INTEGERS)
            check_bounds("edge", edge, self.edge_channels, "types of edges")
            return edge
        check_tensor("edge", edge, ndim=2)
        fits = edge.shape[1] == self.edge_channels
        check(fits, f"edge must have {self.edge_channels} columns, one for each type, got shape {tuple(edge.shape)}")
        return edge


class GatedSumReadout(Head):
    """The readout of the paper, of the states in the end and the features: a gated sum of [h_i(T), x_i].

    Args:
        in_channels: width of the features.
        hidden_channels: width of the states.
        out_channels: how many numbers a graph gets, each between -1 and 1 unless a network follows.
        network: maps them further, if given.

    >>> encoder, head = GGNN(2, 8), GatedSumReadout(2, 8, 3)
    >>> graph = Graph([[0, 1], [1, 0]], x=torch.eye(2))
    >>> head(encoder.all_states(graph.x, graph), graph).shape
    torch.Size([1, 3])
    """

    reads_all_layers = True

    def __init__(self, in_channels: int, hidden_channels: int, out_channels: int, *, network: nn.Module | None = None):
        super().__init__()
        self.readout = Readout(GatedSum(in_channels + hidden_channels, out_channels))
        self.network = network

    def forward(self, states: list[Tensor], graph: Graph, items: Int[Tensor, " k"] | None = None) -> Tensor:
        check(isinstance(states, list), "GatedSumReadout takes the list of all states, the features first")
        check_rows("the features", states[0], graph.num_nodes, "nodes")
        read = self.readout(torch.cat([states[-1], states[0]], 1), graph)
        read = read if items is None else read.index_select(0, items)
        return read if self.network is None else self.network(read)


class _Gated(nn.Module):
    """The gated update of the paper, the reset gate before the matrix."""

    def __init__(self, heard: int, channels: int):
        super().__init__()
        self.lin_heard = nn.ModuleList(Linear(heard, channels, bias=False) for _ in range(3))
        self.lin_state = nn.ModuleList(Linear(channels, channels, bias=False) for _ in range(3))

    def forward(self, heard: Tensor, h: Tensor) -> Tensor:
        update, reset, content = (lin(heard) for lin in self.lin_heard)
        to_update, to_reset, to_content = self.lin_state
        z, r = sigmoid(update + to_update(h)), sigmoid(reset + to_reset(h))
        return h + z * (tanh(content + to_content(r * h)) - h)


def _route(pattern: Pattern, kind: Tensor | None, first: int, stride: int) -> _Route:
    """The pattern over rows node * stride + first + type: an entry for each edge, or one for each edge and weight."""
    column = pattern.indices.long() * stride + first
    copies, weight = 1, None
    if kind is not None and kind.is_floating_point():
        copies, weight = kind.shape[1], kind.reshape(-1)
        column = (column.unsqueeze(1) + torch.arange(copies, device=column.device)).flatten()
    elif kind is not None:
        column = column + kind
    dtype = index_dtype(pattern.num_rows + 1, len(column), pattern.num_cols * stride)
    indptr = (pattern.indptr.long() * copies).to(dtype)
    return Pattern.trusted(indptr, column.to(dtype), pattern.num_cols * stride), weight
