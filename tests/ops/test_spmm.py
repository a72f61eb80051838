"""spmm, sddmm and the chosen-entry operations against their references, and their derivatives to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.pattern import Pattern
from grapevine.ops.sddmm import sddmm
from grapevine.ops.select import pick_dot_op, pick_op, select_op, unpick_op
from grapevine.ops.select import reference as select_reference
from grapevine.ops.spmm import mean_scale, spmm
from grapevine.ops.trilinear import reference, sddmm_dot_op, spmm_op
from tests.ops.cases import PATTERNS, WIDTHS, random_pattern

BIG = random_pattern(3_000, 2_000, 40_000)  # large enough to be shared out among threads


def inputs(pattern: Pattern, width: int, heads: int = 0, dtype=torch.float32):
    """Random features, weights (none for 0 heads) and scales for a pattern."""
    torch.manual_seed(0)
    weight = torch.rand(pattern.num_entries, heads, dtype=dtype) if heads else None
    scales = torch.rand(pattern.num_rows, dtype=dtype), torch.rand(pattern.num_cols, dtype=dtype)
    return torch.randn(pattern.num_cols, width, dtype=dtype), weight, *scales


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
def test_sum_equals_reference(name, width):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x, weight, row_scale, col_scale = inputs(pattern, width, heads=1)
        for factors in (
            (None, None, None),
            (weight, None, None),
            (None, row_scale, col_scale),
            (weight, row_scale, col_scale),
        ):
            expected = reference.spmm(pattern.view, x, *factors)
            torch.testing.assert_close(spmm_op(pattern.view, [], x, *factors, None), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", WIDTHS)
def test_own_share_is_added_to_the_sum(width):
    pattern = PATTERNS["square"]
    x, weight, row_scale, _ = inputs(pattern, width, heads=1)
    own_scale = torch.tensor(1.25)
    for w, reduce in ((None, "sum"), (weight, "mean")):
        expected = spmm(pattern, x, w, reduce=reduce, row_scale=row_scale) + 1.25 * x
        out = spmm(pattern, x, w, reduce=reduce, row_scale=row_scale, own_scale=own_scale)
        torch.testing.assert_close(out, expected)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_heads_share_the_columns(heads):
    pattern = PATTERNS["square"]
    x, weight, *_ = inputs(pattern, 4 * 12, heads)
    by_head = x.unflatten(1, (heads, -1))
    expected = torch.stack([dense(pattern, weight[:, h]) @ by_head[:, h] for h in range(heads)], dim=1)
    torch.testing.assert_close(spmm(pattern, by_head, weight), expected)
    torch.testing.assert_close(spmm(pattern, x, weight), expected.flatten(1))


def dense(pattern: Pattern, weight: torch.Tensor) -> torch.Tensor:
    """The matrix of a pattern: weights of repeated entries add up."""
    matrix = torch.zeros(pattern.num_rows, pattern.num_cols, dtype=weight.dtype)
    return matrix.index_put((pattern.row_of.long(), pattern.indices.long()), weight, accumulate=True)


def test_mean_of_weighted_rows():
    pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 2]), num_cols=3)
    x = torch.tensor([[1.0], [2.0], [3.0]])
    assert spmm(pattern, x, reduce="mean").tolist() == [[2.0], [0.0]]
    assert mean_scale(pattern, x.dtype).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("is_max", [True, False])
def test_select_equals_reference(name, width, is_max):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        rows, cols = pattern.view, pattern.transposed.view
        x, weight, *_ = inputs(pattern, width, heads=1)
        x = x.round()  # so that there are ties
        for w in (None, weight):
            out, arg = select_op(rows, [], x, w, is_max)
            expected, expected_arg = select_reference.select(rows, x, w, is_max)
            assert torch.equal(out, expected)
            assert torch.equal(arg, expected_arg)
            grad = torch.randn_like(out)
            torch.testing.assert_close(pick_op(rows, [], x, w, arg), out)
            torch.testing.assert_close(
                unpick_op(rows, cols, grad, w, arg),
                select_reference.unpick(cols, grad, w, arg),
                rtol=1e-5,
                atol=1e-5,
            )
        torch.testing.assert_close(
            pick_dot_op(rows, cols, grad, x, arg, 1),
            select_reference.pick_dot(rows, grad, x, arg, 1),
            rtol=1e-5,
            atol=1e-5,
        )


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
def test_sddmm_equals_reference(name, width):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x, _, row_scale, col_scale = inputs(pattern, width)
        row_x = torch.randn(pattern.num_rows, width)
        for scales in ((None, None), (row_scale, col_scale)):
            expected = reference.sddmm_dot(pattern.view, row_x, x, 1, *scales)
            torch.testing.assert_close(
                sddmm_dot_op(pattern.view, [], row_x, x, 1, *scales), expected, rtol=1e-5, atol=1e-5
            )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes(dtype):
    pattern = PATTERNS["square"]
    x, weight, *_ = inputs(pattern, 20, heads=2)
    row_x = torch.randn(pattern.num_rows, 2, 10)
    tolerance = 1e-12 if dtype == torch.float64 else 0.05
    for f in (
        lambda t: spmm(pattern, x.to(t), weight.to(t)),
        lambda t: spmm(pattern, x.to(t), weight.to(t), reduce="max"),
        lambda t: sddmm(pattern, row_x.to(t), x.to(t).unflatten(1, (2, 10))),
    ):
        assert f(dtype).dtype == dtype
        exact = f(torch.float64)
        torch.testing.assert_close(f(dtype).double(), exact, rtol=tolerance, atol=tolerance)


def test_nan_and_infinity_propagate():
    pattern = Pattern(torch.tensor([0, 2, 4]), torch.tensor([0, 1, 1, 2]), num_cols=3)
    x = torch.tensor([[1.0, float("inf")], [float("nan"), 0.0], [2.0, 3.0]])
    for reduce, expected in (
        ("sum", [[torch.nan, torch.inf], [torch.nan, 3.0]]),
        ("max", [[torch.nan, torch.inf], [torch.nan, 3.0]]),
        ("min", [[torch.nan, 0.0], [torch.nan, 0.0]]),
    ):
        torch.testing.assert_close(spmm(pattern, x, reduce=reduce), torch.tensor(expected), equal_nan=True)


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])
@pytest.mark.parametrize("name", ["square", "wide", "no entries"])
def test_spmm_derivatives(reduce, name):
    pattern = PATTERNS[name]
    x, weight, row_scale, col_scale = inputs(pattern, 6, 2, torch.float64)
    scales = {"row_scale": row_scale, "col_scale": col_scale} if reduce in ("sum", "mean") else {}
    arguments = x.requires_grad_(), weight.requires_grad_()

    def f(x, weight):
        return spmm(pattern, x, weight, reduce=reduce, **scales)

    assert torch.autograd.gradcheck(f, arguments)
    assert torch.autograd.gradgradcheck(f, arguments)


def test_own_share_derivatives():
    pattern = PATTERNS["square"]
    x, weight, *_ = inputs(pattern, 6, 2, torch.float64)
    arguments = x.requires_grad_(), weight.requires_grad_(), torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def f(x, weight, own_scale):
        return spmm(pattern, x, weight, own_scale=own_scale)

    assert torch.autograd.gradcheck(f, arguments)
    assert torch.autograd.gradgradcheck(f, arguments)


@pytest.mark.parametrize("op", ["dot", "add"])
def test_sddmm_derivatives(op):
    pattern = PATTERNS["wide"]
    arguments = [
        torch.randn(size, 2, 3, dtype=torch.float64, requires_grad=True)
        for size in (pattern.num_rows, pattern.num_cols)
    ]
    assert torch.autograd.gradcheck(lambda a, b: sddmm(pattern, a, b, op=op), arguments)
    assert torch.autograd.gradgradcheck(lambda a, b: sddmm(pattern, a, b, op=op), arguments)


def test_operations_are_registered_well():
    pattern = PATTERNS["square"]
    rows, cols = pattern.view, pattern.transposed.view
    x, weight, row_scale, col_scale = inputs(pattern, 6, 2)
    x.requires_grad_(), weight.requires_grad_()
    _, arg = select_op(rows, cols, x, weight, True)
    grad = torch.randn(pattern.num_rows, 6, requires_grad=True)
    for op, arguments in (
        (spmm_op, (rows, cols, x, weight, row_scale, col_scale, None)),
        (spmm_op, (rows, cols, x, weight, None, None, torch.tensor(2.0, requires_grad=True))),
        (sddmm_dot_op, (rows, cols, grad, x, 2, row_scale, col_scale)),
        (select_op, (rows, cols, x, weight, True)),
        (pick_op, (rows, cols, x, weight, arg)),
        (unpick_op, (rows, cols, grad, weight, arg)),
        (pick_dot_op, (rows, cols, grad, x, arg, 2)),
    ):
        assert set(torch.library.opcheck(op, arguments).values()) == {"SUCCESS"}


def test_same_bits_for_any_number_of_threads():
    x, weight, *_ = inputs(BIG, 64, 2)
    results = []
    threads = torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        results.append([
            spmm(BIG, x, weight), spmm(BIG, x, weight, reduce="max"),
            sddmm(BIG, torch.ones(BIG.num_rows, 64), x), spmm(BIG.transposed, spmm(BIG, x)),
        ])  # fmt: skip
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_no_columns_and_no_nodes(reduce):
    assert spmm(PATTERNS["square"], torch.ones(12, 0), reduce=reduce).shape == (12, 0)
    empty = Pattern(torch.tensor([0]), torch.zeros(0, dtype=torch.long), 0)
    assert spmm(empty, torch.ones(0, 5), reduce=reduce).shape == (0, 5)


def test_strided_input_is_read_as_it_is():
    pattern = PATTERNS["square"]
    x = torch.randn(7, pattern.num_cols).T
    torch.testing.assert_close(spmm(pattern, x), spmm(pattern, x.contiguous()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, x: spmm(p, x, own_scale=torch.ones(2)), "own_scale must have 0 dimensions"),
        (lambda p, x: spmm(p, x, own_scale=torch.tensor(1.0), reduce="max"), "own_scale goes with sum and mean"),
        (lambda p, x: spmm(p, x[1:]), "row for each of the 12 columns"),
        (lambda p, x: spmm(p, x.long()), "dtype"),
        (lambda p, x: spmm(p, x[:, 0]), "dimensions"),
        (lambda p, x: spmm(p, x, torch.ones(3)), "row for each of the 40 entries"),
        (lambda p, x: spmm(p, x, torch.ones(40, 4)), "do not divide"),
        (lambda p, x: spmm(p, x, torch.ones(40).double()), "share one dtype"),
        (lambda p, x: spmm(p, x, reduce="median"), "median"),
        (lambda p, x: spmm(p, x, reduce="max", row_scale=torch.ones(12)), "row_scale"),
        (lambda p, x: spmm(p, x, col_scale=torch.ones(3)), "col_scale"),
        (lambda p, x: spmm("graph", x), "Pattern"),
        (lambda p, x: spmm(p, x.to_sparse()), "dense"),
        (lambda p, x: sddmm(p, x, x[:, :2]), "one shape"),
        (lambda p, x: sddmm(p, x, x, op="max"), "dot or add"),
        (lambda p, x: Pattern(torch.tensor([0, 1]), torch.tensor([5]), 5), "0 .. 4"),
        (lambda p, x: Pattern(torch.tensor([0, 1]), torch.tensor([-1]), 5), "got -1"),
        (lambda p, x: Pattern(torch.tensor([0, 2]), torch.tensor([1]), 5), "run from 0 to the 1"),
        (lambda p, x: Pattern(torch.tensor([0, 2, 1, 2]), torch.tensor([1, 1]), 5), "never fall"),
        (lambda p, x: Pattern(torch.zeros(0).long(), torch.zeros(0).long(), 5), "indptr"),
        (lambda p, x: Pattern(torch.tensor([0.0, 1.0]), torch.tensor([1]), 5), "dtype"),
    ],
)
def test_wrong_input_is_named(call, message):
    pattern = PATTERNS["square"]
    with pytest.raises(InputError, match=message):
        call(pattern, torch.ones(12, 6))
