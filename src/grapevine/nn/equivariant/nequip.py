"""NequIP: messages are tensor products of neighbours' features with the directions they are seen in.

m_i = 1 / root(<n>) sum over j in N(i) of R(r_ij) * (W h_j x Y(r_ij))
h_i' = gate(W m_i + W[z_i] h_i),     E_i = W W h_i

Batzner, Musaelian, Sun, Geiger, Mailoa, Kornbluth, Molinari, Smidt & Kozinsky 2022, "E(3)-equivariant graph neural
networks for data-efficient and accurate interatomic potentials". <n> is the average number of neighbours. The first
layer has no self-connection W[z_i] h_i: its state is the element and nothing else.
"""

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
from grapevine.nn.equivariant.gate import Gate
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.irreps import Irrep, Irreps
from grapevine.nn.equivariant.linear import IrrepsLinear
from grapevine.nn.equivariant.radial import BesselBasis, PolynomialCutoff
from grapevine.nn.equivariant.scalar_mlp import ScalarMLP
from grapevine.nn.equivariant.tensor_product import FullyConnectedTensorProduct
from grapevine.ops.harmonics import spherical_harmonics


@dataclass(frozen=True)
class NequIPShape:
    """How large a NequIP is; the defaults are those of the authors' program, with the paper's degree 2.

    Args:
        channels: copies of each irrep.
        max_degree: of features and harmonics.
        parity: keep features of both parities; False: only those of the harmonics.
        num_layers: how often neighbours are heard.
        num_basis: Bessel functions of a distance, which are learnt.
        cutoff_exponent: p of the polynomial cut-off.
        radial_channels: hidden layers of the radial networks.
        readout_channels: of the readout's middle.
    """

    channels: int = 32
    max_degree: int = 2
    parity: bool = True
    num_layers: int = 4
    num_basis: int = 8
    cutoff_exponent: int = 6
    radial_channels: tuple[int, ...] = (64, 64)
    readout_channels: int = 16

    def __post_init__(self) -> None:
        check(self.num_layers >= 1, f"num_layers must be at least 1, got {self.num_layers}")
        check(self.max_degree >= 0, f"max_degree must be 0 or more, got {self.max_degree}")

    @property
    def irreps(self) -> Irreps:
        """What a state may be made of."""
        natural = [(-1) ** degree for degree in range(self.max_degree + 1)]
        parities = [(parity, -parity) if self.parity else (parity,) for parity in natural]
        return Irreps(
            (self.channels, Irrep(degree, parity)) for degree, both in enumerate(parities) for parity in both
        ).sort()


class NequIP(AtomNetwork):
    """Energies of atoms from equivariant messages (Batzner et al. 2022).

    Args:
        elements: the atomic numbers it knows.
        cutoff: in angstrom.
        avg_num_neighbors: <n>, of the training data; sums are divided by its root.
        shape: how large it is.
        out_channels: numbers of an atom.

    >>> network = NequIP(elements=(1, 8), cutoff=4.0, shape=NequIPShape(channels=8, max_degree=1, num_layers=2))
    >>> vector = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    >>> network(torch.tensor([1, 8]), Adjacency([[0, 1], [1, 0]]), vector).shape
    torch.Size([2, 1])
    """

    equation = Equation(
        name="NequIP",
        message="R(|r_ij|) * (W h_j x Y(r_ij))",
        aggregation="sum / root of the average number of neighbours",
        update="gate(W m_i + W[z_i] h_i)",
        edges="features",
        readout="sum of energies",
        cost="e c l^5 + n c^2 l, l the degree",
        power="above 1-WL",
        year=2022,
        paper="Batzner et al., E(3)-equivariant graph neural networks for data-efficient and accurate interatomic "
        "potentials",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 4.0,
        avg_num_neighbors: float = 1.0,
        shape: NequIPShape | None = None,
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        check(avg_num_neighbors > 0, f"avg_num_neighbors must be positive, got {avg_num_neighbors}")
        self.shape = shape = shape or NequIPShape()
        self.avg_num_neighbors = float(avg_num_neighbors)
        self.embedding = nn.Parameter(torch.randn(len(self.kinds), shape.channels))
        self.bessel = BesselBasis(cutoff, shape.num_basis, trainable=True)
        self.envelope = PolynomialCutoff(cutoff, shape.cutoff_exponent)
        layers, irreps = [], Irreps([(shape.channels, Irrep(0, 1))])
        for number in range(shape.num_layers):
            layers.append(NequIPLayer(irreps, len(self.kinds), shape, has_self=number > 0))
            irreps = layers[-1].gate.irreps_out
        self.layers = nn.ModuleList(layers)
        self.readout = nn.Sequential(
            IrrepsLinear(irreps, f"{shape.readout_channels}x0e"),
            IrrepsLinear(f"{shape.readout_channels}x0e", f"{out_channels}x0e"),
        )

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        element = self.rows_of(z, adj, vector)
        length = lengths(vector)
        radial = self.bessel(length) * self.envelope(length).unsqueeze(1)
        sh = spherical_harmonics(vector, self.shape.max_degree)
        x = self.embedding[element] / sqrt(len(self.kinds))
        for layer in self.layers:
            x = layer(x, adj, element, radial, sh, self.avg_num_neighbors**-0.5)
        return self.readout(x)


class NequIPLayer(nn.Module):
    """One convolution, the old state past it, and a gate. Irreps that no path leads to are left out.

    Args:
        irreps_in: of the state before.
        num_elements: each has a self-connection of its own.
        shape: of the whole network.
        has_self: whether there is a self-connection.
    """

    def __init__(self, irreps_in: Irreps, num_elements: int, shape: NequIPShape, *, has_self: bool):
        super().__init__()
        harmonics = Irreps.spherical_harmonics(shape.max_degree)
        reached = irreps_in * harmonics
        self.gate = Gate(Irreps(block for block in shape.irreps if block.irrep in reached))
        self.before = IrrepsLinear(irreps_in, irreps_in)
        self.convolution = Convolution(irreps_in, harmonics, self.gate.irreps_in)
        self.radial = ScalarMLP([shape.num_basis, *shape.radial_channels, self.convolution.num_weights])
        self.mix = IrrepsLinear(self.convolution.irreps, self.gate.irreps_in)
        self.past = (
            FullyConnectedTensorProduct(irreps_in, f"{num_elements}x0e", self.gate.irreps_in) if has_self else None
        )

    def forward(
        self, x: Tensor, adj: Adjacency, element: Tensor, radial: Tensor, sh: Tensor, scale: float
    ) -> Tensor:  # fmt: skip
        heard = self.mix(self.convolution(self.before(x), adj, self.radial(radial), sh) * scale)
        return self.gate(heard if self.past is None else heard + self.past.of_kinds(x, element))
