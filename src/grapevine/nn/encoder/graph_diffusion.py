"""GRAND, graph neural diffusion: states flow along the edges as heat does, as fast as attention lets them.

dx/dt = (A(x) - I) x,    A_ij = mean over heads of softmax_j (Q x_j . K x_i / sqrt(c))
x(0) = W x + b,  y = W' ReLU(x(T)) + b'

B. Chamberlain, J. Rowbottom, M. Gorinova, S. Webb, E. Rossi and M. Bronstein, "GRAND: graph neural diffusion", ICML
2021. In its linear form A stays A(x(0)). The other GRAND, with random propagation, is `GraphRandomNetwork`.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.epilogue import epilogue
from grapevine.ops.pattern import Pattern
from grapevine.ops.sddmm import sddmm
from grapevine.ops.spmm import spmm

Solver: TypeAlias = Literal["dopri5", "adaptive_heun", "euler", "midpoint", "rk4"]
_ADAPTIVE = ("dopri5", "adaptive_heun")


class GraphDiffusion(Encoder):
    """Graph neural diffusion (Chamberlain et al. 2021), solved by torchdiffeq (the extra `ode`). No edge input.

    `all_states` shows x, x(0), x(T) and the answer. An adaptive solver's steps are chosen by all nodes together, so
    that a graph's answer in a batch is that it has alone only up to the tolerance; fixed steps have it exactly.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer.
        hidden_channels: width of what flows.
        time: T; that of Cora by default.
        heads: of attention, whose weights are averaged.
        attention_channels: of all heads together.
        is_linear: attention is that of the first states always; otherwise that of the states as they flow.
        has_source: the first states flow in all the time, at a learnt rate that starts at 0: so in their program.
        solver: "dopri5" or "adaptive_heun", steps as small as `tolerance` asks; or "euler", "midpoint" or "rk4", steps
            of `step_size`.
        step_size: of fixed steps.
        tolerance: of adaptive ones, of the error relative and absolute.
        adjoint: solve backwards for the gradients: memory for one state alone, and gradients up to the tolerance.
        dropout: on x(T), in training.
        input_dropout: on the features, in training.

    >>> network = GraphDiffusion(3, 2, hidden_channels=8, time=2.0, solver="rk4")
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="GRAND (neural diffusion)",
        message="a_ij h_j, a_i = softmax over j of Q h_j . K h_i / sqrt(c), the mean over heads",
        aggregation="sum, yourself too",
        update="dh_i/dt = m_i - h_i, from time 0 to T",
        edges="none",
        readout="",
        cost="n c^2 + T e c, T steps of the solver",
        power="below 1-WL",
        year=2021,
        paper="Chamberlain et al., GRAND: graph neural diffusion",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 80,
        time: float = 18.3,
        heads: int = 8,
        attention_channels: int = 128,
        is_linear: bool = True,
        has_source: bool = False,
        solver: Solver = "dopri5",
        step_size: float = 1.0,
        tolerance: float = 1e-4,
        adjoint: bool = False,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ):
        super().__init__()
        for name, number in (("time", time), ("step_size", step_size), ("tolerance", tolerance)):
            check(number > 0, f"{name} must be positive, got {number!r}")
        check(attention_channels % heads == 0, f"{heads} heads do not divide {attention_channels} attention_channels")
        known = (*_ADAPTIVE, "euler", "midpoint", "rk4")
        check(solver in known, f"solver must be one of {', '.join(known)}, got {solver!r}")
        check_channels("heads", heads)
        self.time, self.dropout, self.input_dropout = time, dropout, input_dropout
        self.solver: Solver = solver
        self.step_size, self.tolerance, self.adjoint = step_size, tolerance, adjoint
        self.lin_in, self.lin_out = Linear(in_channels, hidden_channels), Linear(hidden_channels, out_channels)
        self.flow = _Flow(hidden_channels, attention_channels, heads, is_linear=is_linear, has_source=has_source)
        _torchdiffeq()

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        check(edge is None, "GraphDiffusion has no edge input; GATConv takes edge features, APPNP weights")
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        yield x
        first = self.lin_in(dropout_features(x, self.input_dropout, self.training))
        yield first
        last = self._solved(first, adjacency.with_self_loops().pattern)
        yield last
        yield self.lin_out(epilogue(last, activation="relu", dropout=self.dropout if self.training else 0.0))

    def _solved(self, first: Tensor, pattern: Pattern) -> Tensor:
        """x(T)."""
        if not len(first):
            return first
        rate = self.flow.from_here(first, pattern)
        times = torch.tensor([0.0, self.time], dtype=first.dtype, device=first.device)
        options: dict[str, Any] = {"method": self.solver}
        if self.solver in _ADAPTIVE:
            options |= {"rtol": self.tolerance, "atol": self.tolerance}
        else:
            options["options"] = {"step_size": self.step_size}
        package = _torchdiffeq()
        if not self.adjoint:
            return package.odeint(rate, first, times, **options)[-1]
        return package.odeint_adjoint(rate, first, times, adjoint_params=rate.depends_on(), **options)[-1]


class _Flow(nn.Module):
    """What is learnt of (A(x) - I) x + b x(0)."""

    def __init__(self, channels: int, attention_channels: int, heads: int, *, is_linear: bool, has_source: bool):
        super().__init__()
        self.lin_query, self.lin_key = Linear(channels, attention_channels), Linear(channels, attention_channels)
        self.heads, self.is_linear = heads, is_linear
        self.source = nn.Parameter(torch.zeros(())) if has_source else None

    def attention(self, x: Float[Tensor, "n c"], pattern: Pattern) -> Float[Tensor, " e"]:
        """A(x): positive numbers that add up to one over what each node hears."""
        query, key = (lin(x).unflatten(1, (self.heads, -1)) for lin in (self.lin_query, self.lin_key))
        logits = sddmm(pattern, key, query) * query.shape[2] ** -0.5
        return edge_softmax(pattern, logits).mean(1)

    def from_here(self, first: Tensor, pattern: Pattern) -> "_Rate":
        return _Rate(self, first, pattern, self.attention(first, pattern) if self.is_linear else None)


class _Rate:
    """dx/dt as a solver asks for it."""

    def __init__(self, flow: _Flow, first: Tensor, pattern: Pattern, weight: Tensor | None):
        self.flow, self.pattern, self.weight = flow, pattern, weight
        self.first = first.clone()  # another tensor than attention is made of: the adjoint counts each path once

    def __call__(self, _: Tensor, x: Tensor) -> Tensor:
        weight = self.flow.attention(x, self.pattern) if self.weight is None else self.weight
        rate = spmm(self.pattern, x, weight) - x
        return rate if self.flow.source is None else torch.addcmul(rate, self.flow.source, self.first)

    def depends_on(self) -> tuple[Tensor, ...]:
        """What a gradient is wanted for beside x(0)'s own."""
        tensors = [*self.flow.parameters()] if self.weight is None else [self.weight]
        if self.flow.source is not None:
            tensors += [self.first] if self.weight is None else [self.flow.source, self.first]
        return tuple(tensor for tensor in tensors if tensor.requires_grad)


def _torchdiffeq() -> Any:
    try:
        import torchdiffeq
    except ImportError as error:
        raise ImportError("graph diffusion needs torchdiffeq: pip install 'grapevine-gnn[ode]'") from error
    return torchdiffeq
