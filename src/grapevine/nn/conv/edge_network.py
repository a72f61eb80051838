"""Edge network: every edge's features make a matrix, through which it sends (Gilmer et al. 2017).

h_i' = W_root h_i + aggregate over j of A(e_ij) h_j + b,    A(e) = T_0 + sum over k of f_k(e) T_k,    f a network

A(e) is never made for every edge. Where few different features occur, as for kinds of bonds, there is one matrix for
each of them; else f(e) h_j is added up before it goes through all of T (`ops.edge_matrix`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, TypeAlias, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, check_fits, linear
from grapevine.ops.edge_matrix import edge_matrix
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.group import group
from grapevine.ops.pattern import Pattern
from grapevine.ops.spmm import mean_scale, spmm
from grapevine.typing import ActivationName

Heard: TypeAlias = Callable[[Tensor, Tensor], Tensor]  # from the states of sources and targets to what arrives
_EDGES_A_KIND = 32  # of so many or more on average a matrix is made for each kind


class EdgeNetworkConv(Conv):
    """The edge network of Gilmer et al. 2017, "Neural message passing for quantum chemistry" (elsewhere NNConv).

    Its edge input is [e, edge_channels] features, and it needs them. An edge j -> i sends A(e_ij) h_j to i. The paper
    gives every graph directed edges, an undirected one both directions of each with the same features, and has a
    network for either end, A_in and A_out: with `both_directions` half of the output is the aggregate of A_in(e_ij) h_j
    over the edges j -> i, the other half that of A_out(e_ji) h_j over the edges i -> j.

    Args:
        in_channels: width of the states, or the pair of the sources' and the targets'.
        out_channels: output width.
        edge_channels: width of the edge features.
        hidden_channels: the edge network's hidden widths; () makes A linear: with one-hot features, and without
            matrix_bias, a matrix for each label, as in a gated graph network (Li et al. 2016).
        activation: after each hidden layer.
        matrix_bias: T_0, the bias of the edge network's last layer.
        aggregation: the sum, as in the paper, or the mean.
        both_directions: a network for each direction; the graph is then of one set of nodes.
        root_weight: add your own state through a map of its own; not in the paper, but in other implementations.
        bias: add a bias.

    >>> layer = EdgeNetworkConv(2, 3, 5)
    >>> layer(torch.ones(4, 2), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 5)).shape
    torch.Size([4, 3])
    """

    equation: ClassVar[Equation] = Equation(
        name="Edge network",
        message="A(e_ij) h_j",
        aggregation="sum, of edges in and of edges out apart",
        update="W_root h_i + m_i + b; in the paper GRU(h_i, m_i), which MPNN is",
        edges="features",
        readout="Set2Set, or gated sum",
        cost="k n c^2 + k e c, k numbers that A is made of",
        power="1-WL",
        year=2017,
        paper="Gilmer et al., Neural message passing for quantum chemistry",
    )

    def __init__(
        self,
        in_channels: int | tuple[int, int],
        out_channels: int,
        edge_channels: int,
        *,
        hidden_channels: int | Sequence[int] = 128,
        activation: ActivationName = "relu",
        matrix_bias: bool = True,
        aggregation: Literal["sum", "mean"] = "sum",
        both_directions: bool = False,
        root_weight: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        check(aggregation in ("sum", "mean"), f"aggregation must be sum or mean, got {aggregation!r}")
        check_channels("out_channels", out_channels)
        src_channels, dst_channels = in_channels if isinstance(in_channels, tuple) else (in_channels, in_channels)
        if both_directions and (out_channels % 2 or src_channels != dst_channels):
            raise InputError(
                "both_directions needs one in_channels and an even out_channels, half of it for each direction; got "
                f"{in_channels} and {out_channels}"
            )
        self.aggregation, self.both_directions, self.out_channels = aggregation, both_directions, out_channels
        share = out_channels // 2 if both_directions else out_channels
        hidden = (hidden_channels,) if isinstance(hidden_channels, int) else tuple(hidden_channels)
        shape = src_channels, share, edge_channels
        self.networks = nn.ModuleList(
            EdgeNetwork(*shape, hidden_channels=hidden, activation=activation, bias=matrix_bias)
            for _ in range(1 + both_directions)
        )
        self.lin_root = Linear(dst_channels, out_channels, bias=False) if root_weight else None
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "EdgeNetworkConv")
        if edge is None:
            raise InputError("EdgeNetworkConv needs edge features; SAGEConv is a layer without them")
        out = self.on(adjacency, edges_of(edge, adj, adjacency, ndim=2))(x_src, x_dst)
        return out if self.lin_root is None else out + self.lin_root(x_dst)

    def on(self, adjacency: Adjacency, edge: Float[Tensor, "e k"]) -> Heard:
        """What nodes hear, as a function of their states: all that hangs on edges alone is done once, for all steps."""
        incoming, *outgoing = cast(Sequence[EdgeNetwork], self.networks)
        heard = [self._one_way(incoming, adjacency, edge)]
        for network in outgoing:
            heard.append(self._one_way(network, *turned_round(adjacency, edge)))
        if len(heard) == 1:
            return heard[0]
        return lambda x_src, x_dst: torch.cat([hear(x_src, x_dst) for hear in heard], 1)

    def _one_way(self, network: "EdgeNetwork", adjacency: Adjacency, edge: Tensor) -> Heard:
        hear = network.on(adjacency.pattern, edge)
        if self.aggregation == "sum":
            return lambda x_src, x_dst: hear(x_src)
        share = mean_scale(adjacency.pattern, edge.dtype).unsqueeze(1)
        return lambda x_src, x_dst: hear(x_src) * share


class EdgeNetwork(nn.Module):
    """e -> A(e), one of the two networks of an `EdgeNetworkConv`.

    Its last layer is [in * out, k], as if it gave A(e), row by row of [in, out]; states are row vectors.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        edge_channels: int,
        *,
        hidden_channels: Sequence[int] = (128,),
        activation: ActivationName = "relu",
        bias: bool = True,
    ):
        super().__init__()
        for name, width in (("in_channels", in_channels), ("edge_channels", edge_channels)):
            check_channels(name, width)
        self.in_channels, self.out_channels, self.activation = in_channels, out_channels, activation
        *inner, last = edge_channels, *hidden_channels
        self.hidden = nn.ModuleList(Linear(c, d) for c, d in zip(inner, hidden_channels, strict=True))
        self.last = Linear(last, in_channels * out_channels, bias=bias)
        bound = (6 / (last * in_channels + out_channels)) ** 0.5
        nn.init.uniform_(self.last.weight, -bound, bound)  # Glorot's rule for the map from [k, in] to out that it is

    def features(self, edge: Float[Tensor, "e d"]) -> Float[Tensor, "e k"]:
        """f(e): how much of each matrix T_k there is in A(e)."""
        f = edge
        for layer in cast(Sequence[Linear], self.hidden):
            f = epilogue(linear(f, layer.fitted(f)), layer.bias, activation=cast(ActivationName, self.activation))
        check_fits(f, self.last.weight)
        return f

    def matrices(self, edge: Float[Tensor, "e d"]) -> Float[Tensor, "e c d"]:
        """A(e) of each edge: e c d numbers."""
        return self.last(self.features(edge)).unflatten(1, (self.in_channels, self.out_channels))

    def on(self, pattern: Pattern, edge: Float[Tensor, "e d"]) -> Callable[[Tensor], Tensor]:
        """From [m, c] states of the sources to [n, d], what arrives at each target, added up."""
        kinds = _kinds(edge)
        if kinds is not None:
            return _ByKind(self.matrices(kinds.edge), *_through(pattern, kinds))
        shape = self.in_channels, self.out_channels
        bases = self.last.weight.unflatten(0, shape).movedim(2, 0)
        base = None if self.last.bias is None else self.last.bias.view(shape)
        return _ByEdge(pattern, self.features(edge), bases, base)


