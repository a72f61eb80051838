"""The epilogue on the processor: every number is read once and written once, 32 lanes at a time.

Rows go in chunks that stay in the cache, and within a chunk one block of columns follows the other. The chunks are the
same for any number of threads, and so are the bits of the bias gradient, which is the sum of one partial sum a chunk.
"""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.epilogue.activation import KINDS, activate, slope, slope_and_curvature
from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.random import keep_lanes, scale_of, threshold_of
from grapevine.ops.runtime.simd import load, load_part, spread, store, store_part, where, zeros
from grapevine.ops.runtime.strips import put, take

_CHUNK = 256  # rows


def epilogue(x: Tensor, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float) -> Tensor:
    out = empty(x.shape, x.dtype)
    share_rows(
        _forward, _num_chunks(x), *x.shape, as_array(x), _as_bias(bias, x), KINDS[activation],
        _numbers(seed, dropout), as_array(out),
        work=x.numel(),
    )  # fmt: skip
    return out


def epilogue_grad(
    grad: Tensor, saved: Tensor | None, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float
) -> tuple[Tensor, Tensor]:
    grad_x = empty(grad.shape, grad.dtype)
    sums = np.empty((_num_chunks(grad), grad.shape[1]), np.float64 if grad.dtype == torch.float64 else np.float32)
    numbers = _numbers(seed, dropout)
    if activation == "relu":
        numbers = 0, 0, numbers[2]  # what was dropped is 0 in the output that was saved
    share_rows(
        _backward, len(sums), *grad.shape, as_array(grad), as_array(grad if saved is None else saved),
        _as_bias(bias, grad), KINDS[activation], numbers, as_array(grad_x), sums,
        work=grad.numel(),
    )  # fmt: skip
    return grad_x, torch.from_numpy(sums.sum(axis=0, dtype=np.float64)).to(grad.dtype)


