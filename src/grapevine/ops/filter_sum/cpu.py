"""Continuous-filter sums on the processor: a row's sum stays in registers, and no message is stored."""

import numpy as np
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, WIDE, kernel
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.simd import prefetch, zeros
from grapevine.ops.runtime.strips import put, take
from grapevine.ops.trilinear.cpu import as_view


def filter_sum(rows: list[Tensor], x: Tensor, weight: Tensor) -> Tensor:
    out = empty((rows[0].shape[0] - 1, x.shape[1]), x.dtype)
    arrays = as_array(x), as_array(weight), as_array(out)
    share_rows(_sum_rows, len(out), *as_view(rows), *arrays, work=2 * rows[1].shape[0] * x.shape[1])
    return out


def filter_slope(ends: list[Tensor], g: Tensor, x: Tensor) -> Tensor:
    out = empty((ends[0].shape[0], x.shape[1]), x.dtype)
    arrays = [as_array(tensor) for tensor in (*ends, g, x, out)]
    share_rows(_slopes, len(out), *arrays, work=4 * out.numel())
    return out


@kernel
def _sum_rows(begin, end, indptr, indices, entry, x, weight, out):
    columns = x.shape[1]
    for i in range(begin, end):
        entries, f = (np.int64(indptr[i]), np.int64(indptr[i + 1])), 0
        while columns - f >= WIDE:
            _sum_strip(zeros(x, WIDE), f, None, i, entries, indices, entry, x, weight, out)
            f += WIDE
        rest = columns - f
        if rest > 64:
            _sum_strip(zeros(x, 128), f, rest, i, entries, indices, entry, x, weight, out)
        elif rest > 32:
            _sum_strip(zeros(x, 64), f, rest, i, entries, indices, entry, x, weight, out)
        elif rest > 16:
            _sum_strip(zeros(x, 32), f, rest, i, entries, indices, entry, x, weight, out)
        elif rest > 0:
            _sum_strip(zeros(x, 16), f, rest, i, entries, indices, entry, x, weight, out)


@kernel
def _sum_strip(total, f, count, i, entries, indices, entry, x, weight, out):
    """The strip of out[i] at column f; total is zero, of the strip's width."""
    columns = x.shape[1]
    for p in range(entries[0], entries[1]):
        if p + AHEAD < indices.shape[0]:
            ahead = np.int64(p + AHEAD) if entry is None else np.int64(entry[p + AHEAD])
            prefetch(weight, ahead * columns + f, total)
        k = np.int64(p) if entry is None else np.int64(entry[p])
        features = take(x, np.int64(indices[p]) * columns + f, count, total)
        total = total + features * take(weight, k * columns + f, count, total)
    put(out, i * columns + f, count, total)


@kernel
def _slopes(begin, end, row, col, count, g, x, out):
    columns = x.shape[1]
    for k in range(begin, end):
        is_both = count[k] == 2
        i, j = np.int64(row[k]) * columns, np.int64(col[k]) * columns
        f = 0
        while columns - f >= 32:
            _slope_strip(zeros(x, 32), f, None, k * columns, i, j, is_both, g, x, out)
            f += 32
        rest = columns - f
        if rest > 16:
            _slope_strip(zeros(x, 32), f, rest, k * columns, i, j, is_both, g, x, out)
        elif rest > 0:
            _slope_strip(zeros(x, 16), f, rest, k * columns, i, j, is_both, g, x, out)


@kernel
def _slope_strip(zero, f, count, place, i, j, is_both, g, x, out):
    slope = take(g, i + f, count, zero) * take(x, j + f, count, zero)
    if is_both:
        slope = slope + take(g, j + f, count, zero) * take(x, i + f, count, zero)
    put(out, place + f, count, slope)
