"""Scaled dot-product attention on the processor: the output by target; by source the gradients but the query's."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.attention.cpu_block import (
    BLOCK,
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
    put_row,
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
from grapevine.ops.runtime.simd import add_heads, heads_of, load, load_part, prefetch, store_part
from grapevine.ops.runtime.strips import take
from grapevine.ops.trilinear.cpu import as_view, spmm


def attend(
    rows: list[Tensor], query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float,
    dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    out, lse = room_for_output(rows, value)
    share_rows(
        _attend_rows, out.shape[0], *as_view(rows), as_array(query), as_array(key), as_array(value),
        as_scalars(bias), scale, draw_of(dropout, seed), as_array(out), as_array(lse),
        work=rows[1].shape[0] * (key[0:1].numel() + value[0:1].numel()),
    )  # fmt: skip
    return out, lse


def gradient(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, query: Tensor, key: Tensor, value: Tensor,
    bias: Tensor | None, out: Tensor, lse: Tensor, scale: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    num_cols, num_entries = key.shape[0], rows[1].shape[0]
    by_key, by_value, d_score = (
        empty(key.shape, key.dtype),
        empty(value.shape, value.dtype),
        new_scores(value, num_entries),
    )
    ends = torch.cat([lse, deltas_of(grad, out)], dim=1)  # side by side: they are gathered together
    share_rows(
        _gradient_cols, num_cols, *as_view(cols), as_array(ends), as_array(grad), as_array(query), as_array(key),
        as_array(value), as_scalars(bias), scale, draw_of(dropout, seed), as_array(by_key), as_array(by_value),
        as_array(d_score), work=num_entries * (key[0:1].numel() + value[0:1].numel()),
    )  # fmt: skip
    by_query = spmm(rows, key.flatten(1), d_score, lse.new_full((query.shape[0],), scale), None)
    return by_query.view(query.shape), by_key, by_value, d_score.to(value.dtype)


@kernel
def _attend_rows(begin, end, indptr, indices, entry, query, key, value, bias, factor, draw, out, lse):
    row = new_row(value, lse)
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        _attend_row(row, i, first, last, indices, entry, query, key, value, bias, factor, draw)
        finish_row(row, i, draw.scale, out, lse)


@lean
def _attend_row(row, i, first, last, indices, entry, query, key, value, bias, factor, draw):
    heads, place = key.shape[1], i * key.shape[1] * key.shape[2]
    begin_row(row, first == last)
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        clear(row.scores, size * heads)
        _add_dots(key, row.scores, start, size, indices, query, place)
        _add_bias(row.scores, start, size, heads, entry, bias, factor)
        soften(row, size)
        drop(row.scores, start, size, heads, entry, draw)
        weigh(value, row.total, row.scores, start, size, indices)


@kernel
def _gradient_cols(
    begin, end, indptr, indices, entry, ends, grad, query, key, value, bias, factor, draw, by_key, by_value, d_score
):
    """Rows and columns are those of the transposed pattern: row j is a source, indices are targets."""
    block = new_block(key.shape[1], ends)
    key_total = np.empty(key.shape[1] * key.shape[2], ends.dtype)
    value_total = np.empty(value.shape[1] * value.shape[2], ends.dtype)
    for j in range(begin, end):
        clear(key_total, key_total.shape[0])
        clear(value_total, value_total.shape[0])
        first, last = np.int64(indptr[j]), np.int64(indptr[j + 1])
        _gradient_col(
            block, key_total, value_total, j, first, last, indices, entry, ends, grad, query, key, value, bias, factor,
            draw, d_score,
        )  # fmt: skip
        put_row(key_total, factor, by_key, j)
        put_row(value_total, 1, by_value, j)


@lean
def _gradient_col(
    block, key_total, value_total, j, first, last, indices, entry, ends, grad, query, key, value, bias, factor, draw,
    d_score,
):  # fmt: skip
    heads = key.shape[1]
    for start in range(first, last, BLOCK):
        size = min(BLOCK, last - start)
        clear(block.alpha, size * heads)
        _add_dots(query, block.alpha, start, size, indices, key, j * key_total.shape[0])
        _add_bias(block.alpha, start, size, heads, entry, bias, factor)
        less_lse(block, start, size, indices, entry, ends, d_score)
        weigh_again(block, start, size, heads, entry, draw)
        place = j * value_total.shape[0]
        weigh_and_dot(grad, value_total, block.weights, block.dots, start, size, indices, value, place)
        score_gradient(block, size, heads)
        scatter(block.weights, start, size, heads, entry, d_score)
        weigh(query, key_total, block.weights, start, size, indices)


@over_strips
def _add_dots(like, f, count, x, scores, start, size, indices, fixed, place):
    """scores += the scalar product of each gathered row of x and the one at `place` in `fixed`."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], like)
    other = take(fixed, place + f, count, like)
    for k in range(size):
        if start + k + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[start + k + AHEAD]) * columns + f, like)
        value = take(x, np.int64(indices[start + k]) * columns + f, count, like)
        add_heads(scores, k * x.shape[1], heads, value * other)


@lean
def _add_bias(scores, start, size, heads, entry, bias, factor):
    """scores = factor scores + bias"""
    for k in range(size):
        for h in range(0, heads, 16):
            count, place = min(16, heads - h), k * heads + h
            score = load(scores, place, 16) * factor
            if bias is not None:
                score = score + load_part(bias, entry_of(start + k, entry) * heads + h, count, 16)
            store_part(scores, place, count, score)
