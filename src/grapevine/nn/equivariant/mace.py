"""MACE: a layer hears its neighbours once and multiplies what it heard with itself, so that two layers are enough.

A_i = W (1 / <n> sum over j in N(i) of R(r_ij) * (W h_j x Y(r_ij)))        one sum over neighbours
B_i = sum over v <= 3 of w[z_i] U (A_i x ... x A_i)                         products of v copies: up to four bodies
h_i' = W B_i + W[z_i] h_i,     E_i = sum over the layers of a readout of h_i

Batatia, Kovács, Simm, Ortner & Csányi 2022, "MACE: higher order equivariant message passing neural networks for fast
and accurate force fields". <n> is the average number of neighbours, and not its root.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.convolution import Convolution
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.irreps import Irreps
from grapevine.nn.equivariant.linear import IrrepsLinear
from grapevine.nn.equivariant.product_basis import ProductBasis
from grapevine.nn.equivariant.radial import BesselBasis, PolynomialCutoff
from grapevine.nn.equivariant.scalar_mlp import ScalarMLP
from grapevine.nn.equivariant.tensor_product import FullyConnectedTensorProduct
from grapevine.ops.harmonics import spherical_harmonics


@dataclass(frozen=True)
class MACEShape:
    """How large a MACE is; the defaults are those of the paper's molecules with L = 1.

    Args:
        channels: copies of each irrep.
        hidden_degree: L, the highest degree of what a layer hands on: 0, 1 or 2.
        max_degree: of the harmonics and of what is heard.
        correlation: the highest power of what is heard; 3 is four bodies.
        num_layers: how often neighbours are heard.
        num_basis: Bessel functions of a distance.
        cutoff_exponent: p of the polynomial cut-off.
        radial_channels: hidden layers of the radial networks.
        readout_channels: hidden channels of the last readout.
    """

    channels: int = 128
    hidden_degree: int = 1
    max_degree: int = 3
    correlation: int = 3
    num_layers: int = 2
    num_basis: int = 8
    cutoff_exponent: int = 5
    radial_channels: tuple[int, ...] = (64, 64, 64)
    readout_channels: int = 16

    def __post_init__(self) -> None:
        check(self.num_layers >= 1, f"num_layers must be at least 1, got {self.num_layers}")
        check(self.hidden_degree <= self.max_degree, f"hidden_degree must be at most {self.max_degree}, the harmonics'")

    def irreps(self, degree: int) -> Irreps:
        """`channels` copies of each degree up to that one, with the parity of the harmonics."""
        return Irreps((self.channels, irrep) for _, irrep in Irreps.spherical_harmonics(degree))


class MACE(AtomNetwork):
    """Energies of atoms from products of what they hear (Batatia et al. 2022).

    Args:
        elements: the atomic numbers it knows.
        cutoff: in angstrom.
        avg_num_neighbors: <n>, of the training data, by which the sums are divided.
        shape: how large it is.
        out_channels: numbers of an atom.

    >>> network = MACE(elements=(1, 8), cutoff=5.0, shape=MACEShape(channels=8, max_degree=2))
    >>> vector = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    >>> network(torch.tensor([1, 8]), Adjacency([[0, 1], [1, 0]]), vector).shape
    torch.Size([2, 1])
    """

    equation = Equation(
        name="MACE",
        message="R(|r_ij|) * (W h_j x Y(r_ij))",
        aggregation="sum / average number of neighbours",
        update="W * sum over v <= 3 of w[z_i] U (m_i x .. x m_i) + W[z_i] h_i",
        edges="features",
        readout="sum of every layer's energies",
        cost="e c l^5 + n c l^9, l the degree",
        power="above 1-WL",
        year=2022,
        paper="Batatia et al., MACE: higher order equivariant message passing neural networks for fast and accurate "
        "force fields",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        avg_num_neighbors: float = 1.0,
        shape: MACEShape | None = None,
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        check(avg_num_neighbors > 0, f"avg_num_neighbors must be positive, got {avg_num_neighbors}")
        self.shape = shape = shape or MACEShape()
        self.avg_num_neighbors = float(avg_num_neighbors)
        self.embedding = nn.Parameter(torch.randn(len(self.kinds), shape.channels))
        self.bessel = BesselBasis(cutoff, shape.num_basis)
        self.envelope = PolynomialCutoff(cutoff, shape.cutoff_exponent)
        last = shape.num_layers - 1
        irreps = [shape.irreps(0), *[shape.irreps(shape.hidden_degree)] * last, shape.irreps(0)]
        self.layers = nn.ModuleList(
            MACELayer(before, after, len(self.kinds), shape) for before, after in itertools.pairwise(irreps)
        )
        self.readouts = nn.ModuleList(ScalarMLP([shape.channels, out_channels]) for _ in range(last))
        self.readouts.append(ScalarMLP([shape.channels, shape.readout_channels, out_channels]))

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        element = self.rows_of(z, adj, vector)
        length = lengths(vector)
        radial = self.bessel(length) * self.envelope(length).unsqueeze(1)
        sh = spherical_harmonics(vector, self.shape.max_degree)
        x = self.embedding[element] / sqrt(len(self.kinds))
        out = x.new_zeros(len(x), self.out_channels)
        for layer, readout in zip(self.layers, self.readouts, strict=True):
            x = layer(x, adj, element, radial, sh, 1 / self.avg_num_neighbors)
            out = out + readout(x[:, : self.shape.channels])  # the scalars stand first
        return out


class MACELayer(nn.Module):
    """One sum over neighbours, the products of it, and the old state past them.

    Args:
        irreps_in, irreps_out: of the state before and after, each irrep once and with the shape's channels.
        num_elements: each has weights of its own.
        shape: of the whole network.
    """

    def __init__(self, irreps_in: Irreps, irreps_out: Irreps, num_elements: int, shape: MACEShape):
        super().__init__()
        heard = shape.irreps(shape.max_degree)
        self.past = FullyConnectedTensorProduct(irreps_in, f"{num_elements}x0e", irreps_out)
        self.before = IrrepsLinear(irreps_in, irreps_in)
        self.convolution = Convolution(irreps_in, Irreps.spherical_harmonics(shape.max_degree), heard)
        self.radial = ScalarMLP([shape.num_basis, *shape.radial_channels, self.convolution.num_weights])
        self.mix = IrrepsLinear(self.convolution.irreps, heard)
        self.products = ProductBasis(heard, irreps_out, correlation=shape.correlation, num_elements=num_elements)
        self.after = IrrepsLinear(irreps_out, irreps_out)

    def forward(
        self, x: Tensor, adj: Adjacency, element: Tensor, radial: Tensor, sh: Tensor, scale: float
    ) -> Tensor:  # fmt: skip
        heard = self.convolution(self.before(x), adj, self.radial(radial), sh)
        products = self.products(self.mix(heard) * scale, element)
        return self.after(products) + self.past.of_kinds(x, element)
