"""Edge matrices against the form that makes every one of them, in blocks of any size, and to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.edge_matrix import blocked, edge_matrix, edge_matrix_op, edge_matrix_slopes_op, reference
from grapevine.ops.pattern import Pattern
from tests.ops.cases import PATTERNS

K, C, D = 5, 3, 4


def factors(pattern: Pattern, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = (pattern.num_entries, K), (pattern.num_entries, C), (K, C, D)
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("room", [1, 60, 200, 1 << 19])  # of one row, of a few, of all
@pytest.mark.parametrize("name", PATTERNS)
def test_equals_reference(name, room, monkeypatch):
    monkeypatch.setattr(blocked, "_ON_CPU", room)
    pattern = PATTERNS[name]
    leaves = factors(pattern)
    ours, wanted = edge_matrix(pattern, *leaves), reference.total(pattern.indptr, *leaves)
    torch.testing.assert_close(ours, wanted)
    g = torch.randn(wanted.shape, dtype=torch.float64)
    for got, right in zip(torch.autograd.grad(ours, leaves, g), torch.autograd.grad(wanted, leaves, g), strict=True):
        torch.testing.assert_close(got, right)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_other_dtypes(dtype):
    pattern = PATTERNS["square"]
    leaves = [tensor.detach().to(dtype).requires_grad_() for tensor in factors(pattern)]
    ours = edge_matrix(pattern, *leaves)
    wanted = reference.total(pattern.indptr, *(leaf.detach().double() for leaf in leaves))
    digits = torch.finfo(dtype).eps * 8
    torch.testing.assert_close(ours.double(), wanted, rtol=digits, atol=digits * wanted.abs().max().item())
    assert [slope.dtype for slope in torch.autograd.grad(ours.sum(), leaves)] == [dtype] * 3


@pytest.mark.parametrize("name", ["square", "wide", "no entries"])
def test_derivatives(name):
    pattern = PATTERNS[name]
    leaves = factors(pattern)
    assert torch.autograd.gradcheck(lambda *f: edge_matrix(pattern, *f), leaves)
    assert torch.autograd.gradgradcheck(lambda *f: edge_matrix(pattern, *f), leaves)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_second_derivatives_by_one_factor(kept):
    pattern = PATTERNS["wide"]
    leaves = [leaf.detach() for leaf in factors(pattern)]

    def out(leaf: torch.Tensor) -> torch.Tensor:
        return edge_matrix(pattern, *leaves[:kept], leaf, *leaves[kept + 1 :]).pow(2)

    assert torch.autograd.gradgradcheck(out, leaves[kept].clone().requires_grad_())


def test_operations_are_registered_well():
    pattern = PATTERNS["wide"]
    leaves = factors(pattern)
    g = torch.randn(pattern.num_rows, D, dtype=torch.float64, requires_grad=True)
    torch.library.opcheck(edge_matrix_op, (pattern.indptr, *leaves))
    torch.library.opcheck(edge_matrix_slopes_op, (pattern.indptr, g, *leaves, [True, True, True]))


def test_what_does_not_fit_is_named():
    pattern = PATTERNS["wide"]
    feature, x, matrices = (leaf.detach() for leaf in factors(pattern))
    for wrong, message in (
        ((feature[1:], x, matrices), "feature must have a row for each of the 17 entries"),
        ((feature, x[:, :2], matrices), r"matrices must be \[5, 2, d\]"),
        ((feature, x, matrices.float()), "must share one dtype"),
    ):
        with pytest.raises(InputError, match=message):
            edge_matrix(pattern, *wrong)
    turned = pattern.transposed
    with pytest.raises(InputError, match="in the order of their rows"):
        edge_matrix(turned, feature, x, matrices)
