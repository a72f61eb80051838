"""What networks of atoms see of a distance: a basis of functions of it, and a cut-off that takes them to zero.

Bessel      B_k(r) = sqrt(2 / c) sin(k pi r / c) / r,  k = 1, 2, ...          (Gasteiger et al. 2020, DimeNet)
Gaussian    G_k(r) = exp(-gamma (r - mu_k)^2)                                 (Schütt et al. 2017, SchNet)
polynomial  u(x) = 1 - (p+1)(p+2)/2 x^p + p(p+2) x^(p+1) - p(p+1)/2 x^(p+2),  x = r / c   (Gasteiger et al. 2020)
cosine      u(x) = (cos(pi x) + 1) / 2                                        (Behler and Parrinello 2007)

The polynomial is flat to its second derivative at the cut-off, the cosine to its first; behind it both are zero.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import threshold

from grapevine.errors import check
from grapevine.nn.linear import check_channels

CutoffName = Literal["none", "cosine", "polynomial"]


def bessel_basis(r: Float[Tensor, " e"], cutoff: float, frequency: Float[Tensor, " k"]) -> Float[Tensor, "e k"]:
    """sqrt(2 / c) sin(f_k pi r / c) / r; f = 1, 2, 3, ... in the paper. Finite with all derivatives at r = 0.

    >>> bessel_basis(torch.tensor([0.0, 2.0]), 2.0, torch.tensor([1.0])).mul(1000).round().tolist()
    [[1571.0], [-0.0]]
    """
    # Nearer than this the basis is flat, and a quotient of two small numbers would be noise.
    r = r.clamp(min=torch.finfo(r.dtype).eps ** (1 / 3)).unsqueeze(1)
    return (frequency * (math.pi / cutoff) * r).sin() * (math.sqrt(2 / cutoff) / r)


def gaussian_basis(r: Float[Tensor, " e"], centers: Float[Tensor, " k"], gamma: float) -> Float[Tensor, "e k"]:
    """exp(-gamma (r - mu_k)^2).

    >>> gaussian_basis(torch.tensor([1.0]), torch.tensor([1.0, 2.0]), 10.0).tolist()[0][0]
    1.0
    """
    apart = r.unsqueeze(1) - centers
    # Zero where the square has no normal float: a product with subnormal numbers takes a hundred times as long.
    lowest = math.log(torch.finfo(r.dtype).tiny) / 2
    return threshold(apart * apart * -gamma, lowest, -math.inf).exp()


def polynomial_cutoff(r: Float[Tensor, "*e"], cutoff: float, p: int = 6) -> Float[Tensor, "*e"]:
    """The polynomial above: 1 at r = 0, and 0 from the cut-off on.

    >>> polynomial_cutoff(torch.tensor([0.0, 1.0, 2.0, 3.0]), 2.0).tolist()
    [1.0, 0.85546875, 0.0, 0.0]
    """
    x = r / cutoff
    shape = (p + 1) * (p + 2) / 2 - x * (p * (p + 2) - x * (p * (p + 1) / 2))
    return torch.where(x < 1, 1 - x.pow(p) * shape, 0.0)


def cosine_cutoff(r: Float[Tensor, "*e"], cutoff: float) -> Float[Tensor, "*e"]:
    """The half wave above: 1 at r = 0, and 0 from the cut-off on.

    >>> cosine_cutoff(torch.tensor([0.0, 2.0, 3.0]), 2.0).tolist()
    [1.0, 0.0, 0.0]
    """
    return torch.where(r < cutoff, 0.5 * ((math.pi / cutoff) * r).cos() + 0.5, 0.0)


def cutoff_factor(r: Float[Tensor, "*e"], cutoff: float, name: CutoffName) -> Float[Tensor, "*e"] | None:
    """The cut-off of that name at each distance; None for "none", with which a network jumps as neighbours leave.

    >>> cutoff_factor(torch.tensor([0.0, 5.0]), 5.0, "cosine").tolist()
    [1.0, 0.0]
    """
    check_cutoff_name(name)
    if name == "none":
        return None
    return cosine_cutoff(r, cutoff) if name == "cosine" else polynomial_cutoff(r, cutoff)


def check_cutoff_name(name: str) -> None:
    """Raise an InputError unless there is a cut-off of that name."""
    known = ("none", "cosine", "polynomial")
    check(name in known, f"cutoff_function must be one of {', '.join(known)}, got {name!r}")


class BesselBasis(nn.Module):
    """The Bessel basis, without a cut-off (Gasteiger et al. 2020).

    Args:
        cutoff: c, in angstrom.
        num_basis: how many functions.
        trainable: learn the frequencies, in units of pi / c, which start at 1, 2, 3, ...

    >>> BesselBasis(5.0)(torch.tensor([1.0, 2.0])).shape
    torch.Size([2, 8])
    """

    frequency: Tensor

    def __init__(self, cutoff: float, num_basis: int = 8, *, trainable: bool = False):
        super().__init__()
        self.cutoff, self.num_basis = _positive(cutoff), num_basis
        check_channels("num_basis", num_basis)
        frequency = torch.arange(1, num_basis + 1, dtype=torch.get_default_dtype())  # whole: exact in every dtype
        if trainable:
            self.frequency = nn.Parameter(frequency)
        else:
            self.register_buffer("frequency", frequency, persistent=False)

    def forward(self, r: Float[Tensor, " e"]) -> Float[Tensor, "e k"]:
        return bessel_basis(r, self.cutoff, self.frequency.to(r.dtype))

    def extra_repr(self) -> str:
        return f"cutoff={self.cutoff}, num_basis={self.num_basis}"


class GaussianBasis(nn.Module):
    """Gaussians on a grid of distances (Schütt et al. 2017).

    Args:
        stop: the last centre, in angstrom.
        num_basis: how many functions.
        start: the first centre.
        gamma: how narrow they are, in 1 / angstrom^2; None gives them a standard deviation of one step of the grid.

    >>> GaussianBasis(5.0, 50)(torch.tensor([1.0, 2.0])).shape
    torch.Size([2, 50])
    """

    def __init__(self, stop: float, num_basis: int, *, start: float = 0.0, gamma: float | None = None):
        super().__init__()
        check(num_basis >= 2, f"num_basis must be 2 or more, got {num_basis}")
        check(stop > start, f"stop must lie behind start, got {start} to {stop}")
        self.start, self.stop, self.num_basis = float(start), float(stop), num_basis
        step = (self.stop - self.start) / (num_basis - 1)
        self.gamma = 0.5 / step**2 if gamma is None else float(gamma)

    def forward(self, r: Float[Tensor, " e"]) -> Float[Tensor, "e k"]:
        # made anew each time, so that they are exact in every dtype
        centers = torch.linspace(self.start, self.stop, self.num_basis, dtype=r.dtype, device=r.device)
        return gaussian_basis(r, centers, self.gamma)

    def extra_repr(self) -> str:
        return f"start={self.start}, stop={self.stop}, num_basis={self.num_basis}, gamma={self.gamma:.4g}"


class PolynomialCutoff(nn.Module):
    """The polynomial cut-off (Gasteiger et al. 2020), flat to its second derivative.

    Args:
        cutoff: c, in angstrom.
        p: the exponent: 6 in DimeNet and NequIP. In the programs of DimeNet an exponent of 5 means this 6.

    >>> PolynomialCutoff(5.0)(torch.tensor([5.0])).tolist()
    [0.0]
    """

    def __init__(self, cutoff: float, p: int = 6):
        super().__init__()
        check(isinstance(p, int) and p >= 2, f"p must be a whole number from 2 on, got {p!r}")
        self.cutoff, self.p = _positive(cutoff), p

    def forward(self, r: Float[Tensor, "*e"]) -> Float[Tensor, "*e"]:
        return polynomial_cutoff(r, self.cutoff, self.p)

    def extra_repr(self) -> str:
        return f"cutoff={self.cutoff}, p={self.p}"


class CosineCutoff(nn.Module):
    """The cosine cut-off (Behler and Parrinello 2007), flat to its first derivative.

    >>> CosineCutoff(5.0)(torch.tensor([0.0, 5.0])).tolist()
    [1.0, 0.0]
    """

    def __init__(self, cutoff: float):
        super().__init__()
        self.cutoff = _positive(cutoff)

    def forward(self, r: Float[Tensor, "*e"]) -> Float[Tensor, "*e"]:
        return cosine_cutoff(r, self.cutoff)

    def extra_repr(self) -> str:
        return f"cutoff={self.cutoff}"


def _positive(cutoff: float) -> float:
    check(cutoff > 0, f"cutoff must be a positive length in angstrom, got {cutoff}")
    return float(cutoff)
