"""Gather and its transpose: carry rows out to the entries that share them, and add entries up into rows.

gather: out[e] = x[k(e)]        segment sum: out[k] = s[k] * the sum over the entries e with k(e) = k of x[e]

k(e) is the row or the column of entry e, and s a constant. Each is the other's backward, to any order, and
the sum runs over sorted segments, so in a fixed order. Both registered operations take the same two views of k:
`index` is [k of each position, entry at each], `segments` is [indptr of k, entry at each position], and entry
is left out where it is the position itself.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.ops.gather import cpu, reference
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.trilinear import no_gradients, split_views

Side = Literal["cols", "rows"]


def gather(pattern: Pattern, x: Float[Tensor, "n *c"], *, side: Side = "cols") -> Float[Tensor, "e *c"]:
    """The row of `x` that belongs to the column, or the row, of each entry.

    Args:
        pattern: the entries.
        x: [num_cols, *c], or [num_rows, *c] for side="rows"; up to four dimensions.
        side: whose features to carry out to the entries; for a graph the columns are the sources.

    Returns:
        [num_entries, *c].

    Raises:
        InputError: if x does not fit the pattern.

    >>> pattern = Pattern(torch.tensor([0, 2, 3]), torch.tensor([0, 2, 1]), num_cols=3)
    >>> gather(pattern, torch.tensor([1.0, 2.0, 3.0])).tolist()
    [1.0, 3.0, 2.0]
    >>> gather(pattern, torch.tensor([10.0, 20.0]), side="rows").tolist()
    [10.0, 10.0, 20.0]
    """
    check(side in ("cols", "rows"), f"side must be cols or rows, got {side!r}")
    check_features(pattern, "x", x, "rows" if side == "rows" else "columns")
    if side == "rows":
        return gather_op(*row_views(pattern), x)
    index = [pattern.indices, *pattern.view[2:]]
    needs_grad = torch.is_grad_enabled() and x.requires_grad
    return gather_op(index, row_views(pattern.transposed)[1] if needs_grad else [], x)


def row_views(pattern: Pattern) -> tuple[list[Tensor], list[Tensor]]:
    """The two views, `index` and `segments`, of the row of each entry."""
    entry = pattern.view[2:]
    return [pattern.row_of, *entry], [pattern.indptr, *entry]


def check_features(
    pattern: Pattern, name: str, x: Tensor, what: Literal["rows", "columns", "entries"], *, most_dims: int = 4
) -> None:
    """Raise an InputError unless `x` has a row for each of the pattern's rows, columns or entries."""
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    check_tensor(name, x, ndim=range(1, most_dims + 1))
    sizes = {"rows": pattern.num_rows, "columns": pattern.num_cols, "entries": pattern.num_entries}
    check_rows(name, x, sizes[what], what)
    check(x.device == pattern.device, f"{name} is on {x.device}, the pattern on {pattern.device}")


@torch.library.custom_op("grapevine::gather", mutates_args=())
def gather_op(index: list[Tensor], segments: list[Tensor], x: Tensor) -> Tensor:
    """[e, *c] the row of x that index names for each entry; without gradients segments may be empty."""
    return reference.gather(index, x)


@cpu_kernel("gather")
def _(index, segments, x):
    return cpu.gather(index, x)


@gather_op.register_fake
def _(index, segments, x):
    return x.new_empty(index[0].shape[0], *x.shape[1:])


@torch.library.custom_op("grapevine::segment_sum", mutates_args=())
def segment_sum_op(index: list[Tensor], segments: list[Tensor], x: Tensor, scale: Tensor | None) -> Tensor:
    """[n, *c] scale times the sum over each segment of x, zero for an empty one; scale is [n], a constant."""
    return reference.segment_sum(segments, x, scale)


@cpu_kernel("segment_sum")
def _(index, segments, x, scale):
    return cpu.segment_sum(segments, x, scale)


@segment_sum_op.register_fake
def _(index, segments, x, scale):
    return x.new_empty(segments[0].shape[0] - 1, *x.shape[1:])


def _save(ctx, inputs, output) -> None:
    index, segments, _, *scale = inputs
    ctx.views = len(index), len(segments)
    ctx.save_for_backward(*index, *segments, *scale)


def _gather_backward(ctx, grad):
    index, segments, _ = split_views(ctx)
    return *no_gradients(ctx), segment_sum_op(index, segments, grad, None)


def _segment_sum_backward(ctx, grad):
    index, segments, (scale,) = split_views(ctx)
    return *no_gradients(ctx), gather_op(index, segments, reference.scaled(grad, scale)), None


gather_op.register_autograd(_gather_backward, setup_context=_save)
segment_sum_op.register_autograd(_segment_sum_backward, setup_context=_save)
