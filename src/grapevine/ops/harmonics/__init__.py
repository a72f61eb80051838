"""Real spherical harmonics of vectors, degree after degree, smooth everywhere.

Y[l, m](v) = r^l P[l, |m|](y / r) {sin |m| phi for m < 0, 1, cos m phi for m > 0},     z + i x = rho exp(i phi)

with y the polar axis, no Condon-Shortley phase and, by "component", the sum over m of Y[l, m]^2 = 2l + 1 for a vector
of length one; so Y[1] is the root of 3 times (x, y, z). Multiplied by r^l they are polynomials, which is what the
operation computes: there is no angle, and no pole. The derivative of one of degree l is a sum of those of degree
l - 1 with constant factors (basis.py), so a gradient is a product of matrices with the output, to any order.

E. W. Hobson, "The theory of spherical and ellipsoidal harmonics", 1931, for the solid ones and their derivatives.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.ops.harmonics import cpu, reference
from grapevine.ops.harmonics.basis import derivative_matrix
from grapevine.ops.runtime.kernel import cpu_kernel

HarmonicsNorm = Literal["component", "norm", "integral"]


def spherical_harmonics(
    vectors: Float[Tensor, "e 3"],
    max_degree: int,
    *,
    normalize: bool = True,
    normalization: HarmonicsNorm = "component",
) -> Float[Tensor, "e k"]:
    """The real harmonics of all degrees up to `max_degree`, by degree and then by m from -l to l.

    Args:
        vectors: [e, 3], x, y and z; float32 or float64.
        max_degree: the highest degree.
        normalize: take the direction of each vector; that of a zero vector is zero, with zero derivatives. Without,
            degree l grows with r^l, and all derivatives are those of a polynomial.
        normalization: the sum of squares of a degree is 2l + 1 by "component", 1 by "norm", and by "integral"
            (2l + 1) / 4 pi, which makes the integral of each square over the sphere 1.

    Returns:
        [e, (max_degree + 1)^2].

    >>> spherical_harmonics(torch.tensor([[0.0, 2.0, 0.0]]), 1, normalization="norm").round().tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    check_tensor("vectors", vectors, ndim=2, dtypes=(torch.float32, torch.float64))
    check(vectors.shape[1] == 3, f"vectors must have 3 columns, x, y and z, got shape {tuple(vectors.shape)}")
    is_degree = isinstance(max_degree, int) and not isinstance(max_degree, bool) and max_degree >= 0
    check(is_degree, f"max_degree must be a whole number from 0, got {max_degree!r}")
    known = ("component", "norm", "integral")
    check(normalization in known, f"normalization must be one of {', '.join(known)}, got {normalization!r}")
    out = harmonics_op(direction(vectors) if normalize else vectors, max_degree)
    if normalization == "integral":
        return out * (4 * math.pi) ** -0.5
    if normalization == "norm":
        sizes = [(2 * degree + 1) ** -0.5 for degree in range(max_degree + 1) for _ in range(2 * degree + 1)]
        return out * out.new_tensor(sizes)
    return out


def direction(vectors: Float[Tensor, "e 3"]) -> Float[Tensor, "e 3"]:
    """Each vector divided by its length; zero, with zero derivatives, where that is zero.

    >>> direction(torch.tensor([[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]])).round(decimals=4).tolist()
    [[0.0, 0.6000000238418579, 0.800000011920929], [0.0, 0.0, 0.0]]
    """
    square = vectors.square().sum(1, keepdim=True)
    is_zero = square == 0
    return (vectors / square.masked_fill(is_zero, 1).sqrt()).masked_fill(is_zero, 0)


@torch.library.custom_op("grapevine::harmonics", mutates_args=())
def harmonics_op(vectors: Tensor, max_degree: int) -> Tensor:
    """[e, (max_degree + 1)^2] the solid harmonics r^l Y[l, m], by "component"."""
    return reference.harmonics(vectors, max_degree)


@cpu_kernel("harmonics")
def _(vectors, max_degree):
    return cpu.harmonics(vectors, max_degree)


@harmonics_op.register_fake
def _(vectors, max_degree):
    return vectors.new_empty(vectors.shape[0], (max_degree + 1) ** 2)


def _save(ctx, inputs, output) -> None:
    _, ctx.max_degree = inputs
    ctx.save_for_backward(output)


def _backward(ctx, grad):
    (out,) = ctx.saved_tensors
    lower = out[:, : ctx.max_degree**2]  # what the derivatives are made of
    if ctx.max_degree == 0:
        return grad.new_zeros(grad.shape[0], 3), None
    matrix = torch.as_tensor(derivative_matrix(ctx.max_degree), dtype=grad.dtype, device=grad.device)
    by_axis = (grad @ matrix.flatten(1)).unflatten(1, matrix.shape[1:])
    return (by_axis @ lower.unsqueeze(2)).squeeze(2), None


harmonics_op.register_autograd(_backward, setup_context=_save)
