"""MACE's product basis: what one, two and three neighbours' features make together, without summing over them.

B_i = sum over the orders v = 1 .. 3 and the couplings k of order v of  w[z_i, k] * U_k (A_i x ... x A_i)

U_k couples v copies of the atom's feature to an irrep, each channel for itself; a feature of sums over neighbours to
the power v holds all (v + 1)-body terms (Batatia et al. 2022, MACE, equations 10 and 11; Drautz 2019). As the copies
are one feature, only what is symmetric in them counts: couplings are kept as polynomials, and those that others make
up are left out.
"""

from collections.abc import Iterator
from math import sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.irreps import Irrep, Irreps, IrrepsLike
from grapevine.ops.symmetric_contraction import Terms, symmetric_contraction

_SMALL = 1e-10  # of a coupling, after others were taken out of it


class ProductBasis(nn.Module):
    """The polynomials of up to third degree in an atom's feature that turn as the wanted irreps do.

    Args:
        irreps_in: of the feature: each irrep once, all with the same number of channels.
        irreps_out: wanted irreps, each once, with as many channels.
        correlation: the highest degree, 1 to 3; one more than that many bodies.
        num_elements: each has weights of its own.

    Raises:
        InputError: if the channels differ, or the correlation is not 1 to 3.

    >>> ProductBasis("8x0e + 8x1o", "8x0e", correlation=2, num_elements=3)
    ProductBasis(8x0e + 8x1o -> 8x0e, 3 couplings, 5 terms)
    """

    def __init__(self, irreps_in: IrrepsLike, irreps_out: IrrepsLike, *, correlation: int = 3, num_elements: int):
        super().__init__()
        self.irreps_in, self.irreps_out = Irreps(irreps_in), Irreps(irreps_out)
        muls = {mul for mul, _ in (*self.irreps_in, *self.irreps_out)}
        check(len(muls) == 1, f"all irreps must have as many channels, got {self.irreps_in} and {self.irreps_out}")
        check(correlation in (1, 2, 3), f"correlation must be 1, 2 or 3, got {correlation!r}")
        self.channels, self.correlation = muls.pop(), correlation
        self.coefficients, self.sizes, self.terms = _basis(
            tuple(irrep for _, irrep in self.irreps_in), tuple(irrep for _, irrep in self.irreps_out), correlation
        )  # in float64 whatever the module is cast to, and so no buffer
        self.weight = nn.Parameter(torch.empty(num_elements, self.coefficients.shape[1], self.channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Normal numbers over how many couplings of an order there are for an irrep, as in the authors' program."""
        with torch.no_grad():
            parts = self.weight.split(self.sizes, dim=1)
            for part in parts:
                part.normal_(std=1 / max(1, part.shape[1]))

    def forward(self, x: Float[Tensor, "n a"], element: Int[Tensor, " n"]) -> Float[Tensor, "n b"]:
        """The polynomials of each atom's feature; `element` is the row of its weights."""
        weight = torch.matmul(self.coefficients.to(self.weight), self.weight)
        shaped = x.reshape(len(x), self.terms.num_components, self.channels)
        return symmetric_contraction(self.terms, shaped, weight, element).flatten(1)

    def part(self, block: int, order: int) -> tuple[list[int], list[int]]:
        """Which terms, and which couplings, are of an order and of a block of `irreps_out`."""
        first = sum(irrep.dim for _, irrep in list(self.irreps_out)[:block])
        outputs = range(first, first + self.irreps_out[block].irrep.dim)
        degrees = (self.terms.table[:, 1:] >= 0).sum(1).tolist()
        rows = [
            row
            for row, (output, degree) in enumerate(zip(self.terms.table[:, 0].tolist(), degrees, strict=True))
            if output in outputs and degree == order
        ]
        group = block * self.correlation + order - 1
        start = sum(self.sizes[:group])
        return rows, list(range(start, start + self.sizes[group]))

    def extra_repr(self) -> str:
        couplings, terms = self.weight.shape[1], len(self.terms)
        return f"{self.irreps_in} -> {self.irreps_out}, {couplings} couplings, {terms} terms"


def _basis(
    irreps_in: tuple[Irrep, ...], irreps_out: tuple[Irrep, ...], correlation: int
) -> tuple[Tensor, list[int], Terms]:
    """[terms, couplings] how much of each product a coupling holds; their number by irrep and order; the terms."""
    num_components = sum(irrep.dim for irrep in irreps_in)
    columns: list[list[tuple[int, tuple[int, ...], float]]] = []  # of a coupling: (output, factors, how much)
    sizes, first = [], 0
    for irrep in irreps_out:
        for order in range(1, correlation + 1):
            kept = _independent(_symmetric(irreps_in, irrep, order), num_components)
            sizes.append(len(kept))
            columns += [[(first + m, factors, value) for (m, factors), value in coupling.items()] for coupling in kept]
        first += irrep.dim
    keys = sorted({(output, factors) for column in columns for output, factors, _ in column}, key=_by_output)
    place = {key: row for row, key in enumerate(keys)}
    coefficients = torch.zeros(len(keys), len(columns), dtype=torch.float64)
    for k, column in enumerate(columns):
        for output, factors, value in column:
            coefficients[place[output, factors], k] = value
    return coefficients, sizes, Terms(keys, num_components=num_components, num_outputs=first)


def _by_output(key: tuple[int, tuple[int, ...]]) -> tuple:
    return key[0], len(key[1]), key[1]


Polynomial = dict[tuple[int, tuple[int, ...]], float]  # (component of the output, factors) -> how much


def _symmetric(irreps_in: tuple[Irrep, ...], wanted: Irrep, order: int) -> Iterator[Polynomial]:
    """The polynomial of each coupling of `order` features to the wanted irrep."""
    for irrep, coupling in _couplings(irreps_in, order):
        if irrep == wanted:
            where = coupling.nonzero()
            polynomial: Polynomial = {}
            for (component, *factors), value in zip(where.tolist(), coupling[tuple(where.T)].tolist(), strict=True):
                key = component, tuple(sorted(factors))
                polynomial[key] = polynomial.get(key, 0.0) + value
            yield polynomial


def _couplings(irreps_in: tuple[Irrep, ...], order: int) -> Iterator[tuple[Irrep, Tensor]]:
    """Every way to couple `order` features, one after another: an irrep and [2l + 1, components, ..., components]."""
    width = sum(irrep.dim for irrep in irreps_in)
    starts = [sum(irrep.dim for irrep in irreps_in[:k]) for k in range(len(irreps_in))]
    if order == 1:
        for irrep, start in zip(irreps_in, starts, strict=True):
            yield irrep, torch.eye(width, dtype=torch.float64)[start : start + irrep.dim]
        return
    for before, coupled in _couplings(irreps_in, order - 1):
        for irrep, start in zip(irreps_in, starts, strict=True):
            for made in before * irrep:
                table = clebsch_gordan(before.degree, irrep.degree, made.degree) * sqrt(made.dim)
                whole = coupled.new_zeros(made.dim, *coupled.shape[1:], width)
                whole[..., start : start + irrep.dim] = torch.einsum("p...,pqr->r...q", coupled, table)
                yield made, whole


def _independent(polynomials: Iterator[Polynomial], num_components: int) -> list[Polynomial]:
    """Those that are no sum of the ones before them, by Gram and Schmidt."""
    kept: list[Polynomial] = []
    found = list(polynomials)
    keys = sorted({key for polynomial in found for key in polynomial}, key=_by_output)
    place = {key: column for column, key in enumerate(keys)}
    directions = torch.zeros(0, len(keys), dtype=torch.float64)
    for polynomial in found:
        row = torch.zeros(len(keys), dtype=torch.float64)
        for key, value in polynomial.items():
            row[place[key]] = value
        rest = row - directions.T @ (directions @ row)
        rest = rest - directions.T @ (directions @ rest)
        if rest.norm() > _SMALL * max(1.0, row.norm().item()):
            directions = torch.cat([directions, rest.unsqueeze(0) / rest.norm()])
            kept.append({key: value for key, value in polynomial.items() if abs(value) > _SMALL})
    return kept
