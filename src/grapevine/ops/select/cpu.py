"""Maximum and minimum over edges on the processor: best value and its entry side by side in registers."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, kernel
from grapevine.ops.runtime.parallel import as_array, as_scalars, share_rows
from grapevine.ops.runtime.simd import (
    is_nan,
    load_part,
    prefetch,
    spread,
    store_part,
    sum_lanes,
    where,
    zeros,
)
from grapevine.ops.trilinear.cpu import as_view


def select(rows: list[Tensor], x: Tensor, weight: Tensor | None, is_max: bool) -> tuple[Tensor, Tensor]:
    shape = rows[0].shape[0] - 1, x.shape[1]
    out, arg = empty(shape, x.dtype), empty(shape, torch.int32)
    arguments = as_scalars(weight), is_max, as_array(x), as_array(out), as_array(arg)
    share_rows(_select_rows, shape[0], *as_view(rows), *arguments, work=rows[1].shape[0] * shape[1])
    return out, arg


def sum_chosen(rows: list[Tensor], x: Tensor, weight: Tensor | None, arg: Tensor, *, is_arg_by_row: bool) -> Tensor:
    """Add w[e] x[j] up where arg names the entry: arg[i] of the row if is_arg_by_row, else arg[j] of the column."""
    num_rows = rows[0].shape[0] - 1
    out = empty((num_rows, x.shape[1]), x.dtype)
    arguments = as_scalars(weight), is_arg_by_row, as_array(x), as_array(arg), as_array(out)
    share_rows(_sum_chosen_rows, num_rows, *as_view(rows), *arguments, work=rows[1].shape[0] * x.shape[1])
    return out


def pick_dot(rows: list[Tensor], grad: Tensor, x: Tensor, arg: Tensor, heads: int) -> Tensor:
    out = as_scalars(grad.new_empty(rows[1].shape[0], heads))
    arguments = as_array(grad), as_array(x), as_array(arg), out
    share_rows(_pick_dot_rows, rows[0].shape[0] - 1, *as_view(rows), *arguments, work=rows[1].shape[0] * x.shape[1])
    return torch.from_numpy(out).to(grad.dtype)


@kernel
def _select_rows(begin, end, indptr, indices, entry, weight, is_max, x, out, arg):
    columns = x.shape[1]
    heads = 1 if weight is None else weight.shape[1]
    per_head, none = columns // heads, np.int64(-1)
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for h in range(heads):
            stop = (h + 1) * per_head
            for f in range(h * per_head, stop, 64):
                count = min(np.int64(64), stop - f)
                best, chosen = zeros(x, 64), spread(none, zeros(arg, 64))
                for p in range(first, last):
                    if p + AHEAD < indices.shape[0]:
                        prefetch(x, np.int64(indices[p + AHEAD]) * columns + f, 64)
                    e = np.int64(p) if entry is None else np.int64(entry[p])
                    value = load_part(x, np.int64(indices[p]) * columns + f, count, 64)
                    if weight is not None:
                        value = value * weight[e, h]
                    if p == first:
                        best, chosen = value, spread(e, chosen)
                    else:
                        is_better = _better(value, best, is_max)
                        best = where(is_better, value, best)
                        chosen = where(is_better, spread(e, chosen), chosen)
                store_part(out, i * columns + f, count, best)
                store_part(arg, i * columns + f, count, chosen)


@kernel
def _better(value, best, is_max):
    """Where value beats best: it is larger (or smaller), or the first NaN."""
    first_nan = is_nan(value) & (best == best)
    if is_max:
        return (value > best) | first_nan
    return (value < best) | first_nan


@kernel
def _sum_chosen_rows(begin, end, indptr, indices, entry, weight, is_arg_by_row, x, arg, out):
    columns = x.shape[1]
    heads = 1 if weight is None else weight.shape[1]
    per_head = columns // heads
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for h in range(heads):
            stop = (h + 1) * per_head
            for f in range(h * per_head, stop, 64):
                count = min(np.int64(64), stop - f)
                total = zeros(x, 64)
                for p in range(first, last):
                    if p + AHEAD < indices.shape[0]:
                        prefetch(x, np.int64(indices[p + AHEAD]) * columns + f, 64)
                        prefetch(arg, np.int64(indices[p + AHEAD]) * columns + f, 64)
                    j = np.int64(indices[p])
                    e = np.int64(p) if entry is None else np.int64(entry[p])
                    k = i if is_arg_by_row else j
                    is_chosen = load_part(arg, k * columns + f, count, 64) == e
                    value = load_part(x, j * columns + f, count, 64)
                    if weight is not None:
                        value = value * weight[e, h]
                    total = where(is_chosen, total + value, total)
                store_part(out, i * columns + f, count, total)


@kernel
def _pick_dot_rows(begin, end, indptr, indices, entry, grad, x, arg, out):
    columns, heads = x.shape[1], out.shape[1]
    per_head = columns // heads
    for i in range(begin, end):
        for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
            j = np.int64(indices[p])
            e = np.int64(p) if entry is None else np.int64(entry[p])
            for h in range(heads):
                stop, total = (h + 1) * per_head, zeros(x, 16)
                for f in range(h * per_head, stop, 16):
                    count = min(np.int64(16), stop - f)
                    is_chosen = load_part(arg, i * columns + f, count, 16) == e
                    product = load_part(grad, i * columns + f, count, 16) * load_part(x, j * columns + f, count, 16)
                    total = where(is_chosen, total + product, total)
                out[e, h] = sum_lanes(total)
