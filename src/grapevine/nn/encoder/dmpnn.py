"""Message passing between directed bonds, so that no message goes back where it came from (Yang et al. 2019).

h0_vw = tau(W_i [x_v, e_vw])
h_vw' = tau(h0_vw + W_m m_vw),   m_vw = sum over k in N(v) but w of h_kv      (num_steps - 1 times)
h_v   = tau(W_a [x_v, m_v]),     m_v = sum over w in N(v) of h_wv
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, TypeAlias

import torch
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.graph.line import line_pattern, num_turns
from grapevine.graph.reverse import reverse_edges, reverse_pattern
from grapevine.nn.conv.inputs import Edges, dense_ends_of, edges_of
from grapevine.nn.encoder.alike_bonds import AlikeBonds, alike_bonds
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, linear
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce
from grapevine.ops.spmm import spmm
from grapevine.typing import ActivationName

Mode: TypeAlias = Literal["paper", "chemprop"]

_MANY_TURNS = 4  # times as many as edges: from there on the sums over neighbourhoods are shared


class DMPNN(Encoder):
    """D-MPNN, directed message passing (Yang et al. 2019). Every edge must have its other direction.

    The bonds have states; the atoms are given one in the end, so `all_states` holds two: x, and that.

    Args:
        in_channels: width of the atoms' features.
        hidden_channels: width of the states, and of the output.
        edge_channels: width of the bonds' features.
        num_steps: the depth: bond states are made once and changed num_steps - 1 times.
        mode: "paper" is as above, without biases. "chemprop" is as in chemprop 2: in place of h0 each step adds
            W_i [x_v, e_vw] itself, before the activation, and W_a has a bias.
        activation: tau.
        dropout: on what comes of tau, but for h0, in training.
        undirected: the two directions of a bond are averaged before each message.
        bias: give all three maps biases.

    >>> network = DMPNN(5, 8, edge_channels=2)
    >>> ethane = torch.tensor([[0, 1], [1, 0]])
    >>> network(torch.ones(2, 5), ethane, torch.ones(2, 2)).shape
    torch.Size([2, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="D-MPNN",
        message="h_kj, on its way from k over j to i",
        aggregation="sum over the neighbours k of j but i",
        update="h_ji' = ReLU(h0_ji + W m_ji); in the end h_i = ReLU(W' [x_i, sum over j of h_ji])",
        edges="features, updated",
        readout="sum; in its program mean",
        cost="e c^2",
        power="1-WL",
        year=2019,
        paper="Yang et al., Analyzing learned molecular representations for property prediction",
    )

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 300,
        *,
        edge_channels: int,
        num_steps: int = 3,
        mode: Mode = "paper",
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        undirected: bool = False,
        bias: bool = False,
    ):
        super().__init__()
        for name, number in (("in_channels", in_channels), ("edge_channels", edge_channels), ("num_steps", num_steps)):
            check_channels(name, number)
        check(mode in ("paper", "chemprop"), f"mode must be paper or chemprop, got {mode!r}")
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.in_channels, self.edge_channels, self.out_channels = in_channels, edge_channels, hidden_channels
        self.num_steps, self.undirected = num_steps, undirected
        self.mode: Mode = mode
        self.activation: ActivationName = activation
        self.dropout = dropout
        self.lin_start = Linear(in_channels + edge_channels, hidden_channels, bias=bias)
        self.lin_message = Linear(hidden_channels, hidden_channels, bias=bias) if num_steps > 1 else None
        self.lin_atom = Linear(in_channels + hidden_channels, hidden_channels, bias=bias or mode == "chemprop")

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        states, _, adjacency = dense_ends_of(x, adj, "DMPNN")
        if edge is None:
            raise InputError(f"DMPNN needs edge features, [e, {self.edge_channels}]; GINConv does without them")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        for name, given, width in (("x", states, self.in_channels), ("edge", edge, self.edge_channels)):
            check_tensor(name, given, ndim=2)
            if given.shape[1] != width:
                raise InputError(f"{name} must have {width} columns, got shape {tuple(given.shape)}")
        yield x
        kinds = self._kinds(states, adjacency, edge)
        if kinds is not None:
            yield self._of_kinds(states, adjacency, edge, kinds)
            return
        heard = segment_reduce(adjacency.pattern, self._bond_states(states, adjacency, edge), reduce="sum")
        of_atoms = linear(states, self.lin_atom.weight[:, : self.in_channels])
        yield self._end(_joint(self.lin_atom, of_atoms, heard), self.lin_atom.bias)

    def _bond_states(self, x: Tensor, adjacency: Adjacency, edge: Tensor) -> Tensor:
        """h_vw after all steps, the bonds in the order of the adjacency."""
        weight, bias = self.lin_start.weight, self.lin_start.bias
        # W_i [x_v, e_vw] in two parts, so that an atom's is made once and nothing is put side by side.
        of_atoms = gather(adjacency.pattern, linear(x, weight[:, : self.in_channels], bias), side="cols")
        start = _joint(self.lin_start, of_atoms, edge)
        h = epilogue(start, activation=self.activation)
        if self.lin_message is None:
            reverse_edges(adjacency)  # whoever takes one step is held to the same input
            return h
        kept = start if self.mode == "chemprop" else h
        messages = _by_sums if _has_hubs(adjacency) else _by_turns
        for _ in range(self.num_steps - 1):
            if self.undirected:
                h = (h + gather(reverse_pattern(adjacency), h)) / 2
            h = self._end(_joint(self.lin_message, kept, messages(adjacency, h)), self.lin_message.bias)
        return h

    def _kinds(self, x: Tensor, adjacency: Adjacency, edge: Tensor) -> AlikeBonds | None:
        """Which bonds have the same states; None if each must have its own."""
        is_each_own = x.requires_grad or edge.requires_grad or (self.training and self.dropout > 0) or self.undirected
        if is_each_own or x.device.type != "cpu" or torch.compiler.is_compiling() or _has_hubs(adjacency):
            return None
        return alike_bonds(x, adjacency, edge, num_steps=self.num_steps)

    def _of_kinds(self, x: Tensor, adjacency: Adjacency, edge: Tensor, kinds: AlikeBonds) -> Tensor:
        """The same equations, of each kind of bond and atom once."""
        ends = x.index_select(0, adjacency.pattern.indices.index_select(0, kinds.first))
        start = self.lin_start(torch.cat([ends, edge.index_select(0, kinds.first)], 1))
        h = epilogue(start, activation=self.activation)
        kept = start if self.mode == "chemprop" else h
        for heard, start_of in zip(kinds.heard, kinds.start_of, strict=True):
            assert self.lin_message is not None
            mixed = _joint(self.lin_message, gather(start_of, kept), spmm(heard, h))
            h = self._end(mixed, self.lin_message.bias)
        joined = torch.cat([x.index_select(0, kinds.first_atom), spmm(kinds.atoms, h)], 1)
        return gather(kinds.atom_of, self._end(linear(joined, self.lin_atom.weight), self.lin_atom.bias))

    def _end(self, x: Tensor, bias: Tensor | None) -> Tensor:
        return epilogue(x, bias, activation=self.activation, dropout=self.dropout if self.training else 0.0)


def _joint(layer: Linear, before: Tensor, x: Tensor) -> Tensor:
    """before + x W^T with the last columns of the layer's weight, those that belong to x."""
    return torch.addmm(before, x, layer.weight[:, -x.shape[1] :].T)


def _has_hubs(adjacency: Adjacency) -> bool:
    return num_turns(adjacency) > _MANY_TURNS * adjacency.num_edges


def _by_turns(adjacency: Adjacency, h: Tensor) -> Tensor:
    """m_vw: what flows into the start of each bond, but for what the bond itself brought there."""
    return spmm(line_pattern(adjacency), h)


def _by_sums(adjacency: Adjacency, h: Tensor) -> Tensor:
    """The same where hubs make the turns too many: one sum an atom, less what came from the other end."""
    total = segment_reduce(adjacency.pattern, h, reduce="sum")
    return gather(adjacency.pattern, total, side="cols") - gather(reverse_pattern(adjacency), h)
