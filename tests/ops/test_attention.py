"""The three attentions against dense masked softmaxes, against their references, and their derivatives."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from grapevine.errors import InputError
from grapevine.ops.attention import additive_attention, dot_attention, gatv2_attention, reference
from grapevine.ops.attention.additive import additive_backward_op, additive_op
from grapevine.ops.attention.dot import dot_backward_op, dot_op
from grapevine.ops.attention.gatv2 import gatv2_backward_op, gatv2_op
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.random import draw_seed, keep_mask
from tests.ops.cases import PATTERNS, random_pattern

KINDS = ("additive", "gatv2", "dot")
SHAPES = ((1, 1), (3, 3), (1, 16), (4, 32), (2, 40), (3, 48))  # heads, channels
WIDE_SHAPES = ((20, 5), (20, 16), (33, 3), (2, 200), (1, 130))  # more heads than lanes, more columns than a strip
OPERATIONS = {
    "additive": (additive_op, additive_backward_op, reference.additive, reference.additive_gradient),
    "gatv2": (gatv2_op, gatv2_backward_op, reference.gatv2, reference.gatv2_gradient),
    "dot": (dot_op, dot_backward_op, reference.dot, reference.dot_gradient),
}
BIG = random_pattern(2_000, 1_500, 30_000)


def draw_inputs(kind: str, pattern: Pattern, heads: int, channels: int, dtype=torch.float32) -> list[torch.Tensor]:
    """The tensors of an attention, with the optional score of the edges."""
    torch.manual_seed(0)
    n, m, e = pattern.num_rows, pattern.num_cols, pattern.num_entries
    shapes = {
        "additive": [(m, heads, channels), (m, heads), (n, heads), (e, heads)],
        "gatv2": [(m, heads, channels), (n, heads, channels), (heads, channels)],
        "dot": [(n, heads, channels), (m, heads, channels), (m, heads, channels + 2), (e, heads)],
    }[kind]
    return [torch.randn(shape, dtype=dtype) for shape in shapes]


def attend(kind: str, pattern: Pattern, inputs: list[torch.Tensor], **options) -> torch.Tensor:
    function = {"additive": additive_attention, "gatv2": gatv2_attention, "dot": dot_attention}[kind]
    return function(pattern, *inputs, **options)


def plainly(kind: str, pattern: Pattern, inputs: list[torch.Tensor], dropout=0.0, seed=None) -> torch.Tensor:
    """The same over [e, h, c] tensors, row by row, with PyTorch's softmax."""
    row, col = pattern.row_of.long(), pattern.indices.long()
    if kind == "additive":
        value, score_col, score_row, score_edge = inputs
        score = torch.nn.functional.leaky_relu(score_col[col] + score_row[row] + score_edge, 0.2)
    elif kind == "gatv2":
        value, row_x, att = inputs
        score = (torch.nn.functional.leaky_relu(value[col] + row_x[row], 0.2) * att).sum(2)
    else:
        query, key, value, bias = inputs
        score = (query[row] * key[col]).sum(2) * key.shape[2] ** -0.5 + bias
    mask = torch.ones_like(score) if seed is None else keep_mask(seed, score.shape, dropout) / (1 - dropout)
    rows = []
    for i in range(pattern.num_rows):
        of_row = row == i
        alpha = score[of_row].softmax(0) * mask[of_row]
        rows.append((alpha.unsqueeze(2) * value[col[of_row]]).sum(0))
    return torch.stack(rows) if rows else value.new_zeros(0, *value.shape[1:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize(("heads", "channels"), SHAPES)
def test_equals_the_plain_form(kind, name, heads, channels):
    pattern = PATTERNS[name]
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, heads, channels)]
    out, expected = attend(kind, pattern, inputs), plainly(kind, pattern, inputs)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    grad = torch.randn_like(out)
    found = torch.autograd.grad(out, inputs, grad)
    wanted = torch.autograd.grad(expected, inputs, grad, allow_unused=True, materialize_grads=True) if (
        expected.requires_grad
    ) else [torch.zeros_like(x) for x in inputs]  # fmt: skip
    for got, right in zip(found, wanted, strict=True):
        torch.testing.assert_close(got, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("heads", "channels"), WIDE_SHAPES)
