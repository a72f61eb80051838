"""The product basis against rotations, against the count of symmetric couplings, and against sums over neighbours."""

from itertools import combinations_with_replacement
from math import comb

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import Irreps, ProductBasis, irreps_matrix, random_rotation

HEARD, OUT = "3x0e + 3x1o + 3x2e", "3x0e + 3x1o"


@pytest.mark.parametrize("correlation", [1, 2, 3])
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_turns_with_the_feature(correlation, mirror):
    torch.manual_seed(0)
    basis = ProductBasis(HEARD, OUT, correlation=correlation, num_elements=2).double()
    x, element = torch.randn(5, Irreps(HEARD).dim, dtype=torch.float64), torch.tensor([0, 1, 1, 0, 1])
    matrix = mirror * random_rotation(torch.Generator().manual_seed(2))
    before, after = irreps_matrix(HEARD, matrix), irreps_matrix(OUT, matrix)
    torch.testing.assert_close(basis(x @ before.T, element), basis(x, element) @ after.T, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_counts_of_invariants(degree):
    """Of one irrep's components alone: as many independent invariants as its symmetric power holds scalars."""
    for correlation in (1, 2, 3):
        basis = ProductBasis(f"1x{degree}{'eo'[degree % 2]}", "1x0e", correlation=correlation, num_elements=1)
        assert basis.sizes[-1] == _scalars(degree, correlation)


def _scalars(degree: int, power: int) -> int:
    """Scalars of even parity in a symmetric power, by counting how often m = 0 and m = 1 occur."""
    if degree * power % 2:
        return 0  # odd
    sums = [sum(chosen) for chosen in combinations_with_replacement(range(-degree, degree + 1), power)]
    assert len(sums) == comb(2 * degree + power, power)
    return sums.count(0) - sums.count(1)


def test_holds_the_invariants_that_angles_make():
    """The second power of a sum of directions, and the third, are sums over pairs and triples of neighbours."""
    torch.manual_seed(0)
    basis = ProductBasis("1x0e + 1x1o", "1x0e", correlation=3, num_elements=1).double()
    vectors = torch.randn(6, 3, dtype=torch.float64)
    x = torch.cat([torch.tensor([[6.0]], dtype=torch.float64), vectors.sum(0, keepdim=True)], dim=1)
    dots = (vectors @ vectors.T).sum()
    # 0e: x0; x0^2, x1.x1; x0^3, x0 x1.x1
    assert basis.sizes == [1, 2, 2]
    invariants = torch.stack([x[0, 0], x[0, 0] ** 2, dots, x[0, 0] ** 3, x[0, 0] * dots])
    found = []
    for k in range(5):
        with torch.no_grad():
            basis.weight.zero_()
            basis.weight[0, k] = 1
        found.append(basis(x, torch.tensor([0])).item())
    ratios = torch.tensor(found, dtype=torch.float64) / invariants
    expected = torch.tensor([1, 1, -(3**-0.5), 1, -(3**-0.5)], dtype=torch.float64).abs()
    torch.testing.assert_close(ratios.abs(), expected)


def test_same_polynomials_in_single_and_double():
    torch.manual_seed(0)
    basis = ProductBasis(HEARD, OUT, num_elements=1)
    x, element = torch.randn(4, Irreps(HEARD).dim), torch.zeros(4, dtype=torch.long)
    single = basis(x, element)
    torch.testing.assert_close(basis.double()(x.double(), element).float(), single, rtol=1e-4, atol=1e-4)


def test_says_what_does_not_fit():
    with pytest.raises(InputError, match="as many channels"):
        ProductBasis("3x0e + 2x1o", "3x0e", num_elements=1)
    with pytest.raises(InputError, match="1, 2 or 3"):
        ProductBasis("3x0e", "3x0e", correlation=4, num_elements=1)
