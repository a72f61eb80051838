"""The coupling coefficients: orthogonal, symmetric, with the signs that their file states, which are e3nn's."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant.coupling import clebsch_gordan


def triples(highest: int) -> list[tuple[int, int, int]]:
    degrees = range(highest + 1)
    return [(a, b, c) for a in degrees for b in degrees for c in range(abs(a - b), min(a + b, highest) + 1)]


def test_each_of_norm_one_and_together_orthogonal():
    for a, b in ((1, 1), (2, 1), (3, 2), (4, 4)):
        parts = [clebsch_gordan(a, b, c) * (2 * c + 1) ** 0.5 for c in range(abs(a - b), a + b + 1)]
        assert all(part.dtype == torch.float64 for part in parts)
        whole = torch.cat(parts, dim=2).flatten(0, 1)
        torch.testing.assert_close(whole.T @ whole, torch.eye(len(whole), dtype=torch.float64), rtol=0, atol=1e-13)


def test_the_signs():
    for a, b, c in triples(5):
        coefficients = clebsch_gordan(a, b, c)
        centre = float(coefficients[a, b, c])
        assert centre > 0.01 if (a + b + c) % 2 == 0 else centre == 0
        swapped = clebsch_gordan(b, a, c).transpose(0, 1) * (-1) ** (a + b + c)
        torch.testing.assert_close(coefficients, swapped, rtol=0, atol=1e-14)
        turned = clebsch_gordan(b, c, a).permute(2, 0, 1)
        torch.testing.assert_close(coefficients, turned, rtol=0, atol=1e-14)


def test_scalar_and_cross_product():
    x, y = torch.randn(2, 3, dtype=torch.float64)
    cross = torch.einsum("ijk,i,j->k", clebsch_gordan(1, 1, 1), x, y) * 6**0.5
    torch.testing.assert_close(cross, torch.linalg.cross(x, y))
    scalar = torch.einsum("ijk,i,j->k", clebsch_gordan(1, 1, 0), x, y) * 3**0.5
    torch.testing.assert_close(scalar, (x @ y).unsqueeze(0))


def test_cached_ones_stay_what_they_are():
    clebsch_gordan(2, 1, 1).zero_()
    assert clebsch_gordan(2, 1, 1).norm() == pytest.approx(1, abs=1e-14)


def test_equals_e3nn_with_the_sign():
    pytest.importorskip("e3nn", minversion="0.6", reason="e3nn is in the extra peers")
    from e3nn import o3

    for a, b, c in triples(6):
        theirs = o3.wigner_3j(a, b, c, dtype=torch.float64)
        torch.testing.assert_close(clebsch_gordan(a, b, c), theirs, rtol=0, atol=1e-13)


def test_wrong_degrees_are_named():
    with pytest.raises(InputError, match="make 0 to 2, not 3"):
        clebsch_gordan(1, 1, 3)
    for degree in (-1, 1.0, True):
        with pytest.raises(InputError, match="whole number"):
            clebsch_gordan(degree, 1, 1)