def test_kernels_equal_their_references(kind, heads, channels):
    many = random_pattern(20, 10, 900)  # rows of more than one block
    for pattern in (many, many.transposed, PATTERNS["tall"].transposed):
        inputs = draw_inputs(kind, pattern, heads, channels, torch.float64)
        for given in (inputs,) if kind == "gatv2" else (inputs, [*inputs[:-1], None]):
            op, backward_op, expected, expected_gradient = OPERATIONS[kind]
            rows, cols, options = pattern.view, pattern.transposed.view, (0.2, 0.3, torch.tensor(77))
            out, lse = op(rows, [], *given, *options)
            torch.testing.assert_close((out, lse), expected(rows, *given, *options), rtol=1e-11, atol=1e-11)
            grad = torch.randn_like(out)
            found = backward_op(rows, cols, grad, *given, out, lse, *options)
            wanted = expected_gradient(rows, grad, *given, *options)
            torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_nan_and_infinity_propagate(kind, bad):
    pattern = PATTERNS["square"]
    for place in range(len(draw_inputs(kind, pattern, 2, 4))):
        inputs = draw_inputs(kind, pattern, 2, 4)
        inputs[place][0] = bad
        found, wanted = attend(kind, pattern, inputs), plainly(kind, pattern, inputs)
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5, equal_nan=True)


def test_minus_infinity_masks_an_entry():
    pattern = Pattern(torch.tensor([0, 3, 5, 5]), torch.tensor([0, 1, 2, 0, 1]), num_cols=3)
    bias = torch.tensor([[-torch.inf], [0.0], [0.0], [-torch.inf], [-torch.inf]])
    out = dot_attention(pattern, torch.zeros(3, 1, 1), torch.zeros(3, 1, 1), torch.arange(3.0).view(3, 1, 1), bias)
    torch.testing.assert_close(out.flatten(), torch.tensor([1.5, torch.nan, 0.0]), equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_the_mask_of_its_seed(kind):
    pattern, seed = PATTERNS["square"], draw_seed()
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, 3, 5)]
    out = attend(kind, pattern, inputs, dropout=0.4, seed=seed)
    expected = plainly(kind, pattern, inputs, dropout=0.4, seed=seed)
    torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    for got, right in zip(
        torch.autograd.grad(out.square().sum(), inputs),
        torch.autograd.grad(expected.square().sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(got, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_drawn_anew_unless_a_seed_is_given(kind):
    pattern = PATTERNS["square"]
    inputs, seed = draw_inputs(kind, pattern, 2, 4), draw_seed()
    first, second = (attend(kind, pattern, inputs, dropout=0.5) for _ in range(2))
    assert not torch.equal(first, second)
    first, second = (attend(kind, pattern, inputs, dropout=0.5, seed=seed) for _ in range(2))
    assert torch.equal(first, second)
    assert not attend(kind, pattern, inputs, dropout=1.0).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_derivatives(kind, dropout):
    pattern = PATTERNS["wide"]
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, 2, 3, torch.float64)]
    seed = draw_seed() if dropout else None

    def f(*x):
        return attend(kind, pattern, list(x), dropout=dropout, seed=seed)

    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize("kind", KINDS)
def test_large_scores_do_not_overflow(kind):
    pattern = PATTERNS["square"]
    inputs = [100 * x for x in draw_inputs(kind, pattern, 2, 4)]
    torch.testing.assert_close(attend(kind, pattern, inputs), plainly(kind, pattern, inputs), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_adds_up_in_single(kind):
    pattern = PATTERNS["square"]
    inputs = [x.bfloat16() for x in draw_inputs(kind, pattern, 2, 8)]
    out = attend(kind, pattern, inputs)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), attend(kind, pattern, [x.float() for x in inputs]), rtol=0.02, atol=0.02)