def epilogue_curve(
    by: tuple[Tensor, Tensor], grad: Tensor, saved: Tensor, bias: Tensor | None, seed: Tensor | None, activation: str,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    by_x, by_bias = by
    by_grad, by_saved = (empty(grad.shape, grad.dtype) for _ in range(2))
    sums = np.empty((_num_chunks(grad), grad.shape[1]), np.float64 if grad.dtype == torch.float64 else np.float32)
    share_rows(
        _curve, len(sums), grad.shape[0], as_array(by_x), as_array(by_bias), as_array(grad), as_array(saved),
        _as_bias(bias, grad), KINDS[activation], _numbers(seed, dropout), as_array(by_grad), as_array(by_saved), sums,
        work=2 * grad.numel(),
    )  # fmt: skip
    return by_grad, by_saved, torch.from_numpy(sums.sum(axis=0, dtype=np.float64)).to(grad.dtype)


def _num_chunks(x: Tensor) -> int:
    return -(-x.shape[0] // _CHUNK)


def _as_bias(bias: Tensor | None, x: Tensor) -> np.ndarray | None:
    """The bias, or zeros: one kernel less to compile."""
    return as_array(x.new_zeros(x.shape[1]) if bias is None else bias)


def _numbers(seed: Tensor | None, dropout: float) -> tuple[int, int, float]:
    """The seed, the threshold and the scale; without a seed nothing is dropped."""
    return (0, 0, 1.0) if seed is None else (int(seed), threshold_of(dropout), scale_of(dropout))


@kernel
def _forward(begin, end, num_rows, columns, x, bias, kind, dropout, out):
    whole = columns - columns % 32
    rest = columns - whole
    for chunk in range(begin, end):
        first, last = chunk * _CHUNK, min((chunk + 1) * _CHUNK, num_rows)
        for i in range(first, last):
            for f in range(0, whole, 32):
                p = i * columns + f
                store(out, p, _drop(activate(kind, load(x, p, 32) + load(bias, f, 32)), p, dropout))
        if rest > 16:
            _forward_part(zeros(x, 32), first, last, whole, rest, columns, x, bias, kind, dropout, out)
        elif rest > 0:
            _forward_part(zeros(x, 16), first, last, whole, rest, columns, x, bias, kind, dropout, out)


@kernel
def _forward_part(like, first, last, f, count, columns, x, bias, kind, dropout, out):
    shift = load_part(bias, f, count, like)
    for i in range(first, last):
        p = i * columns + f
        z = load_part(x, p, count, like) + shift
        store_part(out, p, count, _drop(activate(kind, z), p, dropout))


@kernel
def _backward(begin, end, num_rows, columns, grad, saved, bias, kind, dropout, grad_x, sums):
    whole = columns - columns % 32
    rest = columns - whole
    for chunk in range(begin, end):
        first, last = chunk * _CHUNK, min((chunk + 1) * _CHUNK, num_rows)
        place = chunk * columns
        for f in range(0, whole, 32):
            store(sums, place + f, zeros(grad, 32))
        for i in range(first, last):
            for f in range(0, whole, 32):
                p = i * columns + f
                g = load(grad, p, 32) * slope(kind, load(saved, p, 32) + load(bias, f, 32))
                g = _drop(g, p, dropout)
                store(grad_x, p, g)
                store(sums, place + f, load(sums, place + f, 32) + g)
        place += whole
        if rest > 16:
            total = zeros(grad, 32)
            _backward_part(
                total, first, last, whole, rest, columns, grad, saved, bias, kind, dropout, grad_x, sums, place
            )
        elif rest > 0:
            few = zeros(grad, 16)
            _backward_part(
                few, first, last, whole, rest, columns, grad, saved, bias, kind, dropout, grad_x, sums, place
            )


@kernel
def _backward_part(total, first, last, f, count, columns, grad, saved, bias, kind, dropout, grad_x, sums, place):
    shift = load_part(bias, f, count, total)
    for i in range(first, last):
        p = i * columns + f
        g = load_part(grad, p, count, total) * slope(kind, load_part(saved, p, count, total) + shift)
        g = _drop(g, p, dropout)
        store_part(grad_x, p, count, g)
        total = total + g
    store_part(sums, place, count, total)


@kernel
def _curve(begin, end, num_rows, by_x, by_bias, grad, saved, bias, kind, dropout, by_grad, by_saved, sums):
    columns = grad.shape[1]
    rest = columns % 32
    for chunk in range(begin, end):
        rows = chunk * _CHUNK, min((chunk + 1) * _CHUNK, num_rows)
        given = by_x, by_bias, grad, saved, bias
        made = by_grad, by_saved, sums
        for f in range(0, columns - rest, 32):
            _curve_strip(zeros(grad, 32), f, None, chunk, rows, kind, dropout, given, made)
        if rest > 16:
            _curve_strip(zeros(grad, 32), columns - rest, rest, chunk, rows, kind, dropout, given, made)
        elif rest > 0:
            _curve_strip(zeros(grad, 16), columns - rest, rest, chunk, rows, kind, dropout, given, made)


@kernel
def _curve_strip(total, f, count, chunk, rows, kind, dropout, given, made):
    """The columns from f on of a chunk's rows."""
    by_x, by_bias, grad, saved, bias = given
    by_grad, by_saved, sums = made
    columns = grad.shape[1]
    turn, shift = take(by_bias, f, count, total), take(bias, f, count, total)
    for i in range(rows[0], rows[1]):
        p = i * columns + f
        slope, bend = slope_and_curvature(kind, take(saved, p, count, total) + shift)
        by = _drop(take(by_x, p, count, total) + turn, p, dropout)
        put(by_grad, p, count, by * slope)
        bent = by * take(grad, p, count, total) * bend
        put(by_saved, p, count, bent)
        total = total + bent
    put(sums, chunk * columns + f, count, total)


@kernel
def _drop(y, place, dropout):
    """y where it is kept, scaled; a product with 0 elsewhere, so that NaN stays NaN."""
    seed, threshold, scale = dropout
    if threshold == 0:
        return y * scale
    return y * where(keep_lanes(seed, place, threshold, y), spread(scale, y), spread(0.0, y))
