"""Segment reductions: one row for all the entries of each row of a pattern.

out[i] = reduce over the entries e of row i of x[e]

The sum's backward is a gather (`ops.gather`); maximum and minimum are those of `ops.select`, each entry being
its own column; logsumexp's backward is the softmax within the row (`ops.edge_softmax`) times its gradient.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import check
from grapevine.ops.edge_softmax import edge_softmax_op
from grapevine.ops.gather import check_features, gather_op, row_views, segment_sum_op
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.segment import cpu, reference
from grapevine.ops.select import select_op
from grapevine.ops.spmm import mean_scale
from grapevine.ops.trilinear import no_gradients, split_views
from grapevine.ops.trilinear.reference import by_entry

SegmentReduce = Literal["sum", "mean", "max", "min", "logsumexp"]


def segment_reduce(
    pattern: Pattern, x: Float[Tensor, "e *c"], *, reduce: SegmentReduce = "sum"
) -> Float[Tensor, "rows *c"]:
    """Reduce the entries of each row; a row without entries gives zeros, and -inf for logsumexp.

    Args:
        pattern: which entries belong together; its columns do not matter.
        x: [num_entries, *c], up to four dimensions.
        reduce: the sum, the mean, the largest or smallest number of each column (the gradient goes to the
            first of equals), or the logarithm of the sum of exponentials.

    Returns:
        [num_rows, *c].

    Raises:
        InputError: if x does not fit the pattern.

    >>> pattern = Pattern(torch.tensor([0, 2, 2, 3]), torch.tensor([0, 0, 0]), num_cols=1)
    >>> segment_reduce(pattern, torch.tensor([1.0, 3.0, 5.0]), reduce="mean").tolist()
    [2.0, 0.0, 5.0]
    """
    choices = ("sum", "mean", "max", "min", "logsumexp")
    check(reduce in choices, f"reduce must be one of {', '.join(choices)}, got {reduce!r}")
    check_features(pattern, "x", x, "entries")
    if reduce in ("max", "min"):
        return _select(pattern, x, reduce == "max")
    if reduce == "logsumexp":
        return logsumexp_op(*row_views(pattern), x)
    scale = mean_scale(pattern, torch.promote_types(x.dtype, torch.float32)) if reduce == "mean" else None
    return segment_sum_op(*row_views(pattern), x, scale)


def _select(pattern: Pattern, x: Tensor, is_max: bool) -> Tensor:
    """The maximum or minimum over a pattern whose columns are the entries themselves."""
    num_entries = pattern.num_entries
    check(pattern.indptr.dtype == torch.int32, f"max and min take fewer than 2^31 entries, got {num_entries}")
    places = torch.arange(num_entries + 1, dtype=torch.int32, device=pattern.device)
    own = places[:-1] if pattern.entry is None else pattern.entry
    cols = [places, by_entry(pattern.view, pattern.row_of)]
    flat = x.reshape(num_entries, math.prod(x.shape[1:]))
    out, _ = select_op([pattern.indptr, own, own], cols, flat, None, is_max)
    return out.reshape(pattern.num_rows, *x.shape[1:])


@torch.library.custom_op("grapevine::segment_logsumexp", mutates_args=())
def logsumexp_op(index: list[Tensor], segments: list[Tensor], x: Tensor) -> Tensor:
    """[n, *c] log of the sum of exp(x) over each segment; the views are those of `ops.gather`."""
    return reference.logsumexp(index, segments, x)


@cpu_kernel("segment_logsumexp")
def _(index, segments, x):
    return cpu.logsumexp(segments, x)


@logsumexp_op.register_fake
def _(index, segments, x):
    return x.new_empty(segments[0].shape[0] - 1, *x.shape[1:])


def _save(ctx, inputs, output) -> None:
    index, segments, x = inputs
    ctx.views = len(index), len(segments)
    ctx.save_for_backward(*index, *segments, x)


def _backward(ctx, grad):
    index, segments, (x,) = split_views(ctx)
    return *no_gradients(ctx), edge_softmax_op(index, segments, x) * gather_op(index, segments, grad)


logsumexp_op.register_autograd(_backward, setup_context=_save)
