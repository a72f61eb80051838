"""SchNet: convolutions whose filters are made of the distance by a network (Schütt et al. 2017).

h_i = embedding of z_i;    x_j = V h_j,    m_i = sum over j of x_j * w(r_ij),    h_i' = h_i + A2 ssp(A1 m_i)
w(r) = W2 ssp(W1 e(r)) u(r),  e(r) Gaussians, u the cut-off, ssp(x) = log(1 + e^x) - log 2;    out_i = B2 ssp(B1 h_i)
"""

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.pairs import atom_pairs
from grapevine.nn.equivariant.radial import CutoffName, GaussianBasis, check_cutoff_name, cutoff_factor
from grapevine.nn.linear import Linear, check_channels
from grapevine.ops.epilogue import epilogue
from grapevine.ops.filter_sum import Filters, filter_sum
from grapevine.ops.linear import linear


class SchNet(AtomNetwork):
    """SchNet (Schütt et al. 2017).

    The paper lets every atom of a molecule hear every other one, and needs no cut-off: that is `cutoff=30`,
    `num_basis=301`, `gamma=10` and `cutoff_function="none"`. With neighbours within a few angstrom the energy would
    jump whenever one of them leaves, so that the programs in use multiply the filters by a cosine, as here.

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: width of the states, and of the filters.
        num_layers: how many interactions.
        num_basis: how many Gaussians, from 0 to the cut-off.
        gamma: how narrow they are, in 1 / angstrom^2; None: as far apart as wide.
        cutoff_function: what takes the filters to zero at the cut-off: "cosine", "polynomial" or "none".
        out_channels: how many numbers an atom is given.

    >>> import torch
    >>> network = SchNet(elements=(1, 8))
    >>> water = Adjacency([[0, 1, 0, 2], [1, 0, 2, 0]])
    >>> network(torch.tensor([8, 1, 1]), water, torch.randn(4, 3)).shape
    torch.Size([3, 1])
    """

    equation: ClassVar[Equation] = Equation(
        name="SchNet",
        message="V h_j times w(r_ij), a filter made of the distance",
        aggregation="sum",
        update="h_i + MLP(m_i)",
        edges="features",
        readout="sum",
        cost="e c^2",
        power="1-WL",
        year=2017,
        paper="Schütt et al., SchNet: a continuous-filter convolutional neural network for modeling quantum "
        "interactions",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        hidden_channels: int = 64,
        num_layers: int = 3,
        num_basis: int = 25,
        gamma: float | None = None,
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
        self.basis = GaussianBasis(cutoff, num_basis, gamma=gamma)
        self.layers = nn.ModuleList(_Interaction(hidden_channels, num_basis) for _ in range(num_layers))
        self.lin_hidden = Linear(hidden_channels, max(1, hidden_channels // 2))
        self.lin_out = Linear(self.lin_hidden.out_channels, out_channels)

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        h = self.embedding(self.rows_of(z, adj, vector))
        pairs = atom_pairs(adj, vector)
        r = lengths(pairs.vector)
        basis, factor = self.basis(r), cutoff_factor(r, self.cutoff, self.cutoff_function)
        factor = None if factor is None else factor.unsqueeze(1)
        for layer in self.layers:
            h = h + layer(h, pairs.filters, basis, factor)
        return _two_layers(self.lin_hidden, self.lin_out, h)


class _Interaction(nn.Module):
    """What an atom hears, and makes of it."""

    def __init__(self, channels: int, num_basis: int):
        super().__init__()
        self.lin_basis, self.lin_filter = Linear(num_basis, channels), Linear(channels, channels)
        self.lin_in = Linear(channels, channels, bias=False)
        self.lin_heard, self.lin_out = Linear(channels, channels), Linear(channels, channels)

    def forward(self, h: Tensor, filters: Filters, basis: Tensor, factor: Tensor | None) -> Tensor:
        weight = _two_layers(self.lin_basis, self.lin_filter, basis)
        weight = weight if factor is None else weight * factor
        heard = filter_sum(filters, self.lin_in(h), weight)
        return _two_layers(self.lin_heard, self.lin_out, heard)


def _two_layers(inner: nn.Module, outer: nn.Module, x: Tensor) -> Tensor:
    """V ssp(W x + a) + b, with a and ssp in one pass."""
    assert isinstance(inner, Linear)
    return outer(epilogue(linear(x, inner.weight), inner.bias, activation="shifted_softplus"))
