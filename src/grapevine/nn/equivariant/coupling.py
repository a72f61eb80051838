"""Real Clebsch-Gordan coefficients: how two irreps make a third.

z[k] = the sum over i, j of C[i, j, k] x[i] y[j]     with   sum over i, j, k of C[i, j, k]^2 = 1

(G. Racah, "Theory of complex spectra II", 1942, for the complex ones; these are exact roots of fractions.)

In the basis of `ops.harmonics` (y the polar axis, l = 1 is x, y, z; no Condon-Shortley phase) C is the complex one
times i^(l1 + l2 - l3), over the root of 2 l3 + 1. What that fixes:

- l1 + l2 + l3 even: the entry of all m = 0 is positive. So the product of the harmonics of degrees l1 and l2 of one
  direction is a positive multiple of those of degree l3; (1, 1, 0) is the scalar product over the root of 3.
- l1 + l2 + l3 odd: (1, 1, 1) is the cross product over the root of 6, C[x, y, z] > 0.
- Swapping two degrees transposes C and multiplies it by (-1)^(l1 + l2 + l3).
"""

from fractions import Fraction
from functools import cache
from math import factorial, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import check
from grapevine.ops.harmonics.basis import real_of_complex

_ZERO = 1e-14  # what is left of sums that cancel


def clebsch_gordan(l1: int, l2: int, l3: int) -> Float[Tensor, "p q r"]:
    """The real coefficients [2 l1 + 1, 2 l2 + 1, 2 l3 + 1] in float64, of norm 1; zeros elsewhere are exact.

    Raises:
        InputError: unless the degrees are whole numbers and |l1 - l2| <= l3 <= l1 + l2.

    >>> (clebsch_gordan(1, 1, 0).squeeze(-1) * 3**0.5).round(decimals=12).diagonal().tolist()
    [1.0, 1.0, 1.0]
    """
    for degree in (l1, l2, l3):
        is_degree = isinstance(degree, int) and not isinstance(degree, bool) and degree >= 0
        check(is_degree, f"a degree is a whole number from 0, got {degree!r}")
    check(abs(l1 - l2) <= l3 <= l1 + l2, f"degrees {l1} and {l2} make {abs(l1 - l2)} to {l1 + l2}, not {l3}")
    return _coefficients(l1, l2, l3).clone()


@cache
def _coefficients(l1: int, l2: int, l3: int) -> Tensor:
    complex_ = torch.zeros(2 * l1 + 1, 2 * l2 + 1, 2 * l3 + 1, dtype=torch.complex128)
    for m1 in range(-l1, l1 + 1):
        for m2 in range(max(-l2, -l3 - m1), min(l2, l3 - m1) + 1):
            complex_[l1 + m1, l2 + m2, l3 + m1 + m2] = _racah(l1, m1, l2, m2, l3)
    first, second, third = (torch.tensor(real_of_complex(degree)) for degree in (l1, l2, l3))
    by_first = torch.einsum("ia,abc->ibc", first, complex_)
    by_second = torch.einsum("jb,ibc->ijc", second, by_first)
    mixed = torch.einsum("kc,ijc->ijk", third.conj(), by_second)
    real = (mixed * 1j ** (l1 + l2 - l3)).real / sqrt(2 * l3 + 1)
    return torch.where(real.abs() < _ZERO, 0.0, real)


def _racah(l1: int, m1: int, l2: int, m2: int, l3: int) -> float:
    """<l1 m1 l2 m2 | l3 m1 + m2> with the phases of Condon and Shortley: a sum of fractions, times a root."""
    m3 = m1 + m2
    first, last = max(0, l2 - l3 - m1, l1 - l3 + m2), min(l1 + l2 - l3, l1 - m1, l2 + m2)
    total = Fraction(0)
    for k in range(first, last + 1):
        below = _product(k, l1 + l2 - l3 - k, l1 - m1 - k, l2 + m2 - k, l3 - l2 + m1 + k, l3 - l1 - m2 + k)
        total += Fraction((-1) ** k, below)
    triangle = Fraction(_product(l1 + l2 - l3, l1 - l2 + l3, l2 + l3 - l1), factorial(l1 + l2 + l3 + 1))
    ends = _product(l1 + m1, l1 - m1, l2 + m2, l2 - m2, l3 + m3, l3 - m3)
    size = sqrt(total * total * triangle * ends * (2 * l3 + 1))
    return size if total > 0 else -size


def _product(*numbers: int) -> int:
    """The product of their factorials."""
    made = 1
    for number in numbers:
        made *= factorial(number)
    return made
