"""Softmax over the entries of each row: attention weights from logits on edges.

alpha[e] = exp(l[e] - m[i]) / sum over the entries d of row i of exp(l[d] - m[i]),   m[i] = max of row i's l

Its Jacobian within a row is diag(alpha) - alpha alpha^T, so grad_l = alpha * (g - S(alpha * g)); S adds up
within the rows and carries the sums out to their entries. Veličković et al., Graph Attention Networks (2018).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.ops.edge_softmax import cpu, reference
from grapevine.ops.gather import check_features, gather_op, row_views, segment_sum_op
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.trilinear import no_gradients, split_views


def edge_softmax(pattern: Pattern, logits: Float[Tensor, "e *h"]) -> Float[Tensor, "e *h"]:
    """Positive weights that add up to one over the entries of each row.

    A row with a NaN, with +inf or with nothing but -inf becomes NaN, as in `torch.softmax`.

    Args:
        pattern: the entries.
        logits: [e], or [e, h] for h heads.

    Returns:
        The same shape.

    Raises:
        InputError: if logits does not fit the pattern.

    >>> pattern = Pattern(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0]), num_cols=2)
    >>> edge_softmax(pattern, torch.tensor([7.0, 7.0, -3.0])).tolist()
    [0.5, 0.5, 1.0]
    """
    check_features(pattern, "logits", logits, "entries", most_dims=2)
    return edge_softmax_op(*row_views(pattern), logits)


# The views `index` and `segments` of the rows are those of `ops.gather`.


@torch.library.custom_op("grapevine::edge_softmax", mutates_args=())
def edge_softmax_op(index: list[Tensor], segments: list[Tensor], logits: Tensor) -> Tensor:
    """[e, *h] the softmax within each segment."""
    return reference.edge_softmax(index, segments, logits)


@cpu_kernel("edge_softmax")
def _(index, segments, logits):
    return cpu.edge_softmax(segments, logits)


@edge_softmax_op.register_fake
def _(index, segments, logits):
    return logits.new_empty(logits.shape)


@torch.library.custom_op("grapevine::edge_softmax_backward", mutates_args=())
def edge_softmax_backward_op(index: list[Tensor], segments: list[Tensor], alpha: Tensor, grad: Tensor) -> Tensor:
    """[e, *h] the softmax's symmetric Jacobian times grad."""
    return reference.edge_softmax_backward(index, segments, alpha, grad)


@cpu_kernel("edge_softmax_backward")
def _(index, segments, alpha, grad):
    return cpu.edge_softmax_backward(segments, alpha, grad)


@edge_softmax_backward_op.register_fake
def _(index, segments, alpha, grad):
    return alpha.new_empty(alpha.shape)


def _save(ctx, inputs, output) -> None:
    index, segments, _ = inputs
    ctx.views = len(index), len(segments)
    ctx.save_for_backward(*index, *segments, output)


def _backward(ctx, grad):
    index, segments, (alpha,) = split_views(ctx)
    return *no_gradients(ctx), edge_softmax_backward_op(index, segments, alpha, grad)


def _save_backward(ctx, inputs, output) -> None:
    index, segments, alpha, grad = inputs
    ctx.views = len(index), len(segments)
    ctx.save_for_backward(*index, *segments, alpha, grad)


def _second_backward(ctx, outer):
    """Of <outer, alpha * (grad - S(alpha * grad))>, by alpha and by grad."""
    index, segments, (alpha, grad) = split_views(ctx)
    by_alpha = by_grad = None
    if ctx.needs_input_grad[2]:
        by_alpha = outer * (grad - _shared_sum(index, segments, alpha * grad))
        by_alpha = by_alpha - grad * _shared_sum(index, segments, alpha * outer)
    if ctx.needs_input_grad[3]:
        by_grad = edge_softmax_backward_op(index, segments, alpha, outer)
    return *no_gradients(ctx), by_alpha, by_grad


def _shared_sum(index: list[Tensor], segments: list[Tensor], values: Tensor) -> Tensor:
    """S: the sum over each row, at each of its entries."""
    return gather_op(index, segments, segment_sum_op(index, segments, values, None))


edge_softmax_op.register_autograd(_backward, setup_context=_save)
edge_softmax_backward_op.register_autograd(_second_backward, setup_context=_save_backward)
