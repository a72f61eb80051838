"""Spherical harmonics against SciPy, e3nn and their own equations, with all derivatives, at the poles and at zero."""

import numpy as np
import pytest
import scipy.special
import torch

from grapevine.errors import InputError
from grapevine.ops.harmonics import direction, harmonics_op, reference, spherical_harmonics
from grapevine.ops.harmonics.basis import derivative_matrix
from tests.nn.compare import leaf

EXACT = {"rtol": 0, "atol": 1e-10}
POLES = torch.cat([torch.eye(3), -torch.eye(3), torch.tensor([[1.0, 0, 1], [0, 1e-9, 0]])]).double()


def directions(count: int) -> torch.Tensor:
    """Random ones, then the ends of the axes."""
    return direction(torch.cat([torch.randn(count, 3, dtype=torch.float64), POLES]))


def by_scipy(vectors: torch.Tensor, max_degree: int) -> torch.Tensor:
    """The definition by angles, with the complex harmonics of SciPy."""
    x, y, z = vectors.T.numpy()
    polar, azimuth = np.arccos(np.clip(y, -1, 1)), np.arctan2(x, z)
    columns = []
    for degree in range(max_degree + 1):
        for m in range(-degree, degree + 1):
            value = scipy.special.sph_harm_y(degree, abs(m), polar, azimuth) * (-1.0) ** m * (4 * np.pi) ** 0.5
            columns.append(value.real if m == 0 else 2**0.5 * (value.imag if m < 0 else value.real))
    return torch.from_numpy(np.stack(columns, axis=1))


def test_equals_the_definition():
    vectors = directions(40)
    torch.testing.assert_close(spherical_harmonics(vectors, 12), by_scipy(vectors, 12), **EXACT)


def test_first_degrees_by_hand():
    x, y, z = vectors = torch.randn(3, 20, dtype=torch.float64)
    second = [2 * x * z, 2 * x * y, (3 * y**2 - (vectors**2).sum(0)) / 3**0.5, 2 * y * z, z**2 - x**2]
    rows = [torch.ones_like(x), *(3**0.5 * vectors), *(15**0.5 / 2 * part for part in second)]
    out = spherical_harmonics(vectors.T, 2, normalize=False)
    torch.testing.assert_close(out, torch.stack(rows, dim=1))


@pytest.mark.parametrize("normalization", ["component", "norm", "integral"])
@pytest.mark.parametrize("normalize", [True, False])
def test_equals_e3nn(normalization, normalize):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    vectors = torch.cat([torch.rand(20, 3, dtype=torch.float64) - 0.5, POLES])
    theirs = o3.spherical_harmonics(list(range(12)), vectors, normalize, normalization)
    ours = spherical_harmonics(vectors, 11, normalize=normalize, normalization=normalization)
    torch.testing.assert_close(ours, theirs, **EXACT)


def test_kernel_equals_reference():
    vectors = torch.cat([directions(30), torch.zeros(1, 3, dtype=torch.float64)]) * 1.3
    for degree in (0, 1, 2, 5, 12):
        torch.testing.assert_close(harmonics_op(vectors, degree), reference.harmonics(vectors, degree), **EXACT)


def test_single_precision_is_as_good_as_its_numbers():
    vectors = torch.randn(500, 3).clamp(-3, 3)
    exact = spherical_harmonics(vectors.double(), 8)
    for out in (spherical_harmonics(vectors, 8), reference.harmonics(direction(vectors), 8)):
        assert out.dtype == torch.float32
        assert float((out - exact).abs().max()) < 1e-5
    single, double = vectors.clone().requires_grad_(), vectors.double().requires_grad_()
    weights = torch.randn(500, 81)
    got = torch.autograd.grad((spherical_harmonics(single, 8) * weights).sum(), single)[0]
    known = torch.autograd.grad((spherical_harmonics(double, 8) * weights).sum(), double)[0]
    assert float((got - known).norm() / known.norm()) < 2e-6


def test_sums_of_squares():
    vectors = directions(10)
    for normalization, of_degree in (("component", lambda l: 2 * l + 1), ("norm", lambda l: 1.0)):
        out = spherical_harmonics(vectors, 8, normalization=normalization)
        for l in range(9):
            square = out[:, l**2 : (l + 1) ** 2].square().sum(1)
            torch.testing.assert_close(square, torch.full_like(square, of_degree(l)), **EXACT)


