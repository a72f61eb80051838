"""gather and the segment sum against their references, as each other's transpose, and to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.gather import gather, gather_op, reference, row_views, segment_sum_op
from tests.ops.cases import PATTERNS, WIDTHS, random_pattern

BIG = random_pattern(3_000, 2_000, 40_000)  # large enough to be shared out among threads


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
def test_gather_takes_the_rows_of_either_side(name, width):
    pattern = PATTERNS[name]
    for x, side, of in (
        (torch.randn(pattern.num_cols, width), "cols", pattern.indices),
        (torch.randn(pattern.num_rows, width), "rows", pattern.row_of),
    ):
        assert torch.equal(gather(pattern, x, side=side), x[of.long()])


@pytest.mark.parametrize("name", PATTERNS)
def test_the_transpose_gathers_the_same(name):
    pattern = PATTERNS[name]
    row_x, col_x = torch.randn(pattern.num_rows, 5), torch.randn(pattern.num_cols, 5)
    assert torch.equal(gather(pattern.transposed, row_x), gather(pattern, row_x, side="rows"))
    assert torch.equal(gather(pattern.transposed, col_x, side="rows"), gather(pattern, col_x))
    index, _ = row_views(pattern.transposed)
    assert torch.equal(reference.gather(index, col_x), gather(pattern, col_x))


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", WIDTHS)
def test_segment_sum_equals_reference(name, width):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        x, scale = torch.randn(pattern.num_entries, width), torch.rand(pattern.num_rows)
        index, segments = row_views(pattern)
        for s in (None, scale):
            expected = reference.segment_sum(segments, x, s)
            torch.testing.assert_close(segment_sum_op(index, segments, x, s), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 2, 3)])
def test_any_shape_of_rows(shape):
    for pattern in (PATTERNS["wide"], PATTERNS["no rows"]):
        x = torch.randn(pattern.num_cols, *shape, requires_grad=True)
        out = gather(pattern, x)
        assert torch.equal(out, x[pattern.indices.long()])
        out.sum().backward()
        counts = pattern.transposed.indptr.diff().view(-1, *[1] * len(shape))
        assert torch.equal(x.grad, counts.expand_as(x).float())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes(dtype):
    pattern = PATTERNS["square"]
    x = torch.randn(pattern.num_cols, 20).to(dtype).requires_grad_()
    out = gather(pattern, x)
    assert torch.equal(out, x[pattern.indices.long()])
    weight = torch.randn(pattern.num_entries, 20).to(dtype)
    (grad,) = torch.autograd.grad(out, x, weight)
    assert grad.dtype == dtype
    exact = torch.zeros(x.shape, dtype=torch.float64).index_add(0, pattern.indices, weight.double())
    torch.testing.assert_close(grad, exact.to(dtype))  # added up in float32, rounded once


@pytest.mark.parametrize("side", ["cols", "rows"])
@pytest.mark.parametrize("name", ["wide", "tall", "no entries"])
def test_gather_derivatives(side, name):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        rows = pattern.num_rows if side == "rows" else pattern.num_cols
        x = torch.randn(rows, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x, p=pattern: gather(p, x, side=side), x)
        assert torch.autograd.gradgradcheck(lambda x, p=pattern: gather(p, x, side=side).square(), x)


def test_operations_are_registered_well():
    pattern = PATTERNS["square"]
    for index, segments in (row_views(pattern), row_views(pattern.transposed)):
        row_x = torch.randn(12, 2, 3, requires_grad=True)
        entry_x = torch.randn(40, 2, 3, requires_grad=True)
        for op, arguments in (
            (gather_op, (index, segments, row_x)),
            (segment_sum_op, (index, segments, entry_x, None)),
            (segment_sum_op, (index, segments, entry_x, torch.rand(12))),
        ):
            assert set(torch.library.opcheck(op, arguments).values()) == {"SUCCESS"}


@pytest.mark.parametrize("side", ["cols", "rows"])
def test_gather_compiles_without_a_break(side):
    pattern = PATTERNS["square"]
    pattern.transposed, pattern.row_of  # noqa: B018 made beforehand, as a graph does
    x = torch.randn(12, 4, requires_grad=True)
    compiled = torch.compile(lambda x: gather(pattern, x, side=side), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), gather(pattern, x, side=side))


def test_same_bits_for_any_number_of_threads():
    x = torch.randn(BIG.num_cols, 64, requires_grad=True)
    results, threads = [], torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        out = gather(BIG, x)
        results.append((out, *torch.autograd.grad(out.square().sum(), x)))
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_strided_input_is_read_as_it_is():
    pattern = PATTERNS["square"]
    x = torch.randn(7, 12).T
    assert torch.equal(gather(pattern, x), gather(pattern, x.contiguous()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: gather(p, torch.ones(5, 6)), "row for each of the 30 columns"),
        (lambda p: gather(p, torch.ones(30, 6), side="rows"), "row for each of the 5 rows"),
        (lambda p: gather(p, torch.ones(30, 6), side="entries"), "side must be cols or rows"),
        (lambda p: gather(p, torch.ones(30).long()), "dtype"),
        (lambda p: gather(p, torch.ones(())), "dimensions"),
        (lambda p: gather(p, torch.ones(30, 2).to_sparse()), "dense"),
        (lambda p: gather(p, torch.ones(30, 2, device="meta")), "x is on meta"),
        (lambda p: gather(p, [1.0]), "x must be a tensor"),
        (lambda p: gather("graph", torch.ones(30)), "Pattern"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(PATTERNS["wide"])
