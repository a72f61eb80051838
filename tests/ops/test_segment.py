"""Segment reductions against PyTorch's own on every row, and their derivatives to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.gather import row_views
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import logsumexp_op, reference, segment_reduce
from tests.ops.cases import PATTERNS, WIDTHS, random_pattern

BIG = random_pattern(3_000, 2_000, 40_000)  # large enough to be shared out among threads
ON_ROW = {
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(0) if len(x) else x.sum(0),
    "max": lambda x: x.amax(0) if len(x) else x.sum(0),
    "min": lambda x: x.amin(0) if len(x) else x.sum(0),
    "logsumexp": lambda x: x.logsumexp(0),
}


def expected(pattern: Pattern, x: torch.Tensor, reduce: str) -> torch.Tensor:
    """Row by row, as the definition says."""
    entry = torch.arange(pattern.num_entries) if pattern.entry is None else pattern.entry
    rows = [ON_ROW[reduce](x[mine.long()]) for mine in entry.split(pattern.indptr.diff().tolist())]
    return torch.stack(rows) if rows else x.new_zeros(0, *x.shape[1:])


@pytest.mark.parametrize("reduce", ON_ROW)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
def test_equals_the_definition(reduce, name, width):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x = 3 * torch.randn(pattern.num_entries, width)
        out = segment_reduce(pattern, x, reduce=reduce)
        torch.testing.assert_close(out, expected(pattern, x, reduce), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", [1, 2, 4, 8, 17])
def test_logsumexp_equals_reference(name, width):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x = 10 * torch.randn(pattern.num_entries, width)
        index, segments = row_views(pattern)
        torch.testing.assert_close(logsumexp_op(index, segments, x), reference.logsumexp(index, segments, x))


@pytest.mark.parametrize("reduce", ON_ROW)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 2, 3)])
def test_any_shape_of_rows(reduce, shape):
    for pattern in (PATTERNS["wide"], PATTERNS["no rows"]):
        x = torch.randn(pattern.num_entries, *shape)
        torch.testing.assert_close(segment_reduce(pattern, x, reduce=reduce), expected(pattern, x, reduce))


@pytest.mark.parametrize("reduce", ON_ROW)
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes(reduce, dtype):
    pattern = PATTERNS["square"]
    x = torch.randn(pattern.num_entries, 20).to(dtype)
    out = segment_reduce(pattern, x, reduce=reduce)
    assert out.dtype == dtype
    exact = expected(pattern, x.double(), reduce).to(dtype)
    torch.testing.assert_close(out, exact)  # in float32, rounded once
    assert torch.autograd.grad(segment_reduce(pattern, x.requires_grad_(), reduce=reduce).sum(), x)[0].dtype == dtype


def test_the_mean_of_float16_does_not_overflow_on_the_way():
    pattern = Pattern(torch.tensor([0, 100]), torch.zeros(100, dtype=torch.long), num_cols=1)
    assert segment_reduce(pattern, torch.full((100, 1), 2000.0).half(), reduce="mean").tolist() == [[2000.0]]


@pytest.mark.parametrize("reduce", ON_ROW)
@pytest.mark.parametrize("name", ["wide", "tall", "no entries"])
def test_derivatives(reduce, name):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x = torch.randn(pattern.num_entries, 2, dtype=torch.float64, requires_grad=True)
        filled = pattern.indptr.diff() > 0  # the logsumexp of an empty row is -inf, which has no differences

        def f(x, pattern=pattern, filled=filled):
            return segment_reduce(pattern, x, reduce=reduce)[filled].square()

        assert torch.autograd.gradcheck(f, x)
        assert torch.autograd.gradgradcheck(f, x)


@pytest.mark.parametrize("reduce", ON_ROW)
def test_nan_and_infinity_propagate(reduce):
    inf, nan = torch.inf, torch.nan
    pattern = Pattern(torch.tensor([0, 2, 4, 6, 8]), torch.zeros(8, dtype=torch.long), num_cols=1)
    x = torch.tensor([1.0, nan, inf, 2.0, -inf, -inf, -inf, 3.0])
    out = segment_reduce(pattern, x, reduce=reduce)
    torch.testing.assert_close(out, expected(pattern, x, reduce), equal_nan=True)


def test_logsumexp_neither_overflows_nor_vanishes():
    pattern = Pattern(torch.tensor([0, 2, 4, 4]), torch.zeros(4, dtype=torch.long), num_cols=1)
    x = torch.tensor([[1e4], [1e4], [-1e4], [-1e4]])
    out = segment_reduce(pattern, x, reduce="logsumexp")
    torch.testing.assert_close(out[:2, 0], torch.tensor([1e4, -1e4]) + torch.log(torch.tensor(2.0)))
    assert out[2].item() == -torch.inf


def test_logsumexp_is_registered_well():
    pattern = PATTERNS["square"]
    for index, segments in (row_views(pattern), row_views(pattern.transposed)):
        x = torch.randn(40, 2, 3, requires_grad=True)
        assert set(torch.library.opcheck(logsumexp_op, (index, segments, x)).values()) == {"SUCCESS"}


@pytest.mark.parametrize("reduce", ON_ROW)
def test_compiles_without_a_break(reduce):
    pattern = PATTERNS["square"]
    pattern.row_of  # noqa: B018 made beforehand, as a graph does
    x = torch.randn(40, 4, requires_grad=True)
    compiled = torch.compile(lambda x: segment_reduce(pattern, x, reduce=reduce), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), segment_reduce(pattern, x, reduce=reduce))


@pytest.mark.parametrize("reduce", ON_ROW)
def test_same_bits_for_any_number_of_threads(reduce):
    x = torch.randn(BIG.num_entries, 17, requires_grad=True)
    results, threads = [], torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        out = segment_reduce(BIG, x, reduce=reduce)
        results.append((out, *torch.autograd.grad(out, x, torch.ones_like(out))))
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: segment_reduce(p, torch.ones(5, 6)), "row for each of the 17 entries"),
        (lambda p: segment_reduce(p, torch.ones(17), reduce="median"), "median"),
        (lambda p: segment_reduce(p, torch.ones(17).int()), "dtype"),
        (lambda p: segment_reduce(p, torch.ones(17, 1, 1, 1, 1)), "dimensions"),
        (lambda p: segment_reduce("graph", torch.ones(17)), "Pattern"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(PATTERNS["wide"])
