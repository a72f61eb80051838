"""The convolution of equivariant networks: neighbours' features, coupled with the direction in which they are seen.

m_i = sum over j in N(i) of  R(|r_ij|) * (h_j x Y(r_ij))          (Thomas et al. 2018, Tensor field networks)

x couples a block of the feature with a degree of the harmonics to an irrep, each channel for itself ("uvu"); a path of
that kind has a weight for each channel, which a network R makes of the distance.
"""

from math import sqrt

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.irreps import Irrep, Irreps, IrrepsLike
from grapevine.ops.tensor_product import Path, Paths, tensor_product


class Convolution(nn.Module):
    """Every path from the feature and the harmonics to the irreps that are wanted.

    Args:
        irreps_in: of the neighbours' features.
        irreps_sh: of the harmonics, each degree once, one copy.
        irreps_out: which irreps are wanted; how many copies does not matter here.

    Attributes:
        irreps: of what comes out: one block of each wanted irrep, the channels of all its paths side by side.
        num_weights: of an edge, a path after the other.

    Raises:
        InputError: if no path leads to any of the wanted irreps.

    >>> convolution = Convolution("4x0e + 4x1o", "1x0e + 1x1o", "1x0e + 1x1o")
    >>> convolution
    Convolution(4x0e + 4x1o, 1x0e + 1x1o -> 8x0e + 8x1o, 4 paths)
    """

    def __init__(self, irreps_in: IrrepsLike, irreps_sh: IrrepsLike, irreps_out: IrrepsLike):
        super().__init__()
        self.irreps_in, self.irreps_sh = Irreps(irreps_in), Irreps(irreps_sh)
        found = _triples(self.irreps_in, self.irreps_sh, Irreps(irreps_out))
        check(len(found) > 0, f"no path leads from {self.irreps_in} and {self.irreps_sh} to any of {irreps_out}")
        self.irreps = Irreps((self.irreps_in[a].mul, irrep) for irrep, a, _ in found).simplify()
        self.paths = _paths(found, self.irreps_in, self.irreps_sh, self.irreps)
        self.num_weights = self.paths.weight_width

    def forward(
        self, x: Float[Tensor, "n a"], adj: Adjacency, weight: Float[Tensor, "e w"], sh: Float[Tensor, "e s"]
    ) -> Float[Tensor, "n b"]:
        """The sum of the neighbours' features, coupled and weighted; weight and sh in the order of `adj`."""
        return tensor_product(adj.pattern, self.paths, x, weight, sh)

    def extra_repr(self) -> str:
        return f"{self.irreps_in}, {self.irreps_sh} -> {self.irreps}, {len(self.paths)} paths"


def _triples(irreps_in: Irreps, irreps_sh: Irreps, wanted: Irreps) -> list[tuple[Irrep, int, int]]:
    """(irrep, block of x, block of sh) of each path, those to one irrep together."""
    found = [
        (irrep, a, s)
        for a, (_, of_x) in enumerate(irreps_in)
        for s, (_, of_sh) in enumerate(irreps_sh)
        for irrep in of_x * of_sh
        if irrep in wanted
    ]
    return sorted(found, key=lambda path: path[0])  # stable: in the order of x and sh within an irrep


def _paths(found: list[tuple[Irrep, int, int]], irreps_in: Irreps, irreps_sh: Irreps, irreps: Irreps) -> Paths:
    """A coupling's root of 2l + 1 gives every component of a path's output the variance of its weights."""
    starts, widths = {}, {}
    for columns, (mul, irrep) in zip(irreps.slices, irreps, strict=True):
        starts[irrep], widths[irrep] = columns.start, mul
    paths = []
    for irrep, a, s in found:
        mul, of_x = irreps_in[a]
        coupling = clebsch_gordan(of_x.degree, irreps_sh[s].irrep.degree, irrep.degree) * sqrt(irrep.dim)
        first = irreps_in.slices[a].start, irreps_sh.slices[s].start, starts[irrep]
        paths.append(Path(*first, mul, coupling, out_stride=widths[irrep]))
        starts[irrep] += mul
    return Paths(paths, in_width=irreps_in.dim, sh_width=irreps_sh.dim, out_width=irreps.dim)
