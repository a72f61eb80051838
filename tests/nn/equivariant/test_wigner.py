"""Wigner matrices: orthogonal, a representation, what spherical harmonics and couplings do, and e3nn's."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import Irreps, clebsch_gordan, irreps_matrix, random_rotation, transform, wigner_d
from grapevine.ops.harmonics import spherical_harmonics
from tests.nn.equivariant.turns import features, turns

NEAR = {"rtol": 0, "atol": 1e-10}


@pytest.mark.parametrize("irrep", ["0e", "0o", "1o", "1e", "3o", "8e"])
def test_a_representation(irrep):
    for a in turns():
        of_a = wigner_d(irrep, a)
        torch.testing.assert_close(of_a @ of_a.T, torch.eye(len(of_a), dtype=torch.float64), **NEAR)
        for b in turns():
            torch.testing.assert_close(wigner_d(irrep, a @ b), of_a @ wigner_d(irrep, b), **NEAR)


def test_turns_the_spherical_harmonics():
    vectors = torch.randn(20, 3, dtype=torch.float64)
    irreps = Irreps.spherical_harmonics(8)
    for matrix in turns():
        turned = spherical_harmonics(vectors @ matrix.T, 8)
        torch.testing.assert_close(turned, transform(spherical_harmonics(vectors, 8), irreps, matrix), **NEAR)


def test_couplings_commute_with_it():
    rotation = random_rotation()
    for a, b, c in ((1, 1, 1), (2, 1, 2), (3, 2, 4), (4, 4, 3)):
        coupling, d = clebsch_gordan(a, b, c), [wigner_d(f"{l}e", rotation) for l in (a, b, c)]
        left, right = torch.einsum("ijk,ip,jq->pqk", coupling, *d[:2]), torch.einsum("pqr,kr->pqk", coupling, d[2])
        torch.testing.assert_close(left, right, **NEAR)


def test_of_irreps_in_our_layout():
    irreps, x = "2x1o + 3x0e + 1x0o + 2x2o", features("2x1o + 3x0e + 1x0o + 2x2o")
    for matrix in turns():
        whole = irreps_matrix(irreps, matrix)
        torch.testing.assert_close(x @ whole.T, transform(x, irreps, matrix), **NEAR)
    assert irreps_matrix("", matrix).shape == (0, 0)


def test_rotations_are_uniform_and_repeatable():
    generator = torch.Generator().manual_seed(1)
    rotations = torch.stack([random_rotation(generator) for _ in range(2000)])
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(2000, dtype=torch.float64))
    assert float(rotations.mean(0).abs().max()) < 0.05
    assert float((rotations**2).mean(0).sub(1 / 3).abs().max()) < 0.03
    assert random_rotation(dtype=torch.float32).dtype == torch.float32
    assert torch.equal(random_rotation(torch.Generator().manual_seed(1)), rotations[0])


def test_equals_e3nn():
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    for matrix in turns():
        for irrep in ("0o", "1e", "2o", "5e", "6e"):
            known = o3.Irrep(irrep).D_from_matrix(matrix)
            # theirs go by angles, which costs digits
            torch.testing.assert_close(wigner_d(irrep, matrix), known, rtol=0, atol=1e-5)


def test_single_precision():
    rotation = random_rotation()
    single = wigner_d("6e", rotation.float())
    assert single.dtype == torch.float32
    assert float((single - wigner_d("6e", rotation)).abs().max()) < 2e-6


def test_what_is_no_rotation_is_named():
    for matrix in (torch.eye(2), 2 * torch.eye(3), torch.zeros(3, 3), torch.eye(3) * torch.nan):
        with pytest.raises(InputError, match="rotation or a mirror"):
            wigner_d("1o", matrix)
    with pytest.raises(InputError, match="dtype"):
        random_rotation(dtype=torch.int64)
