"""The second graph attention on the processor: a row is gathered once for its score and for its value.

The leaky ReLU is s(z) z with its slope s, so with S[j] = sum of d s(z) over a source's entries and R[i] over a
target's the gradients by the scores' part of col_x, row_x and att are att S, att R and sum S x + sum R y.
"""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.attention.cpu_block import (
    BLOCK,
    SLACK,
    begin_row,
    clear,
    deltas_of,
    draw_of,
    drop,
    entry_of,
    finish_row,
    less_lse,
    new_block,
    new_row,
    new_scores,
    over_strips,
    room_for_output,
    scatter,
    score_gradient,
    soften,
    weigh,
    weigh_again,
    weigh_and_dot,
)
from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, kernel, lean
from grapevine.ops.runtime.parallel import as_array, as_scalars, share_rows
from grapevine.ops.runtime.simd import add_heads, heads_of, load_part, prefetch, spread_heads, store_part, where
from grapevine.ops.runtime.strips import put, take
from grapevine.ops.trilinear.cpu import as_view

PARTS = 512  # ranges of rows at most; each adds up a gradient by att of its own


def attend(
    rows: list[Tensor], col_x: Tensor, row_x: Tensor, att: Tensor, negative_slope: float, dropout: float,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    out, lse = room_for_output(rows, col_x)
    share_rows(
        _attend_rows, out.shape[0], *as_view(rows), negative_slope, draw_of(dropout, seed),
        as_array(col_x), as_array(row_x), as_scalars(att), as_array(out), as_array(lse),
        work=rows[1].shape[0] * att.numel(),
    )  # fmt: skip
    return out, lse


def gradient(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, col_x: Tensor, row_x: Tensor, att: Tensor,
    out: Tensor, lse: Tensor, negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    by_col, by_row = empty(col_x.shape, col_x.dtype), empty(row_x.shape, row_x.dtype)
    d_score, work = new_scores(col_x, rows[1].shape[0]), rows[1].shape[0] * att.numel()
    ends = torch.cat([lse, deltas_of(grad, out)], dim=1)  # side by side: they are gathered together
    arrays = as_scalars(att), as_array(col_x), as_array(row_x)
    col_parts, row_parts = _parts(by_col, lse.dtype), _parts(by_row, lse.dtype)
    share_rows(
        _gradient_cols, len(col_parts), *as_view(cols), as_array(ends), negative_slope, draw_of(dropout, seed),
        as_array(grad), *arrays, as_array(by_col), as_array(d_score), col_parts, work=work,
    )  # fmt: skip
    share_rows(
        _gradient_rows, len(row_parts), *as_view(rows), as_array(d_score), negative_slope, *arrays,
        as_array(by_row), row_parts, work=work,
    )  # fmt: skip
    by_att = torch.from_numpy(col_parts.sum(0) + row_parts.sum(0)).view(att.shape)
    return by_col, by_row, by_att.to(att.dtype)


def _parts(x: Tensor, dtype: torch.dtype) -> np.ndarray:
    """Room for a gradient by att for each of the ranges that the rows of x are cut into."""
    return x.new_empty(max(1, min(x.shape[0], PARTS)), x.shape[1] * x.shape[2], dtype=dtype).numpy()


@kernel
def _attend_rows(begin, end, indptr, indices, entry, slope, draw, col_x, row_x, att, out, lse):
    row = new_row(col_x, lse)
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        _attend_row(row, i, first, last, indices, entry, slope, draw, col_x, row_x, att)
        finish_row(row, i, draw.scale, out, lse)


@lean
def _attend_row(row, i, first, last, indices, entry, slope, draw, col_x, row_x, att):
    heads, place = att.shape[0], i * att.shape[0] * att.shape[1]
    begin_row(row, first == last)
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        clear(row.scores, size * heads)
        _score(col_x, row.scores, start, size, indices, row_x, place, att, slope)
        soften(row, size)
        drop(row.scores, start, size, heads, entry, draw)
        weigh(col_x, row.total, row.scores, start, size, indices)


@kernel
def _gradient_cols(
    begin, end, indptr, indices, entry, ends, slope, draw, grad, att, col_x, row_x, by_col, d_score, parts
):  # fmt: skip
    """By col_x and by the scores; rows and columns are those of the transposed pattern."""
    heads, columns, span = att.shape[0], att.shape[0] * att.shape[1], -(-col_x.shape[0] // parts.shape[0])
    block, total, steps = new_block(heads, ends), np.empty(columns, ends.dtype), np.empty(columns, ends.dtype)
    for part in range(begin, end):
        for f in range(columns):
            parts[part, f] = 0
        for j in range(part * span, min((part + 1) * span, col_x.shape[0])):
            clear(total, columns)
            clear(steps, columns)
            first, last = np.int64(indptr[j]), np.int64(indptr[j + 1])
            _gradient_col(
                block, total, steps, j, first, last, indices, entry, ends, slope, draw, grad, att, col_x, row_x, d_score
            )
            _finish(j, total, steps, att, col_x, by_col, parts, part)


@lean
def _gradient_col(
    block, total, steps, j, first, last, indices, entry, ends, slope, draw, grad, att, col_x, row_x, d_score
):
    heads, place = att.shape[0], j * total.shape[0]
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        clear(block.alpha, size * heads)
        _score(row_x, block.alpha, start, size, indices, col_x, place, att, slope)
        less_lse(block, start, size, indices, entry, ends, d_score)
        weigh_again(block, start, size, heads, entry, draw)
        weigh_and_dot(grad, total, block.weights, block.dots, start, size, indices, col_x, place)
        score_gradient(block, size, heads)
        scatter(block.weights, start, size, heads, entry, d_score)
        _add_steps(row_x, steps, block.weights, start, size, indices, col_x, place, slope)


@kernel
def _gradient_rows(begin, end, indptr, indices, entry, d_score, slope, att, col_x, row_x, by_row, parts):
    heads, columns, span = att.shape[0], att.shape[0] * att.shape[1], -(-row_x.shape[0] // parts.shape[0])
    weights = np.empty(BLOCK * heads + SLACK, parts.dtype)
    nothing, steps = np.zeros(columns, parts.dtype), np.empty(columns, parts.dtype)
    for part in range(begin, end):
        for f in range(columns):
            parts[part, f] = 0
        for i in range(part * span, min((part + 1) * span, row_x.shape[0])):
            clear(steps, columns)
            first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
            _gradient_row(weights, steps, i, first, last, indices, entry, d_score, slope, col_x, row_x)
            _finish(i, nothing, steps, att, row_x, by_row, parts, part)


@lean
def _gradient_row(weights, steps, i, first, last, indices, entry, d_score, slope, col_x, row_x):
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        collect(weights, start, size, entry, d_score)
        _add_steps(col_x, steps, weights, start, size, indices, row_x, i * steps.shape[0], slope)


@lean
def collect(numbers, start, size, entry, source):
    """A block's numbers from the rows of their entries."""
    heads = source.shape[1]
    for k in range(size):
        e = entry_of(start + k, entry)
        for h in range(0, heads, 16):
            count = min(16, heads - h)
            store_part(numbers, k * heads + h, count, load_part(source, e * heads + h, count, 16))


@over_strips
def _score(like, f, count, x, scores, start, size, indices, fixed, place, att, slope):
    """scores += <att, LeakyReLU(row + fixed)> for each gathered row of x and the one at `place` in `fixed`."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], like)
    other, direction = take(fixed, place + f, count, like), take(att, f, count, like)
    for k in range(size):
        if start + k + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[start + k + AHEAD]) * columns + f, like)
        z = take(x, np.int64(indices[start + k]) * columns + f, count, like) + other
        add_heads(scores, k * x.shape[1], heads, direction * where(z > 0, z, z * slope))


@over_strips
def _add_steps(like, f, count, x, steps, weights, start, size, indices, fixed, place, slope):
    """steps += the sum over the gathered rows of x of weight * LeakyReLU'(row + fixed)."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], like)
    result, other = take(steps, f, count, like), take(fixed, place + f, count, like)
    for k in range(size):
        if start + k + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[start + k + AHEAD]) * columns + f, like)
        z = take(x, np.int64(indices[start + k]) * columns + f, count, like) + other
        weight = spread_heads(weights, k * x.shape[1], heads, like)
        result = result + where(z > 0, weight, weight * slope)
    put(steps, f, count, result)


@lean
def _finish(row, total, steps, att, x, out, parts, part):
    """out[row] = total + att steps, and the row's share of the gradient by att."""
    columns = total.shape[0]
    for f in range(0, columns, 16):
        count = min(16, columns - f)
        step = load_part(steps, f, count, 16)
        own = load_part(total, f, count, 16) + load_part(att, f, count, 16) * step
        share = load_part(parts, part * columns + f, count, 16) + load_part(x, row * columns + f, count, 16) * step
        store_part(out, row * columns + f, count, own)
        store_part(parts, part * columns + f, count, share)
