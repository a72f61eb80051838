"""The spread of messages against PyTorch's own row by row, at large means, and where there is none."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.aggregation.std import Std, Var, variance_op
from grapevine.ops.gather import row_views
from grapevine.ops.spmm import mean_scale
from tests.nn.compare import assert_same, leaf, square

PATTERN = square().pattern
NUM_EDGES = PATTERN.num_entries


def by_row(message: torch.Tensor) -> torch.Tensor:
    """The variance of each row's messages by torch.var."""
    rows = [message[first:last] for first, last in zip(PATTERN.indptr[:-1], PATTERN.indptr[1:], strict=True)]
    zero = message.new_zeros(message.shape[1:])
    return torch.stack([row.var(0, correction=0) if len(row) else zero for row in rows])


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_row_by_row(shape):
    message = leaf(NUM_EDGES, *shape)
    assert_same(lambda: Var()(PATTERN, message), lambda: by_row(message), [message])
    std = Std(eps=0.1)
    assert_same(lambda: std(PATTERN, message), lambda: (by_row(message) + 0.1).sqrt(), [message])


def test_derivatives():
    message = leaf(NUM_EDGES, 2)
    for aggregation in (Var(), Std()):
        assert torch.autograd.gradcheck(lambda m, a=aggregation: a(PATTERN, m), message)
        assert torch.autograd.gradgradcheck(lambda m, a=aggregation: a(PATTERN, m), message)


def test_the_operation_is_one_of_pytorchs():
    scale = mean_scale(PATTERN, torch.float64)
    torch.library.opcheck(variance_op, (*row_views(PATTERN), leaf(NUM_EDGES, 2), scale))


def test_a_large_mean_takes_nothing_away():
    """E[m^2] - E[m]^2 in float32 would be lost at a mean of 10,000."""
    message = leaf(NUM_EDGES, 3, dtype=torch.float32).detach()
    torch.testing.assert_close(Var()(PATTERN, message + 1e4), by_row(message), rtol=1e-2, atol=1e-2)


def test_equal_messages_have_a_finite_gradient():
    message = torch.full((NUM_EDGES, 2), 3.7, requires_grad=True)
    out = Std()(PATTERN, message)
    torch.testing.assert_close(out, torch.full_like(out, 1e-5**0.5))
    (gradient,) = torch.autograd.grad(out.sum(), message)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-3)  # the mean is rounded


def test_only_the_messages_are_kept():
    message, saved = leaf(NUM_EDGES, 3) * 1.0, []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(t), t)[1], lambda t: t):
        Std()(PATTERN, message)
    assert [t.data_ptr() for t in saved if t.shape == message.shape] == [message.data_ptr()]


def test_wrong_eps():
    with pytest.raises(InputError, match="eps must be positive"):
        Std(eps=0)
