"""Symmetric contractions against the form that makes every product, for any width, to second order."""

from itertools import combinations_with_replacement

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.symmetric_contraction import (
    Terms,
    contraction_op,
    contraction_slopes_op,
    contraction_turns_op,
    reference,
    symmetric_contraction,
)
from tests.ops.cases import WIDTHS

A, O, Z = 4, 3, 2


def make_terms() -> Terms:
    """Some of all products of up to three of four components, powers among them; output 1 has none."""
    products = [p for degree in (1, 2, 3) for p in combinations_with_replacement(range(A), degree)]
    terms = [(0, p) for p in products[::2]] + [(2, p) for p in products[::3]]
    return Terms(terms, num_components=A, num_outputs=O)


def inputs(terms: Terms, n: int, channels: int, dtype=torch.float64) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    shapes = (n, A, channels), (Z, len(terms), channels)
    x, weight = (torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for shape in shapes)
    return x, weight, torch.randint(Z, (n,), generator=generator)


@pytest.mark.parametrize("channels", WIDTHS)
@pytest.mark.parametrize("n", [0, 1, 7])
def test_equals_reference(n, channels):
    terms = make_terms()
    x, weight, kind = inputs(terms, n, channels)
    ours = symmetric_contraction(terms, x, weight, kind)
    wanted = reference.total(terms.table, kind, O, x, weight)
    torch.testing.assert_close(ours, wanted)
    g, by_x, by_weight = torch.randn_like(wanted), torch.randn_like(x), torch.randn_like(weight)
    given = terms.table, kind, g, x, weight
    for got, right in zip(contraction_slopes_op(*given), reference.slopes(*given), strict=True):
        torch.testing.assert_close(got, right)
    given = *given, by_x, by_weight
    for got, right in zip(contraction_turns_op(*given), reference.turns(*given), strict=True):
        torch.testing.assert_close(got, right)


def test_single_precision():
    terms = make_terms()
    x, weight, kind = inputs(terms, 9, 128)
    wanted = symmetric_contraction(terms, x, weight, kind)
    ours = symmetric_contraction(terms, x.float(), weight.float(), kind)
    torch.testing.assert_close(ours.double(), wanted, rtol=1e-4, atol=1e-4)


def test_derivatives():
    terms = make_terms()
    x, weight, kind = inputs(terms, 3, 2)
    assert torch.autograd.gradcheck(lambda *f: symmetric_contraction(terms, *f, kind), (x, weight))
    assert torch.autograd.gradgradcheck(lambda *f: symmetric_contraction(terms, *f, kind), (x, weight))


def test_a_third_derivative_is_refused():
    terms = make_terms()
    x, weight, kind = inputs(terms, 3, 2)
    slope = symmetric_contraction(terms, x, weight, kind).sum()
    for _ in range(2):
        (slope,) = torch.autograd.grad(slope.sum(), x, create_graph=True)
    with pytest.raises(InputError, match="no third"):
        torch.autograd.grad(slope.sum(), x)


def test_operations_are_registered_well():
    terms = make_terms()
    x, weight, kind = inputs(terms, 3, 5)
    g = torch.randn(3, O, 5, dtype=torch.float64, requires_grad=True)
    torch.library.opcheck(contraction_op, (terms.table, kind, O, x, weight))
    torch.library.opcheck(contraction_slopes_op, (terms.table, kind, g, x, weight))
    given = terms.table, kind, g.detach(), x.detach(), weight.detach(), x.detach(), weight.detach()
    torch.library.opcheck(contraction_turns_op, given)


def test_same_bits_whatever_the_threads():
    terms = make_terms()
    x, weight, kind = (tensor.detach() for tensor in inputs(terms, 500, 128))
    g = torch.randn(500, O, 128, dtype=torch.float64)
    threads, outs = torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            outs.append(contraction_slopes_op(terms.table, kind, g, x, weight))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(one, two) for one, two in zip(*outs, strict=True))


def test_what_does_not_fit_is_named():
    terms = make_terms()
    x, weight, kind = (tensor.detach() for tensor in inputs(terms, 3, 5))
    for wrong, message in (
        ((x[:, 1:], weight, kind), r"x must be \[n, 4, c\]"),
        ((x, weight[:, 1:], kind), "x must be"),
        ((x, weight, kind + 5), "kind must lie in 0 .. 1"),
        ((x, weight, kind[1:]), "kind must have a row for each of the 3 nodes"),
    ):
        with pytest.raises(InputError, match=message):
            symmetric_contraction(terms, *wrong)
    with pytest.raises(InputError, match="1 to 3 factors"):
        Terms([(0, (0, 0, 0, 0))], num_components=1, num_outputs=1)
    with pytest.raises(InputError, match="does not fit"):
        Terms([(0, (1,))], num_components=1, num_outputs=1)
