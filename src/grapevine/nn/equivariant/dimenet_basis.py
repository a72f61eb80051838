"""What DimeNet sees of two bonds that meet: the distance of the far one and the angle between them.

a_ln(r, angle) = N_ln j_l(z_ln r / c) Y_l(angle),    z_ln the n-th root of the spherical Bessel function j_l
Y_l = sqrt((2 l + 1) / 4 pi) P_l(cos angle),         N_ln = sqrt(2 / c^3) / |j_{l+1}(z_ln)|      (Gasteiger et al. 2020)

As a function of r each is smooth, so that a Chebyshev series gives it, and its derivatives, to the last digits: there
is no quotient of small numbers near r = 0.
"""

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from numpy.polynomial.chebyshev import chebinterpolate
from torch import Tensor

from grapevine.graph import Adjacency
from grapevine.graph.adjacency import kept
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern

_NO_END = 1 - 1e-12  # of -1 .. 1, where the angle of the Chebyshev polynomials has no derivative
_SAME = 1e-3  # angstrom: nearer than this two images of one atom are one


def spherical_bessel_basis(
    r: Float[Tensor, " e"], cutoff: float, *, num_spherical: int, num_radial: int
) -> Float[Tensor, "e l n"]:
    """sqrt(2) j_l(z_ln r / c) / |j_{l+1}(z_ln)| for l < num_spherical and the first roots; r is held within 0 .. c.

    >>> basis = spherical_bessel_basis(torch.tensor([0.0, 5.0]), 5.0, num_spherical=2, num_radial=1)
    >>> (100 * basis).round().abs().tolist()
    [[[444.0], [0.0]], [[0.0], [0.0]]]
    """
    # In float64, which costs little here: in float32 a wave as short as these would keep five digits.
    series = torch.from_numpy(_series(num_spherical, num_radial)).to(r.device)
    angle = (r.double() * (2 / cutoff) - 1).clamp(-_NO_END, _NO_END).acos()
    order = torch.arange(series.shape[0], dtype=torch.float64, device=r.device)
    return ((angle.unsqueeze(1) * order).cos() @ series).to(r.dtype).unflatten(1, (num_spherical, num_radial))


def angle_basis(cosine: Float[Tensor, " t"], num_spherical: int) -> Float[Tensor, "t l"]:
    """sqrt((2 l + 1) / 4 pi) P_l(cosine) for l < num_spherical.

    >>> (1000 * angle_basis(torch.tensor([1.0]), 2)).round().tolist()
    [[282.0, 489.0]]
    """
    legendre = [torch.ones_like(cosine), cosine]
    for k in range(1, num_spherical - 1):
        legendre.append(((2 * k + 1) * cosine * legendre[k] - k * legendre[k - 1]) / (k + 1))
    values = enumerate(legendre[:num_spherical])
    return torch.stack([math.sqrt((2 * degree + 1) / (4 * math.pi)) * value for degree, value in values], dim=1)


@lru_cache(maxsize=16)
def _series(num_spherical: int, num_radial: int) -> np.ndarray:
    """[k, l n] the Chebyshev coefficients of all radial functions on 0 .. 1."""
    from scipy.special import spherical_jn

    roots = bessel_roots(num_spherical, num_radial)
    order = 30 + int(roots.max() / 2)  # as many waves as it has, and then coefficients fall faster than any power
    columns = []
    for degree in range(num_spherical):
        for z in roots[degree]:
            norm = math.sqrt(2) / abs(float(spherical_jn(degree + 1, z)))
            columns.append(norm * chebinterpolate(lambda y, j=degree, z=z: spherical_jn(j, z * (y + 1) / 2), order))
    return np.stack(columns, axis=1)


def bessel_roots(num_spherical: int, num_radial: int) -> np.ndarray:
    """[l, n] the first roots of each spherical Bessel function: one lies between each two of the degree below."""
    from scipy.optimize import brentq
    from scipy.special import spherical_jn

    between = math.pi * np.arange(1, num_radial + num_spherical + 1)
    roots = [between[:num_radial]]
    for degree in range(1, num_spherical):
        ends = pairwise(between)
        between = np.array([brentq(lambda x, j=degree: spherical_jn(j, x), *pair, xtol=1e-14) for pair in ends])
        roots.append(between[:num_radial])
    return np.stack(roots)


def turns(adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Pattern:
    """Where one bond goes on into another: the row of edge j -> i holds the edges k -> j, all but those from i itself.

    Other images of i, in neighbouring cells, are other atoms.

    >>> adj = Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> turns(adj, torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])).indptr.tolist()
    [0, 1, 1, 1, 2]
    """
    every = _all_turns(adj)
    row, col = every.row_of.long(), every.indices.long()
    back = (adj.src[col] == adj.dst[row]).nonzero().squeeze(1)
    apart = vector.detach()[row[back]] + vector.detach()[col[back]]
    leaves = (apart * apart).sum(1) > _SAME**2
    if not bool(leaves.any()):
        return _turns_to_others(adj)
    stays = torch.ones_like(row, dtype=torch.bool)
    stays[back] = leaves
    return _only(every, stays)


@kept
def _all_turns(adj: Adjacency) -> Pattern:
    """The row of edge j -> i holds all edges into j."""
    first, src = adj.pattern.indptr.long(), adj.src
    counts = first.diff()[src]
    ends = counts.cumsum(0)
    num_entries = int(ends[-1]) if adj.num_edges else 0
    row = torch.arange(adj.num_edges, device=adj.device).repeat_interleave(counts, output_size=num_entries)
    col = torch.arange(num_entries, device=adj.device) + (first[src] - (ends - counts))[row]
    dtype = index_dtype(adj.num_edges + 1, num_entries)
    indptr = torch.nn.functional.pad(ends, (1, 0))
    return Pattern.trusted(indptr.to(dtype), col.to(dtype), adj.num_edges)


@kept
def _turns_to_others(adj: Adjacency) -> Pattern:
    every = _all_turns(adj)
    return _only(every, adj.src[every.indices.long()] != adj.dst[every.row_of.long()])


def _only(pattern: Pattern, stays: Tensor) -> Pattern:
    before = torch.nn.functional.pad(stays.cumsum(0), (1, 0)).to(pattern.indptr.dtype)
    return Pattern.trusted(before[pattern.indptr.long()], pattern.indices[stays], pattern.num_cols)
