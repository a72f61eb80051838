"""Weighted sums over edges on the processor: a row's sum stays in registers while its columns are prefetched."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, WIDE, kernel
from grapevine.ops.runtime.parallel import as_array, as_scalars, share_rows
from grapevine.ops.runtime.simd import heads_of, load, load_part, prefetch, spread_heads, sum_lanes, zeros
from grapevine.ops.runtime.strips import put, take


def spmm(
    rows: list[Tensor],
    x: Tensor,
    weight: Tensor | None,
    row_scale: Tensor | None,
    col_scale: Tensor | None,
    own_scale: Tensor | None = None,
) -> Tensor:
    num_rows = rows[0].shape[0] - 1
    out = empty((num_rows, x.shape[1]), x.dtype)
    if out.numel() == 0:
        return out
    none = x.new_empty(0)  # where there is no scale of a row: tested there, which saves compiling the kernel for it
    row_scale, own_scale = (none if scale is None else scale.reshape(-1) for scale in (row_scale, own_scale))
    scales = as_scalars(row_scale), as_scalars(col_scale), as_scalars(own_scale)
    heads = 1 if weight is None else weight.shape[1]
    by_head = x.unflatten(1, (heads, x.shape[1] // heads))
    work = rows[1].shape[0] * x.shape[1]
    share_rows(
        _sum_rows, num_rows, *as_view(rows), as_scalars(weight), *scales, as_array(by_head), as_array(out), work=work
    )
    return out


def sddmm_dot(
    rows: list[Tensor],
    row_x: Tensor,
    col_x: Tensor,
    heads: int,
    row_scale: Tensor | None,
    col_scale: Tensor | None,
) -> Tensor:
    num_entries = rows[1].shape[0]
    out = as_scalars(row_x.new_empty(num_entries, heads))
    scales, work = (as_scalars(row_scale), as_scalars(col_scale)), num_entries * row_x.shape[1]
    share_rows(
        _dot_rows,
        rows[0].shape[0] - 1,
        *as_view(rows),
        *scales,
        as_array(row_x),
        as_array(col_x),
        out,
        work=work,
    )
    return torch.from_numpy(out).to(row_x.dtype)


def as_view(rows: list[Tensor]) -> tuple:
    """indptr, indices and entry as arrays; entry is None where it is the identity."""
    arrays = [as_array(tensor) for tensor in rows]
    return (*arrays, None) if len(arrays) == 2 else tuple(arrays)


@kernel
def _sum_rows(begin, end, indptr, indices, entry, weight, r, c, s, x, out):
    columns, per_head = x.shape[1] * x.shape[2], x.shape[2]
    span = columns if per_head % 16 == 0 else per_head  # strips run across heads where blocks of lanes allow it
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for start in range(0, columns, span):
            f, stop = start, start + span
            while stop - f >= WIDE:
                _sum_strip(zeros(x, WIDE), f, None, i, first, last, indices, entry, weight, r, c, s, x, out)
                f += WIDE
            rest = stop - f
            if rest > 64:
                _sum_strip(zeros(x, 128), f, rest, i, first, last, indices, entry, weight, r, c, s, x, out)
            elif rest > 32:
                _sum_strip(zeros(x, 64), f, rest, i, first, last, indices, entry, weight, r, c, s, x, out)
            elif rest > 16:
                _sum_strip(zeros(x, 32), f, rest, i, first, last, indices, entry, weight, r, c, s, x, out)
            elif rest > 0:
                _sum_strip(zeros(x, 16), f, rest, i, first, last, indices, entry, weight, r, c, s, x, out)


@kernel
def _sum_strip(total, f, count, i, first, last, indices, entry, weight, r, c, s, x, out):
    """The strip of out[i] at column f; total is zero, of the strip's width; r, c, s are scales, r and s may be []."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], total)
    for p in range(first, last):
        if p + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[p + AHEAD]) * columns + f, total)
        j = np.int64(indices[p])
        value = take(x, j * columns + f, count, total)
        if c is not None:
            value = value * c[j]
        if weight is not None:
            e = np.int64(p) if entry is None else np.int64(entry[p])
            value = value * spread_heads(weight, e * x.shape[1], heads, total)
        total = total + value
    if r.shape[0] > 0:
        total = total * r[i]
    if s.shape[0] > 0:
        total = total + take(x, i * columns + f, count, total) * s[0]
    put(out, i * columns + f, count, total)


@kernel
def _dot_rows(begin, end, indptr, indices, entry, row_scale, col_scale, row_x, col_x, out):
    columns, heads = row_x.shape[1], out.shape[1]
    per_head = columns // heads
    for i in range(begin, end):
        r = np.float32(1) if row_scale is None else row_scale[i]
        for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
            if p + AHEAD < indices.shape[0]:
                ahead = np.int64(indices[p + AHEAD]) * columns
                for f in range(0, columns, 64):
                    prefetch(col_x, ahead + f, 64)
            j = np.int64(indices[p])
            e = np.int64(p) if entry is None else np.int64(entry[p])
            scale = r if col_scale is None else r * col_scale[j]
            for h in range(heads):
                a, b = i * columns + h * per_head, j * columns + h * per_head
                out[e, h] = dot(row_x, a, col_x, b, per_head) * scale


@kernel
def dot(a, a_start, b, b_start, count):
    """The scalar product of a[a_start : a_start + count] and b[b_start : b_start + count]."""
    total, f = zeros(a, 64), 0
    while count - f >= 64:
        total = total + load(a, a_start + f, 64) * load(b, b_start + f, 64)
        f += 64
    rest = count - f
    if rest > 32:
        total = total + load_part(a, a_start + f, rest, 64) * load_part(b, b_start + f, rest, 64)
        return sum_lanes(total)
    small = zeros(a, 16)
    while f < count:
        small = small + load_part(a, a_start + f, count - f, 16) * load_part(b, b_start + f, count - f, 16)
        f += 16
    return sum_lanes(total) + sum_lanes(small)