def turned_round(adjacency: Adjacency, edge: Tensor) -> tuple[Adjacency, Tensor]:
    """The edges the other way, and their features in that order."""
    if not adjacency.is_square:
        raise InputError(f"messages in both directions need a graph of one set of nodes, got {adjacency}")
    order = adjacency.pattern.transposed.entry
    return adjacency.reverse(), edge if order is None else edge[order.long()]


@dataclass(frozen=True)
class _ByEdge:
    """T_0 and T, and how much of T there is in each edge's matrix."""

    pattern: Pattern
    feature: Tensor
    bases: Tensor
    base: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        check_fits(x, self.bases[0].T)
        out = edge_matrix(self.pattern, self.feature, gather(self.pattern, x, side="cols"), self.bases)
        return out if self.base is None else out + spmm(self.pattern, x) @ self.base


@dataclass(frozen=True)
class _ByKind:
    """A matrix for each kind; who sends through it; and for each target where in that order its messages are."""

    matrices: Tensor
    senders: Pattern
    places: Pattern
    counts: list[int]

    def __call__(self, x: Tensor) -> Tensor:
        check_fits(x, self.matrices[0].T)
        sent = gather(self.senders, x, side="cols").split(self.counts)
        pairs = zip(sent, self.matrices.unbind(), strict=True)
        return spmm(self.places, torch.cat([x_kind @ matrix for x_kind, matrix in pairs]))


class _Kinds(NamedTuple):
    """The features that differ, and which of them each edge has."""

    edge: Tensor
    kind: Tensor


def _kinds(edge: Tensor) -> _Kinds | None:
    """The few kinds of edges, None where there are many, or where gradients by the features of each are wanted."""
    most, is_leaf = edge.shape[0] // _EDGES_A_KIND, torch.is_grad_enabled() and edge.requires_grad
    if most == 0 or is_leaf or torch.compiler.is_compiling():
        return None
    # One number a row finds what may be equal, in a sort of numbers; then it is compared in full.
    weights = torch.arange(1, edge.shape[1] + 1, dtype=torch.float64, device=edge.device).cos()
    found, kind = (edge.detach().double() * weights).sum(1).unique(return_inverse=True)
    if len(found) > most:
        return None
    one_of_each = kind.new_empty(len(found)).scatter_(0, kind, torch.arange(len(kind), device=kind.device))
    different = edge[one_of_each]
    return _Kinds(different, kind) if torch.equal(different[kind], edge) else None


def _through(pattern: Pattern, kinds: _Kinds) -> tuple[Pattern, Pattern, list[int]]:
    """Kinds and their senders, targets and the places of what they are sent, and how many edges a kind has."""
    indices = pattern.indices
    kind = kinds.kind.to(indices.dtype)
    indptr, senders, order = group(kind, indices, len(kinds.edge), indices.dtype == torch.int64)
    place = torch.empty_like(order)
    place[order.long()] = torch.arange(len(order), dtype=order.dtype, device=order.device)
    by_kind = Pattern.trusted(indptr, senders, pattern.num_cols)
    return by_kind, Pattern.trusted(pattern.indptr, place, pattern.num_entries), indptr.diff().tolist()
