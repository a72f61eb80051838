"""Normalisations that commute with rotations and mirrors: whole irreps are scaled, their components alike.

norm:       |x[u]|^2 = the sum over k of x[k, u]^2
component:  |x[u]|^2 / (2l + 1), which is one for components of variance one

`IrrepsLayerNorm`: x[u] -> w[u] x[u] / root(the mean of that over the copies u of its irrep), where even scalars are
first freed of their mean (Y.-L. Liao, T. Smidt, "Equiformer", 2023).
"""

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.equivariant.irreps import Irreps, IrrepsLike
from grapevine.nn.equivariant.layout import join, split

FeatureNorm: TypeAlias = Literal["component", "norm"]


def squared_norms(
    x: Float[Tensor, "n dim"], irreps: IrrepsLike, *, normalization: FeatureNorm = "norm"
) -> Float[Tensor, "n num"]:
    """A number for each copy of each irrep: its sum of squares, by "component" their mean.

    >>> squared_norms(torch.tensor([[2.0, 1.0, 2.0, 2.0]]), "0e + 1o").tolist()
    [[4.0, 9.0]]
    """
    _check_norm(normalization)
    irreps = Irreps(irreps)
    parts = [_squares(part, normalization).flatten(1) for part in split(x, irreps)]
    return torch.cat(parts, dim=1) if parts else x


def normalize_features(
    x: Float[Tensor, "n dim"], irreps: IrrepsLike, *, normalization: FeatureNorm = "component"
) -> Float[Tensor, "n dim"]:
    """Each copy of each irrep scaled to a sum of squares of 1, by "component" a mean of 1; a zero one stays zero.

    >>> normalize_features(torch.tensor([[-2.0, 0.0, 3.0, 4.0]]), "0e + 1o", normalization="norm").tolist()
    [[-1.0, 0.0, 0.6000000238418579, 0.800000011920929]]
    """
    _check_norm(normalization)
    irreps, made = Irreps(irreps), []
    for part in split(x, irreps):
        squares = _squares(part, normalization)
        is_zero = squares == 0
        made.append((part / squares.masked_fill(is_zero, 1).sqrt()).masked_fill(is_zero, 0))
    return join(made) if made else x


class IrrepsLayerNorm(nn.Module):
    """Each node over the copies of each of its blocks (Liao and Smidt 2023).

    Args:
        irreps: of the features, which it keeps.
        normalization: what a block is brought to on average: components of variance one, or norms of one.
        affine: learn a factor for each copy, and a bias for each even scalar.
        eps: added under the root.

    >>> norm = IrrepsLayerNorm("2x0e + 1x1o")
    >>> norm(torch.tensor([[1.0, 3.0, 0.0, 0.0, 9.0]])).detach().round(decimals=2).tolist()
    [[-1.0, 1.0, 0.0, 0.0, 1.7300000190734863]]
    """

    def __init__(
        self,
        irreps: IrrepsLike,
        *,
        normalization: FeatureNorm = "component",
        affine: bool = True,
        eps: float = 1e-5,
    ):
        super().__init__()
        _check_norm(normalization)
        check(eps > 0, f"eps must be positive, got {eps!r}")
        self.irreps, self.eps = Irreps(irreps), eps
        self.normalization: FeatureNorm = normalization
        self.weight = nn.Parameter(torch.ones(self.irreps.num)) if affine else None
        self.bias = nn.Parameter(torch.zeros(self.irreps.count("0e"))) if affine else None

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n dim"]:
        made, start, scalars = [], 0, 0
        for (mul, irrep), part in zip(self.irreps, split(x, self.irreps), strict=True):
            if irrep.is_scalar:
                part = part - part.mean(2, keepdim=True)
            part = part * (_squares(part, self.normalization).mean(2, keepdim=True) + self.eps).rsqrt()
            if self.weight is not None and self.bias is not None:
                part = part * self.weight[start : start + mul]
                if irrep.is_scalar:
                    part = part + self.bias[scalars : scalars + mul]
                    scalars += mul
            made.append(part)
            start += mul
        return join(made) if made else x

    def extra_repr(self) -> str:
        return f"{self.irreps}, normalization={self.normalization!r}"


def _squares(part: Tensor, normalization: FeatureNorm) -> Tensor:
    """[n, 1, mul]."""
    square = part.square()
    return square.sum(1, keepdim=True) if normalization == "norm" else square.mean(1, keepdim=True)


def _check_norm(normalization: str) -> None:
    check(normalization in ("component", "norm"), f"normalization must be component or norm, got {normalization!r}")
