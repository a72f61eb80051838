"""DimeNet++: messages between bonds, which see the angle they turn by (Gasteiger et al. 2020).

m_ji  = f(A [h_i, h_j, f(B e(r_ji))])                                    e the Bessel functions times the cut-off
m_ji' = g(f(W1 m_ji) + f(U sum over k of (R a(r_kj, angle_kji)) * f(D (W2 m_kj * Q e(r_kj)))) + ...)
out_i = sum over the layers of MLP(O sum over j of m_ji * P e(r_ji))     k is not i; f is silu, g residual layers

What the authors' program does otherwise than the text of their papers, and mode="reference" with it:
- it takes the angle between the two bonds as one goes on into the other, 180 degrees minus the text's angle at j;
- its cut-off is u(x) / x with x = r / c, for both bases: e is then without the text's factor sqrt(2 / c) / c, and the
  functions of the angle have a factor 1 / x that the text has not. Its exponent of 5 is the text's p = 6;
- its functions of the angle are those of x, without the text's factor c^(-3/2);
- the frequencies of e are learnt.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.dimenet_basis import angle_basis, spherical_bessel_basis, turns
from grapevine.nn.equivariant.geometry import directions, lengths
from grapevine.nn.equivariant.radial import BesselBasis, polynomial_cutoff
from grapevine.nn.linear import Linear, check_channels
from grapevine.ops.epilogue import epilogue
from grapevine.ops.filter_sum import Filters, filter_sum
from grapevine.ops.gather import gather
from grapevine.ops.linear import linear
from grapevine.ops.sddmm import sddmm
from grapevine.ops.segment import segment_reduce

Mode = Literal["paper", "reference"]
OutputStart = Literal["orthogonal", "zeros"]

_INSIDE = 1e-3  # of the cut-off: nearer than this u(x) / x is held


class DimeNetPlusPlus(AtomNetwork):
    """DimeNet++ (Gasteiger et al. 2020, "Fast and uncertainty-aware directional message passing").

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: width of the messages.
        num_layers: how many interactions.
        turn_channels: width of the messages where bonds meet.
        basis_channels: width between the basis and those.
        out_hidden_channels: width of the atoms' states in the readouts.
        num_spherical, num_radial: how many functions of the angle, and of each distance.
        mode: "paper", or "reference" for what the authors' program does, as said above.
        output_start: what the last map of every readout starts from: "orthogonal", as the authors take for energies and
            other sums over atoms, or "zeros", which they take for dipole moments, HOMO, LUMO and zero-point energies.
        out_channels: how many numbers an atom is given.

    >>> network = DimeNetPlusPlus(elements=(1, 8), hidden_channels=16)
    >>> water = Adjacency([[0, 1, 0, 2], [1, 0, 2, 0]])
    >>> network(torch.tensor([8, 1, 1]), water, torch.randn(4, 3)).shape
    torch.Size([3, 1])
    """

    equation: ClassVar[Equation] = Equation(
        name="DimeNet++",
        message="m_kj times filters of r_kj and of the angle between k, j and i",
        aggregation="sum over the neighbours k of j but i",
        update="m_ji' = MLP(m_ji, what it hears); h_i is a sum of m_ji after each layer",
        edges="features, updated",
        readout="MLP of every layer, then sum",
        cost="t c + e c^2, with t pairs of bonds that meet",
        power="above 1-WL",
        year=2020,
        paper="Gasteiger et al., Fast and uncertainty-aware directional message passing for non-equilibrium molecules",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        hidden_channels: int = 128,
        num_layers: int = 4,
        turn_channels: int = 64,
        basis_channels: int = 8,
        out_hidden_channels: int = 256,
        num_spherical: int = 7,
        num_radial: int = 6,
        mode: Mode = "paper",
        output_start: OutputStart = "orthogonal",
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        sizes = (
            ("hidden_channels", hidden_channels), ("turn_channels", turn_channels), ("num_spherical", num_spherical),
            ("basis_channels", basis_channels), ("out_hidden_channels", out_hidden_channels),
            ("num_layers", num_layers),
        )  # fmt: skip
        for name, size in sizes:
            check_channels(name, size)
        check(mode in ("paper", "reference"), f"mode must be paper or reference, got {mode!r}")
        check(
            output_start in ("orthogonal", "zeros"), f"output_start must be orthogonal or zeros, got {output_start!r}"
        )
        self.mode: Mode = mode
        self.num_spherical, self.num_radial = num_spherical, num_radial
        self.basis = BesselBasis(cutoff, num_radial, trainable=mode == "reference")
        self.embedding = _Embedding(len(self.elements), hidden_channels, num_radial)
        self.layers = nn.ModuleList(
            _Interaction((hidden_channels, turn_channels, basis_channels), num_radial, num_spherical * num_radial)
            for _ in range(num_layers)
        )
        self.readouts = nn.ModuleList(
            _Readout((hidden_channels, out_hidden_channels, out_channels), num_radial, output_start)
            for _ in range(num_layers + 1)
        )

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        kind = self.rows_of(z, adj, vector)
        near, met, filters = self._bases(adj, vector)
        m = self.embedding(kind, adj, near)
        out = self.readouts[0](adj, m, near)
        for layer, readout in zip(self.layers, self.readouts[1:], strict=True):
            m = layer(m, near, met, filters)
            out = out + readout(adj, m, near)
        return out

    def _bases(self, adj: Adjacency, vector: Tensor) -> tuple[Tensor, Tensor, Filters]:
        """The basis of each edge, of each two edges that meet, and which these are."""
        r, c = lengths(vector), self.cutoff
        factor = polynomial_cutoff(r, c)
        far = spherical_bessel_basis(r, c, num_spherical=self.num_spherical, num_radial=self.num_radial)
        near = self.basis(r)
        if self.mode == "reference":
            inverse = c / r.clamp(min=_INSIDE * c)
            near = near * (c * (c / 2) ** 0.5)
            far = far * inverse.view(-1, 1, 1)
        else:
            far = far * c**-1.5
        pattern, unit = turns(adj, vector), directions(vector, r)
        along = sddmm(pattern, unit, unit)  # the cosine between the bonds, as one goes on into the other
        angles = angle_basis(along if self.mode == "reference" else -along, self.num_spherical)
        met = gather(pattern, far * factor.view(-1, 1, 1)) * angles.unsqueeze(2)
        return near * factor.unsqueeze(1), met.flatten(1), Filters.each(pattern)


class _Embedding(nn.Module):
    """The first message of each bond, from its two atoms and its length."""

    def __init__(self, num_elements: int, channels: int, num_radial: int):
        super().__init__()
        self.embedding = nn.Embedding(num_elements, channels)
        nn.init.uniform_(self.embedding.weight, -(3**0.5), 3**0.5)
        self.lin_basis = _started(Linear(num_radial, channels))
        self.lin = _started(Linear(3 * channels, channels))

    def forward(self, kind: Tensor, adj: Adjacency, near: Tensor) -> Tensor:
        h, of_distance = self.embedding(kind), _dense(self.lin_basis, near)
        of_dst, of_src, of_basis = self.lin.weight.chunk(3, dim=1)
        joint = gather(adj.pattern, linear(h, of_dst), side="rows") + gather(adj.pattern, linear(h, of_src))
        return epilogue(torch.addmm(joint, of_distance, of_basis.T), self.lin.bias, activation="silu")


class _Interaction(nn.Module):
    """What a bond hears from those that go on into it."""

    def __init__(self, widths: tuple[int, int, int], num_radial: int, num_met: int):
        super().__init__()
        channels, turn_channels, basis_channels = widths
        self.lin_near1 = _started(Linear(num_radial, basis_channels, bias=False))
        self.lin_near2 = _started(Linear(basis_channels, channels, bias=False))
        self.lin_met1 = _started(Linear(num_met, basis_channels, bias=False))
        self.lin_met2 = _started(Linear(basis_channels, turn_channels, bias=False))
        self.lin_own, self.lin_other = (_started(Linear(channels, channels)) for _ in range(2))
        self.lin_down = _started(Linear(channels, turn_channels, bias=False))
        self.lin_up = _started(Linear(turn_channels, channels, bias=False))
        self.before = nn.ModuleList([_Residual(channels)])
        self.lin = _started(Linear(channels, channels))
        self.after = nn.ModuleList([_Residual(channels) for _ in range(2)])

    def forward(self, m: Tensor, near: Tensor, met: Tensor, filters: Filters) -> Tensor:
        of_near = linear(near, self.lin_near2.weight @ self.lin_near1.weight)  # two maps with nothing between them
        spoken = _dense(self.lin_down, _dense(self.lin_other, m) * of_near)
        heard = filter_sum(filters, spoken, self.lin_met2(self.lin_met1(met)))
        h = _dense(self.lin_own, m) + _dense(self.lin_up, heard)
        for layer in self.before:
            h = layer(h)
        h = _dense(self.lin, h) + m
        for layer in self.after:
            h = layer(h)
        return h


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.lin1, self.lin2 = _started(Linear(channels, channels)), _started(Linear(channels, channels))

    def forward(self, h: Tensor) -> Tensor:
        return h + _dense(self.lin2, _dense(self.lin1, h))


class _Readout(nn.Module):
    """What the messages into an atom say of it."""

    def __init__(self, widths: tuple[int, int, int], num_radial: int, start: OutputStart):
        super().__init__()
        channels, hidden, out_channels = widths
        self.lin_near = _started(Linear(num_radial, channels, bias=False))
        self.lin_up = _started(Linear(channels, hidden, bias=False))
        self.hidden = nn.ModuleList(_started(Linear(hidden, hidden)) for _ in range(3))
        self.lin_out = _started(Linear(hidden, out_channels, bias=False))
        if start == "zeros":
            nn.init.zeros_(self.lin_out.weight)

    def forward(self, adj: Adjacency, m: Tensor, near: Tensor) -> Tensor:
        h = self.lin_up(segment_reduce(adj.pattern, self.lin_near(near) * m))
        for layer in self.hidden:
            h = _dense(layer, h)
        return self.lin_out(h)


def _dense(layer: nn.Module, x: Tensor) -> Tensor:
    """silu(W x + b)"""
    assert isinstance(layer, Linear)
    return epilogue(linear(x, layer.weight), layer.bias, activation="silu")


def _started(layer: Linear) -> Linear:
    """The layer with random orthogonal rows or columns, scaled to Glorot's variance, as the authors start it."""
    with torch.no_grad():
        weight = nn.init.orthogonal_(layer.weight)
        spread = weight.var() if weight.numel() > 1 else weight.square().mean()
        weight.mul_((2 / (sum(weight.shape) * spread)).sqrt())
    return layer
