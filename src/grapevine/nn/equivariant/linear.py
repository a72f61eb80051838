"""Linear maps that commute with rotations and mirrors: copies of one irrep mix, components never do (Schur).

y[k, w] = 1 / root(fan) times the sum over u of x[k, u] W[u, w]      of each irrep; fan: its copies in x

(M. Geiger, T. Smidt, "e3nn: Euclidean neural networks", 2022, for the normalisation, weights of variance one.)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.nn.equivariant.irreps import Irrep, Irreps, IrrepsLike
from grapevine.nn.equivariant.layout import by_irrep, from_irreps, places

_SCALAR = Irrep(0, 1)


class IrrepsLinear(nn.Module):
    """A linear map of flat features, one matrix product an irrep; an irrep that x has not comes out as zeros.

    `weights` holds one [copies in, copies out] an irrep, by its name, with all blocks of that irrep together.

    Args:
        irreps_in: what comes in.
        irreps_out: what comes out.
        bias: add a bias to the even scalars, 0e; it starts at zero.

    >>> layer = IrrepsLinear("4x0e + 2x1o", "3x0e + 5x1o")
    >>> layer(torch.ones(7, 10)).shape, layer.weights["1o"].shape
    (torch.Size([7, 18]), torch.Size([2, 5]))
    """

    def __init__(self, irreps_in: IrrepsLike, irreps_out: IrrepsLike, *, bias: bool = False):
        super().__init__()
        self.irreps_in, self.irreps_out = Irreps(irreps_in), Irreps(irreps_out)
        shared = dict.fromkeys(block.irrep for block in self.irreps_out if self.irreps_in.count(block.irrep))
        self.irreps = tuple(shared)
        sizes = {str(irrep): (self.irreps_in.count(irrep), self.irreps_out.count(irrep)) for irrep in shared}
        self.weights = nn.ParameterDict({name: nn.Parameter(torch.empty(size)) for name, size in sizes.items()})
        self.bias = nn.Parameter(torch.zeros(self.irreps_out.count("0e"))) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew, and set the bias to zero."""
        for weight in self.weights.values():
            nn.init.normal_(weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n out"]:
        parts, made = by_irrep(x, self.irreps_in), {}
        for irrep in self.irreps:
            weight = self.weights[str(irrep)]
            made[irrep] = parts[irrep] @ (weight * weight.shape[0] ** -0.5)
        if self.bias is not None:
            made[_SCALAR] = made[_SCALAR] + self.bias if _SCALAR in made else self.bias.expand(x.shape[0], 1, -1)
        return from_irreps(made, self.irreps_out, like=x)

    @torch.no_grad()
    def load_e3nn(self, weight: Float[Tensor, " w"], bias: Float[Tensor, " b"] | None = None) -> None:
        """Take over the flat weight, and the bias, of e3nn's `Linear` of the same irreps.

        There the pairs of equal irreps follow one another, by input block and then by output block, and each is
        [mul in, mul out] by rows.
        """
        check_tensor("weight", weight, ndim=1)
        pairs = [
            self.weights[str(irrep)][start : start + mul, begin : begin + wide]
            for irrep, mul, start in places(self.irreps_in)
            for other, wide, begin in places(self.irreps_out)
            if irrep == other and mul > 0
        ]
        copy_flat(weight, pairs)
        if self.bias is not None and bias is not None:
            copy_flat(bias, [self.bias])
        else:
            check(self.bias is None and (bias is None or bias.numel() == 0), "one of the two has a bias, not the other")

    def extra_repr(self) -> str:
        return f"{self.irreps_in} -> {self.irreps_out}"


def copy_flat(flat: Float[Tensor, " w"], views: list[Tensor]) -> None:
    """Fill the views one after another with a flat weight; an InputError where their numbers differ."""
    wanted = sum(view.numel() for view in views)
    check(flat.numel() == wanted, f"the flat weight must have {wanted} numbers for these irreps, got {flat.numel()}")
    for view, part in zip(views, flat.split([view.numel() for view in views]), strict=True):
        view.copy_(part.reshape(view.shape))
