"""Graph attention on the processor: the output by target, its gradients in one pass by source."""

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
    new_block,
    new_row,
    new_scores,
    put_row,
    room_for_output,
    scatter,
    score_gradient,
    soften,
    weigh,
    weigh_again,
    weigh_and_dot,
)
from grapevine.ops.gather.cpu import segment_sum
from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import kernel, lean
from grapevine.ops.runtime.parallel import as_array, as_scalars, share_rows
from grapevine.ops.runtime.simd import load, load_part, prefetch, spread, store, store_part, where
from grapevine.ops.trilinear.cpu import as_view


def attend(
    rows: list[Tensor], value: Tensor, score_col: Tensor, score_row: Tensor, score_edge: Tensor | None,
    negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    out, lse = room_for_output(rows, value)
    scores = as_scalars(score_col), as_scalars(score_row), as_scalars(score_edge)
    share_rows(
        _attend_rows, out.shape[0], *as_view(rows), *scores, negative_slope, draw_of(dropout, seed),
        as_array(value), as_array(out), as_array(lse), work=rows[1].shape[0] * value[0:1].numel(),
    )  # fmt: skip
    return out, lse


def gradient(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, value: Tensor, score_col: Tensor, score_row: Tensor,
    score_edge: Tensor | None, out: Tensor, lse: Tensor, negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    num_cols, num_entries = value.shape[0], rows[1].shape[0]
    by_value, by_col, d_score = (
        empty(value.shape, value.dtype),
        new_scores(value, num_cols),
        new_scores(value, num_entries),
    )
    ends = torch.cat([score_row.to(lse.dtype), lse, deltas_of(grad, out)], dim=1)  # side by side: gathered together
    share_rows(
        _gradient_cols, num_cols, *as_view(cols), as_scalars(score_col), as_array(ends), as_scalars(score_edge),
        negative_slope, draw_of(dropout, seed), as_array(grad), as_array(value),
        as_array(by_value), as_array(by_col), as_array(d_score), work=num_entries * value[0:1].numel(),
    )  # fmt: skip
    by_row = segment_sum([rows[0], *rows[2:]], d_score, None)
    return by_value, by_col.to(value.dtype), by_row.to(value.dtype), d_score.to(value.dtype)


@kernel
def _attend_rows(begin, end, indptr, indices, entry, score_col, score_row, score_edge, slope, draw, value, out, lse):
    row = new_row(value, lse)
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        _attend_row(row, i, first, last, indices, entry, score_col, score_row, score_edge, slope, draw, value)
        finish_row(row, i, draw.scale, out, lse)


@lean
def _attend_row(row, i, first, last, indices, entry, score_col, score_row, score_edge, slope, draw, value):
    begin_row(row, first == last)
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        _score(row.scores, i, start, size, indices, entry, score_col, score_row, score_edge, slope)
        soften(row, size)
        drop(row.scores, start, size, value.shape[1], entry, draw)
        weigh(value, row.total, row.scores, start, size, indices)


@lean
def _score(scores, i, start, size, indices, entry, score_col, score_row, score_edge, slope):
    heads = score_row.shape[1]
    for k in range(size):
        if start + k + BLOCK < indices.shape[0]:
            prefetch(score_col, np.int64(indices[start + k + BLOCK]) * heads, 16)
        for h in range(0, heads, 16):
            count, j = min(16, heads - h), np.int64(indices[start + k])
            z = load_part(score_col, j * heads + h, count, 16) + load_part(score_row, i * heads + h, count, 16)
            if score_edge is not None:
                z = z + load_part(score_edge, entry_of(start + k, entry) * heads + h, count, 16)
            store_part(scores, k * heads + h, count, where(z > 0, z, z * slope))


@kernel
def _gradient_cols(
    begin, end, indptr, indices, entry, score_col, ends, score_edge, slope, draw, grad, value, by_value, by_col, d_score
):
    """Rows and columns are those of the transposed pattern: row j is a source, indices are targets."""
    heads, columns = value.shape[1], value.shape[1] * value.shape[2]
    block, total = new_block(heads, ends), np.empty(columns, ends.dtype)
    slopes = np.empty(BLOCK * heads + SLACK, ends.dtype)
    for j in range(begin, end):
        clear(total, columns)
        for h in range(heads):
            by_col[j, h] = 0
        first, last = np.int64(indptr[j]), np.int64(indptr[j + 1])
        _gradient_col(
            block, slopes, total, j, first, last, indices, entry, score_col, ends, score_edge, slope, draw, grad,
            value, by_col, d_score,
        )  # fmt: skip
        put_row(total, 1, by_value, j)


@lean
def _gradient_col(
    block, slopes, total, j, first, last, indices, entry, score_col, ends, score_edge, slope, draw, grad, value,
    by_col, d_score,
):  # fmt: skip
    heads, columns = value.shape[1], total.shape[0]
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        _score_again(block, slopes, j, start, size, indices, entry, score_col, ends, score_edge, slope, d_score)
        weigh_again(block, start, size, heads, entry, draw)
        weigh_and_dot(grad, total, block.weights, block.dots, start, size, indices, value, j * columns)
        score_gradient(block, size, heads)
        for place in range(0, size * heads, 16):
            store(block.weights, place, load(block.weights, place, 16) * load(slopes, place, 16))
        for h in range(0, heads, 16):
            count = min(16, heads - h)
            added = load_part(by_col, j * heads + h, count, 16)
            for k in range(size):
                added = added + load(block.weights, k * heads + h, 16)
            store_part(by_col, j * heads + h, count, added)
        scatter(block.weights, start, size, heads, entry, d_score)


@lean
def _score_again(block, slopes, j, start, size, indices, entry, score_col, ends, score_edge, slope, d_score):
    """score - lse, the slope of the leaky ReLU and delta of each entry; `ends` holds score_row, lse and delta."""
    heads = score_col.shape[1]
    for k in range(size):
        if start + k + BLOCK < indices.shape[0]:
            target = np.int64(indices[start + k + BLOCK]) * 3 * heads
            prefetch(ends, target, 16)
            prefetch(ends, target + 2 * heads, 16)  # may lie in the next cache line
            prefetch(d_score, entry_of(start + k + BLOCK, entry) * heads, 16)  # which scatter will write
        for h in range(0, heads, 16):
            count, place = min(16, heads - h), k * heads + h
            target = np.int64(indices[start + k]) * 3 * heads + h
            z = load_part(score_col, j * heads + h, count, 16) + load_part(ends, target, count, 16)
            if score_edge is not None:
                z = z + load_part(score_edge, entry_of(start + k, entry) * heads + h, count, 16)
            step = where(z > 0, spread(1, z), spread(slope, z))
            store_part(block.alpha, place, count, z * step - load_part(ends, target + heads, count, 16))
            store_part(block.deltas, place, count, load_part(ends, target + 2 * heads, count, 16))
            store_part(slopes, place, count, step)