def test_the_textbook_weights():
    pattern = Pattern(torch.tensor([0, 2]), torch.tensor([0, 1]), num_cols=2)
    value = torch.eye(2).unsqueeze(1)  # so that the output is the weights
    weights = additive_attention(pattern, value, torch.tensor([[0.4], [0.2]]), torch.zeros(1, 1))
    torch.testing.assert_close(weights.flatten(), torch.tensor([0.550, 0.450]), rtol=0, atol=5e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_same_bits_for_any_number_of_threads(kind):
    inputs = [x.requires_grad_() for x in draw_inputs(kind, BIG, 4, 32)]
    seed, threads, results = draw_seed(), torch.get_num_threads(), []
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        out = attend(kind, BIG, inputs, dropout=0.3, seed=seed)
        results.append([out, *torch.autograd.grad(out.sum(), inputs)])
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


class LargestTensor(TorchDispatchMode):
    """Remembers the largest number of elements that any operation returned."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for x in out if isinstance(out, tuple | list) else (out,):
            if isinstance(x, torch.Tensor):
                self.largest = max(self.largest, x.numel())
        return out


@pytest.mark.parametrize("kind", KINDS)
def test_no_tensor_of_edges_times_channels(kind):
    pattern, heads, channels = random_pattern(50, 50, 5_000), 2, 64
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, heads, channels)]
    _ = pattern.transposed
    with LargestTensor() as seen:
        torch.autograd.grad(attend(kind, pattern, inputs).sum(), inputs)
    assert seen.largest <= 2 * pattern.num_entries * heads


@pytest.mark.parametrize("kind", KINDS)
def test_operations_are_registered_well(kind):
    pattern = PATTERNS["square"]
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, 2, 4)]
    op, backward_op, *_ = OPERATIONS[kind]
    rows, cols, options = pattern.view, pattern.transposed.view, (0.2, 0.5, torch.tensor(5))
    assert set(torch.library.opcheck(op, (rows, cols, *inputs, *options)).values()) == {"SUCCESS"}
    out, lse = (x.detach() for x in op(rows, cols, *inputs, *options))
    grad = torch.randn_like(out).requires_grad_()
    arguments = rows, cols, grad, *inputs, out, lse, *options
    assert set(torch.library.opcheck(backward_op, arguments).values()) == {"SUCCESS"}


@pytest.mark.parametrize("kind", KINDS)
def test_compiles_without_a_break(kind):
    pattern = PATTERNS["square"]
    inputs = [x.requires_grad_() for x in draw_inputs(kind, pattern, 2, 4)]
    _ = pattern.transposed

    @torch.compile(backend="aot_eager", fullgraph=True)
    def f(*x):
        return attend(kind, pattern, list(x), dropout=0.2, seed=torch.tensor(5))

    torch.testing.assert_close(f(*inputs), attend(kind, pattern, inputs, dropout=0.2, seed=torch.tensor(5)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, v, s: additive_attention(p, v[1:], s, s), "value"),
        (lambda p, v, s: additive_attention(p, v, s[:, :1], s), "score_col"),
        (lambda p, v, s: additive_attention(p, v, s, s, torch.ones(3, 2)), "score_edge"),
        (lambda p, v, s: additive_attention(p, v, s, s, dropout=1.5), "probability"),
        (lambda p, v, s: gatv2_attention(p, v, v, torch.ones(2, 3)), "att"),
        (lambda p, v, s: gatv2_attention(p, v, v.double(), torch.ones(2, 4)), "dtype"),
        (lambda p, v, s: dot_attention(p, v, v[:, :1], v), "key"),
        (lambda p, v, s: dot_attention(p, v.flatten(1), v, v), "query"),
        (lambda p, v, s: dot_attention(None, v, v, v), "Pattern"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(PATTERNS["square"], torch.ones(12, 2, 4), torch.ones(12, 2))
