"""The constants of the real harmonics: what they are in the complex ones, and how they derive from one another.

real[l] = U[l] complex[l],      d Y[p] / d v[i] = the sum over q of M[p, i, q] Y[q]      (q one degree below p)

For complex solid harmonics R[l, m], with Z the polar axis and a the root of (2l + 1) / (2l - 1):

(d/dX + i d/dY) R[l, m] =   a root((l - m) (l - m - 1)) R[l - 1, m + 1]
(d/dX - i d/dY) R[l, m] = - a root((l + m) (l + m - 1)) R[l - 1, m - 1]
          d/dZ  R[l, m] =   a root((l - m) (l + m))     R[l - 1, m]

The axes X, Y, Z of the complex ones are z, x, y of ours.
"""

from functools import cache
from math import sqrt

import numpy as np

_ZERO = 1e-14  # what is left of sums that cancel


@cache
def real_of_complex(degree: int) -> np.ndarray:
    """The unitary matrix [2l + 1, 2l + 1] from the complex harmonics to the real ones, both by m from -l to l."""
    matrix = np.zeros((2 * degree + 1, 2 * degree + 1), np.complex128)
    matrix[degree, degree] = 1
    for m in range(1, degree + 1):
        plus, minus, sign = degree + m, degree - m, (-1) ** m
        matrix[plus, minus], matrix[plus, plus] = sqrt(0.5), sign * sqrt(0.5)
        matrix[minus, minus], matrix[minus, plus] = 1j * sqrt(0.5), -1j * sign * sqrt(0.5)
    matrix.flags.writeable = False
    return matrix


@cache
def derivative_matrix(max_degree: int) -> np.ndarray:
    """M, [(L + 1)^2, 3, L^2]; the highest degree L, from 1, has no derivative to make."""
    matrix = np.zeros(((max_degree + 1) ** 2, 3, max_degree**2))
    for degree in range(1, max_degree + 1):
        rows, below = slice(degree**2, (degree + 1) ** 2), slice((degree - 1) ** 2, degree**2)
        matrix[rows, :, below] = _of_degree(degree)
    return matrix


@cache
def _of_degree(degree: int) -> np.ndarray:
    """[2l + 1, 3, 2l - 1]."""
    raised, lowered, along = np.zeros((3, 2 * degree + 1, 2 * degree - 1))
    for m in range(-degree, degree + 1):
        row, same = m + degree, m + degree - 1  # where m stands, and where it stands one degree below
        if same + 1 < 2 * degree - 1:
            raised[row, same + 1] = sqrt((degree - m) * (degree - m - 1))
        if same - 1 >= 0:
            lowered[row, same - 1] = -sqrt((degree + m) * (degree + m - 1))
        if 0 <= same < 2 * degree - 1:
            along[row, same] = sqrt((degree - m) * (degree + m))
    x, y = (raised + lowered) / 2, (raised - lowered) / 2j
    to_real, from_real = real_of_complex(degree), real_of_complex(degree - 1).conj().T
    real = np.stack([(to_real @ axis @ from_real).real for axis in (y, along, x)], axis=1)
    return np.where(abs(real) < _ZERO, 0, real) * sqrt((2 * degree + 1) / (2 * degree - 1))
