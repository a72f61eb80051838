"""Solid harmonics on the processor: one pass over the vectors, all numbers in float64.

P[m, m] = s[m],     P[l, m] = a[l, m] y P[l - 1, m] - b[l, m] r^2 P[l - 2, m],     Y[l, m] + i Y[l, -m] = P (z + i x)^m

s[m] = s[m - 1] root((2m + 1) / 2m), times the root of 2 for m = 1
a[l, m]^2 = (2l + 1) (2l - 1) / ((l - m) (l + m))
b[l, m]^2 = (2l + 1) (l - 1 - m) (l - 1 + m) / ((2l - 3) (l - m) (l + m))
"""

from functools import cache
from math import sqrt

import numpy as np
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array, share_rows


def harmonics(vectors: Tensor, max_degree: int) -> Tensor:
    out = empty((vectors.shape[0], (max_degree + 1) ** 2), vectors.dtype)
    share_rows(
        _harmonics, vectors.shape[0], as_array(vectors), *_factors(max_degree), as_array(out), work=4 * out.numel()
    )
    return out


@cache
def _factors(max_degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """s, a and b."""
    first, by_last, by_second = np.ones(max_degree + 1), *np.zeros((2, max_degree + 1, max_degree + 1))
    for m in range(1, max_degree + 1):
        first[m] = first[m - 1] * sqrt((2 * m + 1) / (2 * m) * (2 if m == 1 else 1))
    for degree in range(1, max_degree + 1):
        for m in range(degree):
            common = (2 * degree + 1) / ((degree - m) * (degree + m))
            by_last[degree, m] = sqrt(common * (2 * degree - 1))
            if degree > m + 1:
                by_second[degree, m] = sqrt(common * (degree - 1 - m) * (degree - 1 + m) / (2 * degree - 3))
    return first, by_last, by_second


@kernel
def _harmonics(begin, end, vectors, first, by_last, by_second, out):
    for e in range(begin, end):
        x, y, z = np.float64(vectors[e, 0]), np.float64(vectors[e, 1]), np.float64(vectors[e, 2])
        square = x * x + y * y + z * z
        cos, sin = 1.0, 0.0  # of m phi, times rho^m
        for m in range(first.shape[0]):
            before, now = 0.0, first[m]
            for degree in range(m, first.shape[0]):
                if degree > m:
                    before, now = now, by_last[degree, m] * y * now - by_second[degree, m] * square * before
                centre = degree * (degree + 1)
                if m > 0:
                    out[e, centre - m] = now * sin
                out[e, centre + m] = now * cos
            cos, sin = cos * z - sin * x, cos * x + sin * z
