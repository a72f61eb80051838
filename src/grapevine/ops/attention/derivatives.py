"""First and second derivatives of the attentions, registered alike for all three.

An attention f(x, y, ...) has the operation G(g, x, y, ...) = the derivatives of <g, f> by x, y, ... as its backward.
G's own derivatives come from the same formula in plain PyTorch: autograd differentiates <u, G(g, x, y, ...)>.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch._library.custom_ops import CustomOpDef

from grapevine.ops.trilinear import no_gradients, split_views


def register_derivatives(
    op: CustomOpDef, backward_op: CustomOpDef, gradient: Callable[..., tuple[Tensor, ...]]
) -> None:
    """Make backward_op the backward of op, and the derivatives of the formula `gradient` those of backward_op.

    op(rows, cols, *tensors, *options) gives out and lse, backward_op(rows, cols, grad, *tensors, out, lse, *options)
    and gradient(rows, grad, *tensors, *options) a gradient by each of the tensors. Options are two numbers and a seed.
    """

    def save(ctx, inputs, output) -> None:
        _save(ctx, inputs, [*inputs[2:-3], *output])

    def backward(ctx, grad, _):
        rows, cols, (*tensors, seed) = split_views(ctx)
        found = backward_op(rows, cols, grad, *tensors, *ctx.numbers, seed)
        by_tensor = [None if x is None else g for x, g in zip(tensors[:-2], found, strict=True)]
        return *no_gradients(ctx), *by_tensor, None, None, None

    def save_backward(ctx, inputs, output) -> None:
        _save(ctx, inputs, inputs[2:-5])  # out and lse are functions of the others, whose derivatives hold theirs

    def backward_of_backward(ctx, *outer):
        rows, _, (*tensors, seed) = split_views(ctx)
        by_tensor = _differentiate(lambda *x: gradient(rows, *x, *ctx.numbers, seed), tensors, outer)
        return *no_gradients(ctx), *by_tensor, None, None, None, None, None

    op.register_autograd(backward, setup_context=save)
    backward_op.register_autograd(backward_of_backward, setup_context=save_backward)


def _save(ctx, inputs, tensors: Sequence[Tensor | None]) -> None:
    rows, cols, *_, first, second, seed = inputs
    ctx.views, ctx.numbers = (len(rows), len(cols)), (first, second)
    ctx.save_for_backward(*rows, *cols, *tensors, seed)


def _differentiate(
    function: Callable[..., tuple[Tensor, ...]], inputs: Sequence[Tensor | None], outer: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """By each input, <outer, function(*inputs)>; differentiable again where gradients are being recorded."""
    is_recording = torch.is_grad_enabled()
    with torch.enable_grad():
        renamed = [_renamed(x) for x in inputs]  # since one input may have been made from another
        pairs = [(value, u) for value, u in zip(function(*renamed), outer, strict=True) if u is not None]
        values, weights = zip(*pairs, strict=True)
        wanted = [x for x in renamed if x is not None]
        found = iter(torch.autograd.grad(values, wanted, weights, create_graph=is_recording, allow_unused=True))
    return [None if x is None else next(found) for x in renamed]


def _renamed(x: Tensor | None) -> Tensor | None:
    if x is None:
        return None
    return x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
