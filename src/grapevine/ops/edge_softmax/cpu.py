"""Softmax over the entries of each row on the processor: a row comes from memory once, then from the cache.

A vector holds the heads of one entry or, where these are 1, 2, 4 or 8, those of as many entries side by side
as it has lanes for: `step` entries at a time. At the end of a row the lanes of one head are folded together.
"""

import math

import numpy as np
import torch
from llvmlite import ir
from torch import Tensor

from grapevine.ops.gather.cpu import as_views, flat_array
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows
from grapevine.ops.runtime.simd import counter, exp, load_part, maximum, spread, store_part, where, word, zeros

LANES = 16


def edge_softmax(segments: list[Tensor], logits: Tensor) -> Tensor:
    out = torch.empty(logits.shape, dtype=torch.promote_types(logits.dtype, torch.float32))
    rows, numbers = row_arguments(segments, logits), (flat_array(logits), flat_array(out))
    share_rows(_softmax_rows, *rows, *numbers, work=2 * logits.numel())
    return out.to(logits.dtype)


def edge_softmax_backward(segments: list[Tensor], alpha: Tensor, grad: Tensor) -> Tensor:
    out = alpha.new_empty(alpha.shape)
    rows, numbers = row_arguments(segments, alpha), (flat_array(alpha), flat_array(grad), flat_array(out))
    share_rows(_backward_rows, *rows, *numbers, work=2 * alpha.numel())
    return out


def row_arguments(segments: list[Tensor], x: Tensor) -> tuple:
    """num_rows, indptr, entry, columns and step, for kernels that walk through the rows of x [e, *c]."""
    columns, is_in_order = math.prod(x.shape[1:]), len(segments) == 1
    step = LANES // columns if is_in_order and columns in (1, 2, 4, 8) else 1
    return segments[0].shape[0] - 1, *as_views(segments), columns, step


@kernel
def _softmax_rows(begin, end, indptr, entry, columns, step, x, out):
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for f in range(0, columns, LANES):
            top = largest(first, last, f, columns, step, entry, x)
            total = sum_exp(first, last, f, columns, step, entry, x, top, out)
            for p in range(first, last, step):
                start, count = span(p, last, f, columns, step, entry)
                store_part(out, start, count, load_part(out, start, count, LANES) / total)


@kernel
def _backward_rows(begin, end, indptr, entry, columns, step, alpha, grad, out):
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for f in range(0, columns, LANES):
            total = zeros(alpha, LANES)
            for p in range(first, last, step):
                start, count = span(p, last, f, columns, step, entry)
                total = total + load_part(alpha, start, count, LANES) * load_part(grad, start, count, LANES)
            total = _fold_sum(total, step)
            for p in range(first, last, step):
                start, count = span(p, last, f, columns, step, entry)
                centred = load_part(grad, start, count, LANES) - total
                store_part(out, start, count, load_part(alpha, start, count, LANES) * centred)


@kernel
def span(p, last, f, columns, step, entry):
    """Where the numbers of the `step` entries from p on start, in columns f and on, and how many they are."""
    e = np.int64(p) if entry is None else np.int64(entry[p])
    return e * columns + f, min(LANES, columns - f) * min(step, last - p)


@kernel
def largest(first, last, f, columns, step, entry, x):
    """The largest number of a row in each of the columns f and on; -inf if it is empty, NaN if it has one."""
    lowest = spread(-np.inf, zeros(x, LANES))
    top = lowest
    for p in range(first, last, step):
        start, count = span(p, last, f, columns, step, entry)
        is_there = counter(0, top) < count
        top = maximum(top, where(is_there, load_part(x, start, count, LANES), lowest))
    return _fold_maximum(top, step)


@kernel
def sum_exp(first, last, f, columns, step, entry, x, shift, out):
    """The sum of exp(x - shift) over a row; the terms go to `out`, if that is given."""
    total = zeros(x, LANES)
    for p in range(first, last, step):
        start, count = span(p, last, f, columns, step, entry)
        term = exp(load_part(x, start, count, LANES) - shift)
        total = total + where(counter(0, total) < count, term, zeros(x, LANES))
        if out is not None:
            store_part(out, start, count, term)
    return _fold_sum(total, step)


@kernel
def _fold_maximum(value, step):
    """Every lane becomes the maximum of the lanes of its head, which are LANES / step apart."""
    if step > 1:
        value = maximum(value, _rotate(value, 8))
    if step > 2:
        value = maximum(value, _rotate(value, 4))
    if step > 4:
        value = maximum(value, _rotate(value, 2))
    if step > 8:
        value = maximum(value, _rotate(value, 1))
    return value


@kernel
def _fold_sum(value, step):
    """Every lane becomes the sum of the lanes of its head."""
    if step > 1:
        value = value + _rotate(value, 8)
    if step > 2:
        value = value + _rotate(value, 4)
    if step > 4:
        value = value + _rotate(value, 2)
    if step > 8:
        value = value + _rotate(value, 1)
    return value


@word
def _rotate(typing, value, places):
    """The lanes moved down by `places`, a literal; the first come back in at the end."""
    order = [(lane + places.literal_value) % value.lanes for lane in range(value.lanes)]

    def codegen(context, builder, sig, args):
        pick = ir.Constant(ir.VectorType(ir.IntType(32), value.lanes), order)
        return builder.shuffle_vector(args[0], args[0], pick)

    return value(value, places), codegen
