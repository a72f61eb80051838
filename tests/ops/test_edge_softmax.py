"""The softmax over each row's entries against PyTorch's own on every row, and its derivatives to third order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.edge_softmax import edge_softmax, edge_softmax_backward_op, edge_softmax_op, reference
from grapevine.ops.gather import row_views
from grapevine.ops.pattern import Pattern
from tests.ops.cases import PATTERNS, random_pattern

BIG = random_pattern(3_000, 2_000, 40_000)  # large enough to be shared out among threads
HEADS = (1, 2, 3, 4, 8, 16, 17, 64)  # side by side in a vector, one after another, more than one vector


def expected(pattern: Pattern, logits: torch.Tensor) -> torch.Tensor:
    """Row by row, as the definition says."""
    out = torch.empty_like(logits)
    entry = torch.arange(pattern.num_entries) if pattern.entry is None else pattern.entry
    for mine in entry.long().split(pattern.indptr.diff().tolist()):
        out[mine] = logits[mine].softmax(0)
    return out


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("heads", HEADS)
def test_equals_the_definition_and_the_reference(name, heads):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        logits, grad = 5 * torch.randn(2, pattern.num_entries, heads)
        alpha = edge_softmax(pattern, logits)
        torch.testing.assert_close(alpha, expected(pattern, logits))
        index, segments = row_views(pattern)
        torch.testing.assert_close(alpha, reference.edge_softmax(index, segments, logits))
        torch.testing.assert_close(
            edge_softmax_backward_op(index, segments, alpha, grad),
            reference.edge_softmax_backward(index, segments, alpha, grad), rtol=1e-5, atol=1e-5,
        )  # fmt: skip


def test_one_number_an_entry():
    for pattern in (PATTERNS["square"], PATTERNS["hub"].transposed, PATTERNS["no rows"]):
        logits = torch.randn(pattern.num_entries)
        torch.testing.assert_close(edge_softmax(pattern, logits), expected(pattern, logits))
    assert edge_softmax(PATTERNS["square"], torch.ones(40, 0)).shape == (40, 0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_other_dtypes(dtype):
    pattern = PATTERNS["square"]
    logits = torch.randn(40, 3).to(dtype).requires_grad_()
    alpha = edge_softmax(pattern, logits)
    torch.testing.assert_close(alpha, expected(pattern, logits.detach().double()).to(dtype))
    assert alpha.dtype == torch.autograd.grad(alpha[0, 0], logits)[0].dtype == dtype


@pytest.mark.parametrize("name", ["wide", "tall", "no entries"])
def test_derivatives(name):
    for pattern in (PATTERNS[name], PATTERNS[name].transposed):
        logits = torch.randn(pattern.num_entries, 2, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x, p=pattern: edge_softmax(p, x), logits)
        assert torch.autograd.gradgradcheck(lambda x, p=pattern: edge_softmax(p, x), logits)


def test_the_third_derivative():
    pattern = random_pattern(3, 4, 8)
    weight = torch.randn(8, dtype=torch.float64)
    logits = torch.randn(8, dtype=torch.float64, requires_grad=True)

    def slope(x):
        first = torch.autograd.grad(edge_softmax(pattern, x).square() @ weight, x, create_graph=True)[0]
        return torch.autograd.grad(first.square() @ weight, x, create_graph=True)[0]

    assert torch.autograd.gradcheck(slope, logits)


@pytest.mark.parametrize("heads", [1, 3])
def test_nan_and_infinity_as_in_torch(heads):
    inf, nan = torch.inf, torch.nan
    pattern = Pattern(torch.tensor([0, 3, 6, 8, 10, 12]), torch.zeros(12, dtype=torch.long), num_cols=1)
    logits = torch.tensor([1.0, nan, 2.0, 0.0, inf, 1.0, -inf, -inf, -inf, 3.0, 1e30, -1e30])
    logits = logits.unsqueeze(1).repeat(1, heads)
    torch.testing.assert_close(edge_softmax(pattern, logits), expected(pattern, logits), equal_nan=True)


def test_operations_are_registered_well():
    pattern = PATTERNS["square"]
    for index, segments in (row_views(pattern), row_views(pattern.transposed)):
        x, grad = (torch.randn(40, 2, requires_grad=True) for _ in range(2))
        for op, arguments in (
            (edge_softmax_op, (index, segments, x)),
            (edge_softmax_backward_op, (index, segments, x, grad)),
        ):
            assert set(torch.library.opcheck(op, arguments).values()) == {"SUCCESS"}


def test_compiles_without_a_break():
    pattern = PATTERNS["square"]
    pattern.row_of  # noqa: B018 made beforehand, as a graph does
    x = torch.randn(40, 4, requires_grad=True)
    compiled = torch.compile(lambda x: edge_softmax(pattern, x), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), edge_softmax(pattern, x))


@pytest.mark.parametrize("heads", [4, 17])
def test_same_bits_for_any_number_of_threads(heads):
    logits, grad = torch.randn(2, BIG.num_entries, heads)
    logits.requires_grad_()
    results, threads = [], torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        alpha = edge_softmax(BIG, logits)
        results.append((alpha, *torch.autograd.grad(alpha, logits, grad)))
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_strided_input_is_read_as_it_is():
    pattern = PATTERNS["square"]
    logits = torch.randn(3, 40).T
    assert torch.equal(edge_softmax(pattern, logits), edge_softmax(pattern, logits.contiguous()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: edge_softmax(p, torch.ones(5, 6)), "row for each of the 17 entries"),
        (lambda p: edge_softmax(p, torch.ones(17, 2, 3)), "logits must have 1 or 2 dimensions"),
        (lambda p: edge_softmax(p, torch.ones(17).long()), "dtype"),
        (lambda p: edge_softmax(torch.ones(17), p), "Pattern"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(PATTERNS["wide"])
