"""Weave: states of atoms and of pairs of atoms, each made of both (Kearnes et al. 2016).

a_i'  = f_1([f_2(a_i), sum over pairs j of f_3(p_ij)])
p_ij' = f_4([f_5([a_i, a_j]) + f_5([a_j, a_i]), f_6(p_ij)]),      f(h) = ReLU(W h + b), each with its own W and b
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.pairs import pairs_within
from grapevine.nn.aggregation import Aggregation
from grapevine.nn.conv.inputs import Edges, dense_ends_of, edges_of
from grapevine.nn.conv.molecular_graph import joint_relu, map_relu
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels
from grapevine.ops.epilogue import epilogue
from grapevine.ops.pattern import Pattern
from grapevine.ops.sddmm import sddmm
from grapevine.ops.segment import segment_reduce

# Centre and width of each bin, those of the authors' program: eleven parts of the standard normal law.
_RIGHT = ((0.228, 0.114), (0.468, 0.118), (0.739, 0.134), (1.080, 0.170), (1.645, 0.283))
_BINS = (*((-centre, width) for centre, width in reversed(_RIGHT)), (0.0, 0.114), *_RIGHT)


class Weave(Encoder):
    """Weave (Kearnes et al. 2016). Its readout is `Readout(GaussianHistogram())`.

    Args:
        in_channels: width of the atoms' features, or -1 to take it from the first input.
        out_channels: width of the last map, behind the layers; tanh is its activation.
        edge_channels: width of the edge features.
        hidden_channels: width of the states in the layers, of atoms, of pairs and between them.
        num_layers: how many weave modules; the last one leaves the pairs out, since nobody reads them.
        distance: make the pairs of the graph's edges, up to so many of them apart; the state of a pair starts with the
            distance, and the edge's features where it is an edge (`pairs_within`). None: the edges given are the
            pairs themselves, both directions of each, and their features the pairs'.
        norm: what stands at the very end, such as BatchNorm(out_channels): the histogram's bins are for numbers of
            mean 0 and variance 1.

    >>> network = Weave(5, 8, edge_channels=2, hidden_channels=6, distance=2)
    >>> chain = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> network(torch.ones(3, 5), chain, torch.ones(4, 2)).shape
    torch.Size([3, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="Weave",
        message="f(p_ij), from every node up to a distance",
        aggregation="sum",
        update="f([f(h_i), m_i]), p_ij' = f([f([h_i, h_j]) + f([h_j, h_i]), f(p_ij)]), f(h) = ReLU(W h + b)",
        edges="features, updated",
        readout="sum of a Gaussian histogram of each number",
        cost="n c^2 + p c^2, p pairs up to the distance",
        power="above 1-WL",
        year=2016,
        paper="Kearnes et al., Molecular graph convolutions: moving beyond fingerprints",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 128,
        *,
        edge_channels: int,
        hidden_channels: int = 50,
        num_layers: int = 2,
        distance: int | None = None,
        norm: nn.Module | None = None,
    ):
        super().__init__()
        for name, number in (("num_layers", num_layers), ("edge_channels", edge_channels)):
            check_channels(name, number)
        if distance is not None:
            check_channels("distance", distance)
        self.out_channels, self.edge_channels, self.distance = out_channels, edge_channels, distance
        pair_channels, c = edge_channels + (distance or 0), hidden_channels
        atoms = [in_channels] + [c] * (num_layers - 1)
        pairs = [pair_channels] + [c] * (num_layers - 1)
        self.atoms = nn.ModuleList(_Atoms(a, p, c) for a, p in zip(atoms, pairs, strict=True))
        self.pairs = nn.ModuleList(_Pairs(a, p, c) for a, p in zip(atoms[:-1], pairs[:-1], strict=True))
        self.lin_out, self.norm = Linear(c, out_channels), norm

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        a, _, adjacency = dense_ends_of(x, adj, "Weave")
        adjacency, p = self._start(adj, adjacency, edge)
        members = adj.members if isinstance(adj, Graph) else None
        yield x
        for k, to_atoms in enumerate(self.atoms):
            new = to_atoms(a, adjacency.pattern, p)
            p = self.pairs[k](a, adjacency.pattern, p) if k < len(self.pairs) else p
            a = new
            yield a
        out = epilogue(self.lin_out(a), activation="tanh")
        yield out if self.norm is None else self.norm(out, members)

    def _start(self, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> tuple[Adjacency, Tensor]:
        """The pairs and their first states."""
        if edge is None:
            raise InputError(f"Weave needs edge features, [e, {self.edge_channels}]; GINConv does without them")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        if edge.shape[1] != self.edge_channels:
            raise InputError(f"edge must have {self.edge_channels} columns, got shape {tuple(edge.shape)}")
        if self.distance is None:
            return adjacency, edge
        pairs = pairs_within(adjacency, self.distance)
        return pairs.adj, pairs.features(edge)


class GaussianHistogram(Aggregation):
    """The fuzzy histogram that Weave reads molecules out with (Kearnes et al. 2016).

    out[i, c, b] = sum over e of w_b(m_ec),   w(m) = softmax over the bins b of -(m - centre_b)^2 / (2 width_b^2)

    Every number is shared out among eleven bins, and each bin adds up what it gets: [e, c] gives [n, 11 c], the bins
    of a number side by side.

    >>> pattern = Pattern(torch.tensor([0, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> GaussianHistogram()(pattern, torch.tensor([[0.0], [9.0]]))[0, [5, 10]].double().round(decimals=2).tolist()
    [0.79, 1.0]
    """

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n d"]:
        check(message.ndim == 2, f"GaussianHistogram takes states [e, c], got shape {tuple(message.shape)}")
        centre, width = torch.tensor(_BINS, dtype=message.dtype, device=message.device).T
        share = (-0.5 * ((message.unsqueeze(2) - centre) / width).square()).softmax(2)
        return segment_reduce(pattern, share.flatten(1), reduce="sum")


class _Atoms(nn.Module):
    """From atoms and pairs to atoms."""

    def __init__(self, atom_channels: int, pair_channels: int, channels: int):
        super().__init__()
        self.of_atom, self.of_pairs = Linear(atom_channels, channels), Linear(pair_channels, channels)
        self.joint = Linear(2 * channels, channels)

    def forward(self, a: Tensor, pattern: Pattern, p: Tensor) -> Tensor:
        heard = segment_reduce(pattern, map_relu(self.of_pairs, p), reduce="sum")
        return joint_relu(self.joint, map_relu(self.of_atom, a), heard)


class _Pairs(nn.Module):
    """From atoms and pairs to pairs."""

    def __init__(self, atom_channels: int, pair_channels: int, channels: int):
        super().__init__()
        # f_5([a_i, a_j]) in two parts, each made once an atom; its bias is the first one's.
        self.of_target = Linear(atom_channels, channels)
        self.of_source = Linear(atom_channels, channels, bias=False)
        self.of_pair, self.joint = Linear(pair_channels, channels), Linear(2 * channels, channels)

    def forward(self, a: Tensor, pattern: Pattern, p: Tensor) -> Tensor:
        first, second = self.of_target(a), self.of_source(a)
        both = sddmm(pattern, first, second, op="add").relu() + sddmm(pattern, second, first, op="add").relu()
        return joint_relu(self.joint, both, map_relu(self.of_pair, p))
