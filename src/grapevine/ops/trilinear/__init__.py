"""The trilinear form under every weighted sum over edges, as its derivatives.

T(g, w, x) = sum over the entries e of  r[i] w[e] c[j] <g[i], x[j]>,   i, j the row and column of e

`spmm_op` is its derivative by g, the same with the transposed pattern the one by x, and `sddmm_dot_op` the one by w.
So each is the others' backward, to any order. r and c are constants. These are the registered operations, which
trust their input; the public, checked ones are `ops.spmm` and `ops.sddmm`.

`rows` and `cols` are the views of the pattern and of its transpose; where no gradient is wanted, cols is empty.
"""

import torch
from torch import Tensor

from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.trilinear import cpu, reference


@torch.library.custom_op("grapevine::spmm", mutates_args=())
def spmm_op(
    rows: list[Tensor], cols: list[Tensor], x: Tensor, weight: Tensor | None,
    row_scale: Tensor | None, col_scale: Tensor | None, own_scale: Tensor | None,
) -> Tensor:  # fmt: skip
    """[n, c] r[i] * the sum over row i of w[e] c[j] x[j], plus s x[i]; x is [m, c], weight [e, h], s 0-dim."""
    return reference.spmm(rows, x, weight, row_scale, col_scale, own_scale)


@cpu_kernel("spmm")
def _(rows, cols, x, weight, row_scale, col_scale, own_scale):
    return cpu.spmm(rows, x, weight, row_scale, col_scale, own_scale)


@spmm_op.register_fake
def _(rows, cols, x, weight, row_scale, col_scale, own_scale):
    return x.new_empty(rows[0].shape[0] - 1, x.shape[1])


@torch.library.custom_op("grapevine::sddmm_dot", mutates_args=())
def sddmm_dot_op(
    rows: list[Tensor], cols: list[Tensor], row_x: Tensor, col_x: Tensor, heads: int,
    row_scale: Tensor | None, col_scale: Tensor | None,
) -> Tensor:  # fmt: skip
    """[e, h] r[i] c[j] <row_x[i], col_x[j]>, a number for each of the heads that share the columns out."""
    return reference.sddmm_dot(rows, row_x, col_x, heads, row_scale, col_scale)


@cpu_kernel("sddmm_dot")
def _(rows, cols, row_x, col_x, heads, row_scale, col_scale):
    return cpu.sddmm_dot(rows, row_x, col_x, heads, row_scale, col_scale)


@sddmm_dot_op.register_fake
def _(rows, cols, row_x, col_x, heads, row_scale, col_scale):
    return row_x.new_empty(rows[1].shape[0], heads)


def _save_spmm(ctx, inputs, output) -> None:
    rows, cols, x, weight, row_scale, col_scale, own_scale = inputs
    ctx.views = len(rows), len(cols)
    needs_x = any(factor is not None and factor.requires_grad for factor in (weight, own_scale))
    ctx.save_for_backward(*rows, *cols, x if needs_x else None, weight, row_scale, col_scale, own_scale)


def _spmm_backward(ctx, grad):
    rows, cols, (x, weight, row_scale, col_scale, own_scale) = split_views(ctx)
    grad, grad_x, grad_weight, grad_own = grad.contiguous(), None, None, None
    if ctx.needs_input_grad[2]:
        grad_x = spmm_op(cols, rows, grad, weight, col_scale, row_scale, own_scale)
    if weight is not None and ctx.needs_input_grad[3]:
        grad_weight = sddmm_dot_op(rows, cols, grad, x, weight.shape[1], row_scale, col_scale)
    if own_scale is not None and ctx.needs_input_grad[6]:
        grad_own = (grad * x).sum()
    return *no_gradients(ctx), grad_x, grad_weight, None, None, grad_own


def _save_dot(ctx, inputs, output) -> None:
    rows, cols, row_x, col_x, _, row_scale, col_scale = inputs
    ctx.views = len(rows), len(cols)
    ctx.save_for_backward(*rows, *cols, row_x, col_x, row_scale, col_scale)


def _dot_backward(ctx, grad):
    rows, cols, (row_x, col_x, row_scale, col_scale) = split_views(ctx)
    grad, grad_row, grad_col = grad.contiguous(), None, None
    if ctx.needs_input_grad[2]:
        grad_row = spmm_op(rows, cols, col_x, grad, row_scale, col_scale, None)
    if ctx.needs_input_grad[3]:
        grad_col = spmm_op(cols, rows, row_x, grad, col_scale, row_scale, None)
    return *no_gradients(ctx), grad_row, grad_col, None, None, None


def split_views(ctx) -> tuple[list[Tensor], list[Tensor], tuple]:
    """The rows' view, the columns' view and the rest of what a context saved in that order."""
    num_rows, num_cols = ctx.views
    saved = ctx.saved_tensors
    both = num_rows + num_cols
    return list(saved[:num_rows]), list(saved[num_rows:both]), saved[both:]


def no_gradients(ctx) -> tuple[list[None], list[None]]:
    """What a backward returns for the two views."""
    num_rows, num_cols = ctx.views
    return [None] * num_rows, [None] * num_cols


spmm_op.register_autograd(_spmm_backward, setup_context=_save_spmm)
sddmm_dot_op.register_autograd(_dot_backward, setup_context=_save_dot)
