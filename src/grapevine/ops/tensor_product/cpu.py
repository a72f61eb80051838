"""Tensor products along edges on the processor: channels are lanes, and no message is ever stored.

An edge's harmonics and a path's couplings make one small matrix, the same for all channels; a strip of channels of
the neighbour goes through it, is weighted, and is added to the row's own sum.
"""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import WIDE, kernel
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.simd import sum_lanes, zeros
from grapevine.ops.runtime.strips import put, take
from grapevine.ops.trilinear.cpu import as_view


def total(rows: list[Tensor], paths: list[Tensor], x: Tensor, weight: Tensor, sh: Tensor, out_width: int) -> Tensor:
    out = x.new_zeros(rows[0].shape[0] - 1, out_width)
    arrays = [as_array(tensor) for tensor in (*paths, x, weight, sh, out)]
    work = 8 * rows[1].shape[0] * weight.shape[1]
    share_rows(_sum_rows, len(out), *as_view(rows), _room(paths), *arrays, work=work)
    return out


def slopes(
    rows: list[Tensor], paths: list[Tensor], g: Tensor, x: Tensor, weight: Tensor, sh: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor]:
    of_weight = empty(tuple(weight.shape), weight.dtype) if wanted[0] else weight.new_empty(0)
    of_sh = torch.empty_like(sh) if wanted[1] else sh.new_empty(0)
    arrays = [as_array(tensor) for tensor in (*paths, g, x, weight, sh)]
    arrays += [as_array(of) if is_wanted else None for of, is_wanted in zip((of_weight, of_sh), wanted, strict=True)]
    work = 16 * rows[1].shape[0] * weight.shape[1]
    share_rows(_slope_rows, rows[0].shape[0] - 1, *as_view(rows), _room(paths), *arrays, work=work)
    return of_weight, of_sh


def _room(paths: list[Tensor]) -> int:
    """Numbers of the largest matrix of any path."""
    table = paths[0]
    return int((table[:, 4] * table[:, 5]).max()) if len(table) else 1


@kernel
def _sum_rows(
    begin, end, indptr, indices, entry, room, table, bounds, places, values, x, weight, sh, out
):  # fmt: skip
    matrix = np.empty(room, x.dtype)
    for i in range(begin, end):
        for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
            e = np.int64(p) if entry is None else np.int64(entry[p])
            j = np.int64(indices[p])
            for k in range(table.shape[0]):
                _couple(k, e, table, bounds, places, values, sh, matrix)
                into, of = i * out.shape[1] + table[k, 1], j * x.shape[1] + table[k, 0]
                w, mul = e * weight.shape[1] + table[k, 3], table[k, 6]
                dims = table[k, 4], table[k, 5], table[k, 7], table[k, 8]
                f = 0
                while mul - f >= WIDE:
                    _add(zeros(x, WIDE), f, None, dims, matrix, x, of, weight, w, out, into)
                    f += WIDE
                rest = mul - f
                if rest > 64:
                    _add(zeros(x, 128), f, rest, dims, matrix, x, of, weight, w, out, into)
                elif rest > 32:
                    _add(zeros(x, 64), f, rest, dims, matrix, x, of, weight, w, out, into)
                elif rest > 16:
                    _add(zeros(x, 32), f, rest, dims, matrix, x, of, weight, w, out, into)
                elif rest > 0:
                    _add(zeros(x, 16), f, rest, dims, matrix, x, of, weight, w, out, into)


@kernel
def _couple(k, e, table, bounds, places, values, sh, matrix):
    """matrix[o, a] = the sum over s of C[o, s, a] sh[e, s] for path k."""
    in_dim, first = table[k, 4], table[k, 2]
    for place in range(in_dim * table[k, 5]):
        matrix[place] = 0
    for q in range(bounds[k], bounds[k + 1]):
        matrix[places[q, 0] * in_dim + places[q, 2]] += values[q] * sh[e, first + places[q, 1]]


@kernel
def _add(zero, f, count, dims, matrix, x, of, weight, w, out, into):
    """A strip of channels from f on, from x to out."""
    in_dim, out_dim, in_stride, out_stride = dims
    scale = take(weight, w + f, count, zero)
    for o in range(out_dim):
        value = zero
        for a in range(in_dim):
            value = value + take(x, of + a * in_stride + f, count, zero) * matrix[o * in_dim + a]
        place = into + o * out_stride + f
        put(out, place, count, take(out, place, count, zero) + value * scale)


@kernel
def _slope_rows(
    begin, end, indptr, indices, entry, room, table, bounds, places, values, g, x, weight, sh, of_weight, of_sh
):  # fmt: skip
    matrix, products = np.empty(room, x.dtype), np.empty(room, x.dtype)
    for i in range(begin, end):
        for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
            e = np.int64(p) if entry is None else np.int64(entry[p])
            j = np.int64(indices[p])
            if of_sh is not None:
                for s in range(sh.shape[1]):
                    of_sh[e, s] = 0
            for k in range(table.shape[0]):
                _couple(k, e, table, bounds, places, values, sh, matrix)
                starts = i * g.shape[1] + table[k, 1], j * x.shape[1] + table[k, 0], e * weight.shape[1] + table[k, 3]
                dims, mul = (table[k, 4], table[k, 5], table[k, 7], table[k, 8]), table[k, 6]
                sums = None if of_sh is None else products
                for place in range(dims[0] * dims[1]):
                    products[place] = 0
                f = 0
                while mul - f >= WIDE:
                    _slope(zeros(x, WIDE), f, None, dims, matrix, sums, starts, g, x, weight, of_weight)
                    f += WIDE
                rest = mul - f
                if rest > 64:
                    _slope(zeros(x, 128), f, rest, dims, matrix, sums, starts, g, x, weight, of_weight)
                elif rest > 32:
                    _slope(zeros(x, 64), f, rest, dims, matrix, sums, starts, g, x, weight, of_weight)
                elif rest > 16:
                    _slope(zeros(x, 32), f, rest, dims, matrix, sums, starts, g, x, weight, of_weight)
                elif rest > 0:
                    _slope(zeros(x, 16), f, rest, dims, matrix, sums, starts, g, x, weight, of_weight)
                if of_sh is not None:
                    for q in range(bounds[k], bounds[k + 1]):
                        product = products[places[q, 0] * dims[0] + places[q, 2]]
                        of_sh[e, table[k, 2] + places[q, 1]] += values[q] * product


@kernel
def _slope(zero, f, count, dims, matrix, products, starts, g, x, weight, of_weight):
    """A strip's slope by weight, and its share of products[o, a] = the sum over channels of g[o] w x[a]."""
    in_dim, out_dim, in_stride, out_stride = dims
    heard, taken, w = starts
    scale, slope = take(weight, w + f, count, zero), zero
    for o in range(out_dim):
        own, value = take(g, heard + o * out_stride + f, count, zero), zero
        weighted = own * scale
        for a in range(in_dim):
            from_x = take(x, taken + a * in_stride + f, count, zero)
            if of_weight is not None:
                value = value + from_x * matrix[o * in_dim + a]
            if products is not None:
                products[o * in_dim + a] += sum_lanes(weighted * from_x)
        slope = slope + own * value
    if of_weight is not None:
        put(of_weight, w + f, count, slope)
