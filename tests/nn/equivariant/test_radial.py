"""Radial bases and cut-offs against their formulas, at zero, at the cut-off, and in both dtypes."""

import math

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant.radial import (
    BesselBasis,
    CosineCutoff,
    GaussianBasis,
    PolynomialCutoff,
    bessel_basis,
    cosine_cutoff,
    cutoff_factor,
    polynomial_cutoff,
)

C = 4.5


def distances(dtype=torch.float64) -> torch.Tensor:
    return torch.tensor([0.0, 1e-12, 1e-4, 0.3, 1.0, 2.2, 4.4999, 4.5, 6.0], dtype=dtype)


def derivatives(f, at: float) -> list[float]:
    """Value, first and second derivative of a function of one distance, summed over what it gives."""
    r = torch.tensor([at], dtype=torch.float64, requires_grad=True)
    value = f(r).sum()
    (first,) = torch.autograd.grad(value, r, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), r)
    return [value.item(), first.item(), second.item()]


def test_bessel_is_its_formula():
    r = distances()[3:8]
    wanted = [[math.sqrt(2 / C) * math.sin(k * math.pi * x / C) / x for k in range(1, 9)] for x in r.tolist()]
    torch.testing.assert_close(BesselBasis(C)(r), torch.tensor(wanted, dtype=torch.float64), rtol=1e-12, atol=1e-12)


def test_bessel_functions_are_orthonormal_in_the_ball():
    r = torch.linspace(0, C, 20001, dtype=torch.float64)
    basis = BesselBasis(C, 6)(r)
    inner = torch.trapezoid(basis.unsqueeze(2) * basis.unsqueeze(1) * (r * r).view(-1, 1, 1), r, dim=0)
    torch.testing.assert_close(inner, torch.eye(6, dtype=torch.float64), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bases_are_finite_at_zero(dtype):
    for basis in (BesselBasis(C), BesselBasis(C, trainable=True), GaussianBasis(C, 9)):
        r = distances(dtype).requires_grad_()
        out = basis.to(dtype)(r)
        assert out.dtype == dtype
        (first,) = torch.autograd.grad(out.sum(), r, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), r)
        assert all(bool(t.isfinite().all()) for t in (out, first, second))
    limit = math.sqrt(2 / C) * torch.arange(1, 9, dtype=dtype) * math.pi / C
    torch.testing.assert_close(BesselBasis(C)(torch.zeros(1, dtype=dtype))[0], limit, rtol=2e-3, atol=0)


def test_trained_frequencies_are_those_of_the_formula_at_first():
    r = distances()
    trained = BesselBasis(C, trainable=True)
    assert [name for name, _ in trained.named_parameters()] == ["frequency"]
    assert torch.equal(trained.double()(r), BesselBasis(C)(r))
    assert not list(BesselBasis(C).state_dict())


def test_gaussians_are_their_formula():
    basis = GaussianBasis(3.0, 31, gamma=10.0)
    r = distances()
    wanted = torch.stack([torch.exp(-10 * (r - 0.1 * k) ** 2) for k in range(31)], 1)
    torch.testing.assert_close(basis(r), wanted, rtol=1e-12, atol=1e-12)
    assert GaussianBasis(3.0, 31).gamma == pytest.approx(0.5 / 0.1**2)


@pytest.mark.parametrize("p", [2, 3, 5, 6])
def test_polynomial_is_flat_to_its_second_derivative(p):
    value, first, second = derivatives(lambda r: polynomial_cutoff(r, C, p), C - 1e-9)
    assert (value, first, second) == pytest.approx((0, 0, 0), abs=1e-6)
    assert derivatives(lambda r: polynomial_cutoff(r, C, p), C) == [0, 0, 0]
    x = 0.7
    wanted = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
    assert PolynomialCutoff(C, p)(torch.tensor([x * C], dtype=torch.float64)).item() == pytest.approx(wanted, rel=1e-12)


def test_cosine_is_flat_to_its_first_derivative():
    value, first, _ = derivatives(lambda r: cosine_cutoff(r, C), C - 1e-9)
    assert (value, first) == pytest.approx((0, 0), abs=1e-8)
    assert CosineCutoff(C)(torch.tensor([C / 2])).item() == pytest.approx(0.5)
    assert cosine_cutoff(torch.tensor([C, 9.0]), C).tolist() == [0, 0]


def test_second_derivatives_are_those_of_finite_differences():
    r = torch.tensor([0.4, 1.7, 4.2], dtype=torch.float64, requires_grad=True)
    frequency = torch.tensor([1.0, 2.0, 3.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda r, f: bessel_basis(r, C, f), (r, frequency))
    for f in (GaussianBasis(C, 7), PolynomialCutoff(C), CosineCutoff(C)):
        assert torch.autograd.gradgradcheck(f, r)


def test_cutoff_by_name():
    r = distances()
    assert cutoff_factor(r, C, "none") is None
    assert torch.equal(cutoff_factor(r, C, "cosine"), cosine_cutoff(r, C))
    assert torch.equal(cutoff_factor(r, C, "polynomial"), polynomial_cutoff(r, C))
    with pytest.raises(InputError, match="none, cosine, polynomial, got 'step'"):
        cutoff_factor(r, C, "step")


def test_wrong_input():
    for make in (BesselBasis, PolynomialCutoff, CosineCutoff):
        with pytest.raises(InputError, match="positive length"):
            make(0.0)
    with pytest.raises(InputError, match="num_basis must be 2 or more"):
        GaussianBasis(3.0, 1)
    with pytest.raises(InputError, match="stop must lie behind start"):
        GaussianBasis(1.0, 5, start=1.0)
    with pytest.raises(InputError, match="p must be a whole number"):
        PolynomialCutoff(C, 1)
