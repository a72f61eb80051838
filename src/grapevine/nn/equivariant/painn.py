"""PaiNN: every atom has numbers and vectors, and vectors turn with the molecule (Schütt, Unke and Gastegger 2021).

phi_j = MLP(s_j),  W(r) = (A e(r) + b) u(r),  each in three parts;  d_ij the direction of r_ij
s_i' = s_i + sum over j of phi1_j W1(r_ij)
v_i' = v_i + sum over j of (v_j phi2_j W2(r_ij) + phi3_j W3(r_ij) d_ij)
then each atom for itself, with a = MLP(s, |V v|) in three parts:  s' = s + a1 + a2 <U v, V v>,  v' = v + a3 U v
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import directions, lengths
from grapevine.nn.equivariant.radial import BesselBasis, CutoffName, check_cutoff_name, cutoff_factor
from grapevine.nn.linear import Linear, check_channels
from grapevine.nn.mlp import MLP
from grapevine.ops.pattern import Pattern
from grapevine.ops.tensor_product import Path, Paths, tensor_product

_EPSILON = 1e-8  # under the root of |V v|, which has a kink at 0; that of the authors' program


class PaiNN(AtomNetwork):
    """PaiNN, the polarizable atom interaction network (Schütt et al. 2021).

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: width of the states; as many vectors.
        num_layers: how many interactions.
        num_basis: how many Bessel functions of the distance.
        cutoff_function: "cosine", as in the paper, "polynomial" or "none".
        out_channels: how many numbers an atom is given.

    >>> network = PaiNN(elements=(1, 8), hidden_channels=16)
    >>> pair, vector = Adjacency([[0, 1], [1, 0]]), torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    >>> network(torch.tensor([8, 1]), pair, vector).shape
    torch.Size([2, 1])
    """

    equation: ClassVar[Equation] = Equation(
        name="PaiNN",
        message="phi(s_j) times w(r_ij), and along the direction of j; v_j times such a filter",
        aggregation="sum",
        update="s_i + m_i, v_i + m_i, then s and v mixed atom by atom through |V v| and <U v, V v>",
        edges="features",
        readout="sum",
        cost="n c^2 + e c",
        power="above 1-WL",
        year=2021,
        paper="Schütt, Unke & Gastegger, Equivariant message passing for the prediction of tensorial properties and "
        "molecular spectra",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        hidden_channels: int = 128,
        num_layers: int = 3,
        num_basis: int = 20,
        cutoff_function: CutoffName = "cosine",
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        check_channels("hidden_channels", hidden_channels)
        check(num_layers >= 1, f"num_layers must be 1 or more, got {num_layers}")
        check_cutoff_name(cutoff_function)
        self.hidden_channels = hidden_channels
        self.cutoff_function: CutoffName = cutoff_function
        self.embedding = nn.Embedding(len(self.elements), hidden_channels)
        self.basis = BesselBasis(cutoff, num_basis)
        self.messages = nn.ModuleList(_Message(hidden_channels, num_basis) for _ in range(num_layers))
        self.updates = nn.ModuleList(_Update(hidden_channels) for _ in range(num_layers))
        self.readout = MLP([hidden_channels, max(1, hidden_channels // 2), out_channels], activation="silu")

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        return self.readout(self.states(z, adj, vector)[0])

    def states(
        self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]
    ) -> tuple[Float[Tensor, "n c"], Float[Tensor, "n 3 c"]]:
        """The numbers and the vectors of each atom in the end."""
        s = self.embedding(self.rows_of(z, adj, vector))
        v = s.new_zeros(len(s), 3, self.hidden_channels)
        r = lengths(vector)
        along = torch.cat([torch.ones_like(r).unsqueeze(1), directions(vector, r)], dim=1)
        basis, factor = self.basis(r), cutoff_factor(r, self.cutoff, self.cutoff_function)
        if factor is not None:  # the filter is linear in the basis and in 1: both times the cut-off
            basis = basis * factor.unsqueeze(1)
        for message, update in zip(self.messages, self.updates, strict=True):
            s, v = message(s, v, adj.pattern, along, basis, factor)
            s, v = update(s, v)
        return s, v


class _Message(nn.Module):
    """What an atom hears: three products with the neighbours' states, without a message in memory."""

    def __init__(self, channels: int, num_basis: int):
        super().__init__()
        self.mlp = MLP([channels, channels, 3 * channels], activation="silu")
        self.lin_filter = Linear(num_basis, 3 * channels)
        self._paths = _paths(channels)

    def forward(
        self, s: Tensor, v: Tensor, pattern: Pattern, along: Tensor, basis: Tensor, factor: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        to_s, to_v, of_v = self.mlp(s).chunk(3, dim=1)
        weight, bias = self.lin_filter.weight, self.lin_filter.bias
        assert bias is not None
        filters = (
            basis @ weight.T + bias if factor is None else torch.addmm(factor.unsqueeze(1) * bias, basis, weight.T)
        )
        spoken = torch.cat([to_s, to_v, (v * of_v.unsqueeze(1)).flatten(1)], dim=1)
        heard = tensor_product(pattern, self._paths, spoken, filters, along)
        channels = s.shape[1]
        return s + heard[:, :channels], v + heard[:, channels:].unflatten(1, (3, channels))


class _Update(nn.Module):
    """What an atom makes of its numbers and vectors."""

    def __init__(self, channels: int):
        super().__init__()
        self.lin_vector = Linear(channels, 2 * channels, bias=False)
        self.mlp = MLP([2 * channels, channels, 3 * channels], activation="silu")

    def forward(self, s: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        one, other = self.lin_vector(v.flatten(0, 1)).unflatten(0, (-1, 3)).chunk(2, dim=2)
        length = ((other * other).sum(1) + _EPSILON).sqrt()
        of_s, of_dot, of_v = self.mlp(torch.cat([s, length], dim=1)).chunk(3, dim=1)
        return s + of_s + of_dot * (one * other).sum(1), v + of_v.unsqueeze(1) * one


def _paths(channels: int) -> Paths:
    """Numbers to numbers, numbers to vectors along the edge, vectors to vectors; an edge has (1, x, y, z)."""
    one, three = torch.ones(1, 1, 1), torch.eye(3)
    return Paths(
        [
            Path(0, 0, 0, channels, one),
            Path(channels, 1, channels, channels, three.unsqueeze(0)),
            Path(2 * channels, 0, channels, channels, three.unsqueeze(1)),
        ],
        in_width=5 * channels,
        sh_width=4,
        out_width=4 * channels,
    )
