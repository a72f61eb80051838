"""Maximum and minimum over edges: every number of the output chooses one entry, and takes its value from there.

out[i, f] = max over the entries e of row i of  w[e] x[j, f],  arg[i, f] = the first e that attains it, -1 for none

With the choice fixed this is linear in x and w: T(g, w, x) = sum over i, f of g[i, f] w[a] x[j(a), f], a = arg[i, f].
`pick_op`, `unpick_op` and `pick_dot_op` are its derivatives by g, x and w, and each other's backward to any order.
"""

import torch
from torch import Tensor

from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.select import cpu, reference
from grapevine.ops.trilinear import no_gradients, split_views


@torch.library.custom_op("grapevine::select", mutates_args=())
def select_op(
    rows: list[Tensor], cols: list[Tensor], x: Tensor, weight: Tensor | None, is_max: bool
) -> tuple[Tensor, Tensor]:
    """[n, c] the largest (or smallest) w[e] x[j] of each row, 0 for an empty one, and the chosen e as int32."""
    return reference.select(rows, x, weight, is_max)


@torch.library.custom_op("grapevine::pick", mutates_args=())
def pick_op(rows: list[Tensor], cols: list[Tensor], x: Tensor, weight: Tensor | None, arg: Tensor) -> Tensor:
    """[n, c] w[a] x[j(a)] of the entry a = arg[i, f] chosen for each number, 0 where none is."""
    return reference.pick(rows, x, weight, arg)


@torch.library.custom_op("grapevine::unpick", mutates_args=())
def unpick_op(rows: list[Tensor], cols: list[Tensor], grad: Tensor, weight: Tensor | None, arg: Tensor) -> Tensor:
    """[m, c] every chosen entry sends w[a] grad[i, f] back to its column."""
    return reference.unpick(cols, grad, weight, arg)


@torch.library.custom_op("grapevine::pick_dot", mutates_args=())
def pick_dot_op(rows: list[Tensor], cols: list[Tensor], grad: Tensor, x: Tensor, arg: Tensor, heads: int) -> Tensor:
    """[e, h] the sum of grad[i, f] x[j, f] over the numbers of each head that chose entry e."""
    return reference.pick_dot(rows, grad, x, arg, heads)


@cpu_kernel("select")
def _(rows, cols, x, weight, is_max):
    return cpu.select(rows, x, weight, is_max)


@cpu_kernel("pick")
def _(rows, cols, x, weight, arg):
    return cpu.sum_chosen(rows, x, weight, arg, is_arg_by_row=True)


@cpu_kernel("unpick")
def _(rows, cols, grad, weight, arg):
    return cpu.sum_chosen(cols, grad, weight, arg, is_arg_by_row=False)


@cpu_kernel("pick_dot")
def _(rows, cols, grad, x, arg, heads):
    return cpu.pick_dot(rows, grad, x, arg, heads)


@select_op.register_fake
def _(rows, cols, x, weight, is_max):
    shape = rows[0].shape[0] - 1, x.shape[1]
    return x.new_empty(shape), x.new_empty(shape, dtype=torch.int32)


@pick_op.register_fake
def _(rows, cols, x, weight, arg):
    return x.new_empty(arg.shape)


@unpick_op.register_fake
def _(rows, cols, grad, weight, arg):
    return grad.new_empty(cols[0].shape[0] - 1, grad.shape[1])


@pick_dot_op.register_fake
def _(rows, cols, grad, x, arg, heads):
    return grad.new_empty(rows[1].shape[0], heads)


def _save(ctx, inputs, output) -> None:
    rows, cols, x, weight, last = inputs[:5]
    arg = output[1] if isinstance(output, tuple) else last
    ctx.views = len(rows), len(cols)
    ctx.save_for_backward(*rows, *cols, x, weight, arg)


def _select_backward(ctx, grad, _):
    return _pick_backward(ctx, grad)


def _pick_backward(ctx, grad):
    rows, cols, (x, weight, arg) = split_views(ctx)
    grad, grad_x, grad_weight = grad.contiguous(), None, None
    if ctx.needs_input_grad[2]:
        grad_x = unpick_op(rows, cols, grad, weight, arg)
    if weight is not None and ctx.needs_input_grad[3]:
        grad_weight = pick_dot_op(rows, cols, grad, x, arg, weight.shape[1])
    return *no_gradients(ctx), grad_x, grad_weight, None


def _unpick_backward(ctx, grad_x):
    rows, cols, (grad, weight, arg) = split_views(ctx)
    grad_x, grad_grad, grad_weight = grad_x.contiguous(), None, None
    if ctx.needs_input_grad[2]:
        grad_grad = pick_op(rows, cols, grad_x, weight, arg)
    if weight is not None and ctx.needs_input_grad[3]:
        grad_weight = pick_dot_op(rows, cols, grad, grad_x, arg, weight.shape[1])
    return *no_gradients(ctx), grad_grad, grad_weight, None


def _save_dot(ctx, inputs, output) -> None:
    rows, cols, grad, x, arg, _ = inputs
    ctx.views = len(rows), len(cols)
    ctx.save_for_backward(*rows, *cols, grad, x, arg)


def _dot_backward(ctx, grad_weight):
    rows, cols, (grad, x, arg) = split_views(ctx)
    grad_weight, grad_grad, grad_x = grad_weight.contiguous(), None, None
    if ctx.needs_input_grad[2]:
        grad_grad = pick_op(rows, cols, x, grad_weight, arg)
    if ctx.needs_input_grad[3]:
        grad_x = unpick_op(rows, cols, grad, grad_weight, arg)
    return *no_gradients(ctx), grad_grad, grad_x, None, None


select_op.register_autograd(_select_backward, setup_context=_save)
pick_op.register_autograd(_pick_backward, setup_context=_save)
unpick_op.register_autograd(_unpick_backward, setup_context=_save)
pick_dot_op.register_autograd(_dot_backward, setup_context=_save_dot)
