"""Tensor products along edges against the form that makes every message, for any widths and paths, to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.pattern import Pattern
from grapevine.ops.tensor_product import (
    Path,
    Paths,
    reference,
    tensor_product,
    tensor_product_op,
    tensor_product_slopes_op,
)
from tests.ops.cases import PATTERNS, WIDTHS


def make_paths(mul: int, other: int) -> Paths:
    """x: [1, mul] and [3, other]; sh: 1, 3, 5; paths share blocks of x and of the output, and one leaves gaps."""
    generator = torch.Generator().manual_seed(1)

    def coupling(*shape: int) -> torch.Tensor:
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
        return torch.where(drawn > 0, drawn, 0.0)

    paths = [
        Path(0, 1, 0, mul, coupling(1, 3, 3)),
        Path(mul, 0, 3 * mul, other, coupling(3, 1, 3)),
        Path(mul, 4, 3 * mul, other, coupling(3, 5, 3)),
        Path(mul, 1, 3 * mul + 3 * other, other, coupling(3, 3, 1)),
        Path(0, 1, 3 * mul + 4 * other, mul, coupling(1, 3, 3), out_stride=mul + 2),
    ]
    return Paths(paths, in_width=mul + 3 * other, sh_width=9, out_width=6 * mul + 4 * other + 4)


def factors(pattern: Pattern, paths: Paths, dtype: torch.dtype = torch.float64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = (
        (pattern.num_cols, paths.in_width),
        (pattern.num_entries, paths.weight_width),
        (pattern.num_entries, paths.sh_width),
    )
    return [torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes]


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("mul", WIDTHS)
def test_equals_reference(name, mul):
    pattern, paths = PATTERNS[name], make_paths(mul, 5)
    leaves = factors(pattern, paths)
    ours = tensor_product(pattern, paths, *leaves)
    wanted = reference.total(pattern.view, paths.view(torch.float64), *leaves, paths.out_width)
    torch.testing.assert_close(ours, wanted)
    g = torch.randn(wanted.shape, dtype=torch.float64)
    for got, right in zip(torch.autograd.grad(ours, leaves, g), torch.autograd.grad(wanted, leaves, g), strict=True):
        torch.testing.assert_close(got, right)


@pytest.mark.parametrize("wanted", [[True, True], [True, False], [False, True]])
@pytest.mark.parametrize("name", ["square", "hub"])
def test_slopes_equal_reference(name, wanted):
    pattern, paths = PATTERNS[name], make_paths(17, 130)
    leaves = [leaf.detach() for leaf in factors(pattern, paths)]
    g = torch.randn(pattern.num_rows, paths.out_width, dtype=torch.float64)
    views = pattern.view, pattern.transposed.view, paths.view(g.dtype), paths.turned.view(g.dtype)
    ours = tensor_product_slopes_op(*views, g, *leaves, wanted)
    for got, right in zip(ours, reference.slopes(pattern.view, views[2], g, *leaves, wanted), strict=True):
        torch.testing.assert_close(got, right)


def test_single_precision():
    pattern, paths = PATTERNS["square"], make_paths(64, 16)
    leaves = [leaf.detach() for leaf in factors(pattern, paths)]
    wanted = tensor_product(pattern, paths, *leaves)
    ours = tensor_product(pattern, paths, *(leaf.float() for leaf in leaves))
    torch.testing.assert_close(ours.double(), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", ["wide", "no entries"])
def test_derivatives(name):
    pattern, paths = PATTERNS[name], make_paths(2, 1)
    leaves = factors(pattern, paths)
    assert torch.autograd.gradcheck(lambda *f: tensor_product(pattern, paths, *f), leaves)
    assert torch.autograd.gradgradcheck(lambda *f: tensor_product(pattern, paths, *f), leaves)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_second_derivatives_by_one_factor(kept):
    pattern, paths = PATTERNS["wide"], make_paths(2, 1)
    leaves = [leaf.detach() for leaf in factors(pattern, paths)]

    def out(leaf: torch.Tensor) -> torch.Tensor:
        return tensor_product(pattern, paths, *leaves[:kept], leaf, *leaves[kept + 1 :]).pow(2)

    assert torch.autograd.gradgradcheck(out, leaves[kept].clone().requires_grad_())


def test_operations_are_registered_well():
    pattern, paths = PATTERNS["wide"], make_paths(3, 2)
    leaves = factors(pattern, paths)
    g = torch.randn(pattern.num_rows, paths.out_width, dtype=torch.float64, requires_grad=True)
    views = pattern.view, pattern.transposed.view, paths.view(g.dtype), paths.turned.view(g.dtype)
    torch.library.opcheck(tensor_product_op, (*views, *leaves, paths.out_width))
    torch.library.opcheck(tensor_product_slopes_op, (*views, g, *leaves, [True, True]))


def test_same_bits_whatever_the_threads():
    pattern, paths = PATTERNS["hub"], make_paths(128, 64)
    leaves = [leaf.detach() for leaf in factors(pattern, paths, torch.float32)]
    threads, outs = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            outs.append(tensor_product(pattern, paths, *leaves))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*outs)


def test_what_does_not_fit_is_named():
    pattern, paths = PATTERNS["wide"], make_paths(3, 2)
    x, weight, sh = (leaf.detach() for leaf in factors(pattern, paths))
    for wrong, message in (
        ((x[1:], weight, sh), "x must have a row for each of the 30 columns"),
        ((x[:, 1:], weight, sh), "x must have the 9 columns"),
        ((x, weight[:, 1:], sh), "weight must have the 12 columns"),
        ((x, weight, sh[1:]), "sh must have a row for each of the 17 entries"),
        ((x, weight.float(), sh), "must share one dtype"),
        ((x.bfloat16(), weight.bfloat16(), sh.bfloat16()), "float32"),
    ):
        with pytest.raises(InputError, match=message):
            tensor_product(pattern, paths, *wrong)
    with pytest.raises(InputError, match="a path ends at columns"):
        Paths([Path(0, 0, 0, 2, torch.eye(3).unsqueeze(2))], in_width=6, sh_width=3, out_width=1)