def test_derivatives_of_the_polynomials_everywhere():
    vectors = torch.cat([torch.randn(2, 3, dtype=torch.float64), POLES[:4], torch.zeros(1, 3, dtype=torch.float64)])
    vectors.requires_grad_()
    for degree in (0, 1, 4):
        assert torch.autograd.gradcheck(lambda v: harmonics_op(v, degree), vectors)  # noqa: B023
    assert torch.autograd.gradgradcheck(lambda v: spherical_harmonics(v, 4, normalize=False), vectors)


def test_derivatives_of_directions_at_the_poles():
    vectors = torch.cat([torch.randn(2, 3, dtype=torch.float64), 2 * POLES[:7]]).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: spherical_harmonics(v, 5), vectors)
    assert torch.autograd.gradgradcheck(lambda v: spherical_harmonics(v, 5, normalization="norm"), vectors)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_zero_vector_has_no_direction_and_no_derivative(dtype):
    vectors = torch.tensor([[0.0, 0, 0], [1, 2, 3]], dtype=dtype, requires_grad=True)
    out = spherical_harmonics(vectors, 3)
    assert out[0].tolist() == [1.0, *[0.0] * 15]
    total = (out**2 * torch.arange(16)).sum()
    for _ in range(3):
        (slope,) = torch.autograd.grad(total, vectors, create_graph=True)
        assert slope[0].tolist() == [0, 0, 0]
        assert slope.isfinite().all()
        total = (slope**2 + slope).sum()


def test_third_derivative_equals_that_of_the_reference():
    vectors, thirds = leaf(4, 3), []
    for function in (harmonics_op, reference.harmonics):
        value = (function(vectors, 5) * torch.arange(36)).sum()
        for _ in range(3):
            (value,) = torch.autograd.grad(value.square().sum(), vectors, create_graph=True)
        thirds.append(value / value.abs().max().detach())
    torch.testing.assert_close(*thirds)


def test_derivative_matrix_has_few_entries():
    matrix = torch.from_numpy(derivative_matrix(8))
    assert int((matrix != 0).sum(2).max()) == 2


def test_nan_stays():
    out = spherical_harmonics(torch.tensor([[torch.nan, 0, 1], [1, 0, 0]]), 2)
    assert out[0, 1:].isnan().all()
    assert out[1].isfinite().all()


def test_any_number_of_vectors_and_strides():
    vectors = torch.randn(3, 7)
    torch.testing.assert_close(spherical_harmonics(vectors.T, 3), spherical_harmonics(vectors.T.contiguous(), 3))
    empty = torch.zeros(0, 3, requires_grad=True)
    out = spherical_harmonics(empty, 3)
    assert out.shape == (0, 16)
    assert torch.autograd.grad(out.sum(), empty)[0].shape == (0, 3)


def test_same_bits_for_any_number_of_threads():
    vectors, results, threads = torch.randn(40000, 3), [], torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        results.append(harmonics_op(vectors, 3))
    torch.set_num_threads(threads)
    assert all(torch.equal(results[0], other) for other in results[1:])


def test_operation_is_registered_well():
    for degree in (0, 3):
        assert set(torch.library.opcheck(harmonics_op, (leaf(6, 3), degree)).values()) == {"SUCCESS"}


def test_compiles_without_a_break():
    vectors = leaf(6, 3)
    compiled = torch.compile(
        lambda v: spherical_harmonics(v, 3, normalization="norm"), fullgraph=True, backend="aot_eager"
    )
    expected = spherical_harmonics(vectors, 3, normalization="norm")
    torch.testing.assert_close(compiled(vectors), expected)
    got, known = (
        torch.autograd.grad(out.square().sum() + out[:, 2].sum(), vectors)[0] for out in (compiled(vectors), expected)
    )
    torch.testing.assert_close(got, known)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: spherical_harmonics(v[:, :2], 1), "3 columns"),
        (lambda v: spherical_harmonics(v[0], 1), "dimensions"),
        (lambda v: spherical_harmonics(v.half(), 1), "dtype"),
        (lambda v: spherical_harmonics(v, -1), "max_degree"),
        (lambda v: spherical_harmonics(v, 1.0), "max_degree"),
        (lambda v: spherical_harmonics(v, 1, normalization="unit"), "unit"),
        (lambda v: spherical_harmonics([1.0], 1), "tensor"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(torch.ones(2, 3))
