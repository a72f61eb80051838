"""What the attentions share on the processor: a row is taken in blocks of entries, their scores held in a scratch.

The softmax runs online: with the largest score m and the sum z so far, a block with the scores s gives

    m' = max(m, s),   z' = z exp(m - m') + sum exp(s - m'),   total' = total exp(m - m') + sum exp(s - m') value

so a gathered row is read from memory once for its score and found in the cache when its weight is known.
M. Milakov, N. Gimelshein, "Online normalizer calculation for softmax", 2018; T. Dao et al., "FlashAttention", 2022.

A scratch holds [BLOCK, heads] numbers and SLACK behind them, so that whole vectors may be read at its end.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, WIDE, kernel, lean
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.random import keep_lanes, scale_of, threshold_of
from grapevine.ops.runtime.simd import (
    add_heads,
    exp,
    heads_of,
    load,
    load_part,
    maximum,
    prefetch,
    spread,
    spread_heads,
    store,
    store_part,
    where,
    zeros,
)
from grapevine.ops.runtime.strips import put, take
from grapevine.ops.trilinear.cpu import dot

BLOCK = 32  # entries; 32 rows of 128 floats are a third of a first-level cache
SLACK = 16


class Draw(NamedTuple):
    """How dropout draws: the scale of the weights that are kept, the threshold below which they are not, the seed."""

    scale: float
    threshold: int
    seed: int


def draw_of(dropout: float, seed: Tensor | None) -> Draw:
    return Draw(scale_of(dropout), threshold_of(dropout), 0 if seed is None else int(seed))


def room_for_output(rows: list[Tensor], value: Tensor) -> tuple[Tensor, Tensor]:
    """Room for the output, [n, h, c], and for the log-sum-exp, [n, h]."""
    num_rows = rows[0].shape[0] - 1
    return empty((num_rows, *value.shape[1:]), value.dtype), new_scores(value, num_rows)


def new_scores(x: Tensor, num_rows: int) -> Tensor:
    """Room for [num_rows, h] scores of x, [., h, c], in the dtype in which it is added up."""
    return empty((num_rows, x.shape[1]), torch.promote_types(x.dtype, torch.float32))


def deltas_of(grad: Tensor, out: Tensor) -> Tensor:
    """[n, h] delta[i] = <grad[i], out[i]>"""
    delta = new_scores(out, out.shape[0])
    share_rows(_delta_rows, out.shape[0], as_array(grad), as_array(out), as_array(delta), work=2 * out.numel())
    return delta


@kernel
def _delta_rows(begin, end, grad, out, delta):
    heads, per_head = grad.shape[1], grad.shape[2]
    for i in range(begin, end):
        for h in range(heads):
            place = (i * heads + h) * per_head
            delta[i, h] = dot(grad, place, out, place, per_head)


def over_strips(step: Callable[..., Any]) -> Callable[..., Any]:
    """Make `step(like, f, count, x, ...)`, which does some columns of x, [n, h, c], into `run(x, ...)`, which does all.

    A strip starts at column f and has as many columns as the vector `like` has lanes, or `count` unless that is None.
    Strips run across heads where whole blocks of lanes belong to one head, else from head to head.
    """
    step = lean(step)

    @lean
    def run(x, *arguments):
        columns, per_head = x.shape[1] * x.shape[2], x.shape[2]
        span = columns if per_head % 16 == 0 else per_head
        for first in range(0, columns, span):
            f, stop = first, first + span
            while stop - f >= WIDE:
                step(zeros(x, WIDE), f, None, x, *arguments)
                f += WIDE
            rest = stop - f
            if rest > 64:
                step(zeros(x, 128), f, rest, x, *arguments)
            elif rest > 16:
                step(zeros(x, 64), f, rest, x, *arguments)
            elif rest > 0:
                step(zeros(x, 16), f, rest, x, *arguments)

    return run


# Steps over one strip of the gathered rows x[indices[p]] of a block, p = start .. start + size - 1.


@over_strips
def weigh(like, f, count, x, total, weights, start, size, indices):
    """total += the sum of the rows, each by its weights."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], like)
    result = take(total, f, count, like)
    for k in range(size):
        if start + k + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[start + k + AHEAD]) * columns + f, like)
        value = take(x, np.int64(indices[start + k]) * columns + f, count, like)
        result = result + value * spread_heads(weights, k * x.shape[1], heads, like)
    put(total, f, count, result)


@over_strips
def weigh_and_dot(like, f, count, x, total, weights, dots, start, size, indices, fixed, place):
    """The same, and dots += the scalar products of each row with the one at `place` in `fixed`."""
    columns, heads = x.shape[1] * x.shape[2], heads_of(f, x.shape[2], x.shape[1], like)
    result, other = take(total, f, count, like), take(fixed, place + f, count, like)
    for k in range(size):
        if start + k + AHEAD < indices.shape[0]:
            prefetch(x, np.int64(indices[start + k + AHEAD]) * columns + f, like)
        value = take(x, np.int64(indices[start + k]) * columns + f, count, like)
        result = result + value * spread_heads(weights, k * x.shape[1], heads, like)
        add_heads(dots, k * x.shape[1], heads, value * other)
    put(total, f, count, result)


# The softmax of a row


class Row(NamedTuple):
    """A row's softmax under way: the largest score so far, the sum of powers, the weighted sum of rows.

    `scores` are the block's, and `tile` has a number a head, repeated over a vector.
    """

    top: np.ndarray
    norm: np.ndarray
    total: np.ndarray
    scores: np.ndarray
    tile: np.ndarray


@kernel
def new_row(value, lse):
    """Room for one row of [., h, c] after the other, in the dtype of lse."""
    heads, columns = value.shape[1], value.shape[1] * value.shape[2]
    top, norm, total = np.empty(heads, lse.dtype), np.empty(heads, lse.dtype), np.empty(columns, lse.dtype)
    scores, tile = np.empty(BLOCK * heads + SLACK, lse.dtype), np.empty(heads + 2 * SLACK, lse.dtype)
    return Row(top, norm, total, scores, tile)


@lean
def clear(block, size):
    for f in range(size):
        block[f] = 0


@lean
def begin_row(row, is_empty):
    for h in range(row.top.shape[0]):
        row.top[h] = -np.inf
        row.norm[h] = 1 if is_empty else 0  # an empty row ends as 0 / 1, one of nothing but -inf as 0 / 0
    clear(row.total, row.total.shape[0])


@lean
def soften(row, size):
    """The block's scores become exp(score - top), with top, norm and total brought up to date."""
    scores, tile, heads = row.scores, row.tile, row.top.shape[0]
    numbers, span = size * heads, heads * max(1, 16 // heads)  # as many whole entries as a vector has room for
    for h in range(0, heads, 16):
        count = min(16, heads - h)
        best = load_part(row.top, h, count, 16)
        for k in range(size):
            best = maximum(best, load(scores, k * heads + h, 16))
        _raise_top(row, h, count, best)
        shift = where(best == -np.inf, zeros(scores, 16), best)
        for place in range(h, span, heads):
            store(tile, place, shift)
    store(scores, numbers, spread(-np.inf, zeros(scores, 16)))
    for h in range(0, span, 16):
        count, shift, added = min(16, span - h), load(tile, h, 16), zeros(scores, 16)
        for place in range(h, numbers, span):
            power = exp(load(scores, place, 16) - shift)
            added = added + power
            store_part(scores, place, count, power)
        store_part(tile, h, count, added)
    for h in range(heads):
        for place in range(h, span, heads):
            row.norm[h] += tile[place]


@lean
def _raise_top(row, h, count, best):
    """The largest scores so far of `count` heads from h on; what was added up under smaller ones shrinks."""
    store(row.tile, h, best)
    per_head = row.total.shape[0] // row.top.shape[0]
    for head in range(h, h + count):
        if row.norm[head] != 0 and row.tile[head] != row.top[head]:
            shrink = math.exp(row.top[head] - row.tile[head])
            row.norm[head] *= shrink
            for f in range(head * per_head, (head + 1) * per_head):
                row.total[f] *= shrink
    store_part(row.top, h, count, best)


@lean
def finish_row(row, i, scale, out, lse):
    """out[i] = scale total / norm"""
    heads, per_head = out.shape[1], out.shape[2]
    for h in range(heads):
        lse[i, h] = row.top[h] + math.log(row.norm[h])
        factor = scale / row.norm[h]
        for f in range(h * per_head, (h + 1) * per_head, 16):
            count = min(16, (h + 1) * per_head - f)
            store_part(out, i * heads * per_head + f, count, load_part(row.total, f, count, 16) * factor)


# Dropout and the places of entries


@lean
def drop(weights, start, size, heads, entry, draw):
    """Zero where the generator says so; the counter of a weight is its place in the [e, h] weights of all edges."""
    if draw.threshold == 0:
        return
    for k in range(size):
        e = entry_of(start + k, entry)
        for h in range(0, heads, 16):
            like, place, count = zeros(weights, 16), k * heads + h, min(16, heads - h)
            kept = keep_lanes(draw.seed, e * heads + h, draw.threshold, like)
            store_part(weights, place, count, where(kept, load(weights, place, 16), like))


@lean
def entry_of(p, entry):
    return np.int64(p) if entry is None else np.int64(entry[p])


# The gradient by the scores, for a block of the entries of a column


class Block(NamedTuple):
    """alpha, the weights (dropout's factor times alpha, then d score), <grad[i], value[j]>, and delta[i]."""

    alpha: np.ndarray
    weights: np.ndarray
    dots: np.ndarray
    deltas: np.ndarray


@kernel
def new_block(heads, like):
    """Room for one block after the other, in the dtype of `like`."""
    room, dtype = BLOCK * heads + SLACK, like.dtype
    return Block(np.empty(room, dtype), np.empty(room, dtype), np.empty(room, dtype), np.empty(room, dtype))


@lean
def less_lse(block, start, size, indices, entry, ends, d_score):
    """alpha -= the lse of each entry's target, and its delta; `ends` holds the two side by side."""
    heads = ends.shape[1] // 2
    for k in range(size):
        if start + k + BLOCK < indices.shape[0]:
            prefetch(ends, np.int64(indices[start + k + BLOCK]) * 2 * heads, 16)
            prefetch(d_score, entry_of(start + k + BLOCK, entry) * heads, 16)  # which scatter will write
        for h in range(0, heads, 16):
            count, place = min(16, heads - h), k * heads + h
            target = np.int64(indices[start + k]) * 2 * heads + h
            store_part(block.alpha, place, count, load(block.alpha, place, 16) - load_part(ends, target, count, 16))
            store_part(block.deltas, place, count, load_part(ends, target + heads, count, 16))


@lean
def weigh_again(block, start, size, heads, entry, draw):
    """alpha = exp(score - lse), in place of score - lse, the weights, and dots = 0."""
    for place in range(0, size * heads, 16):
        power = exp(load(block.alpha, place, 16))
        store(block.alpha, place, power)
        store(block.weights, place, power * draw.scale)
        store(block.dots, place, zeros(block.dots, 16))
    drop(block.weights, start, size, heads, entry, draw)


@lean
def score_gradient(block, size, heads):
    """d score = weight <grad, value> - alpha delta, in place of the weights."""
    for place in range(0, size * heads, 16):
        gained = load(block.weights, place, 16) * load(block.dots, place, 16)
        lost = load(block.alpha, place, 16) * load(block.deltas, place, 16)
        store(block.weights, place, gained - lost)


@lean
def scatter(numbers, start, size, heads, entry, out):
    """A block's numbers to the rows of their entries."""
    for k in range(size):
        e = entry_of(start + k, entry)
        for h in range(0, heads, 16):
            count = min(16, heads - h)
            store_part(out, e * heads + h, count, load(numbers, k * heads + h, 16))


@lean
def put_row(total, scale, out, row):
    """out[row] = scale total"""
    for f in range(0, total.shape[0], 16):
        count = min(16, total.shape[0] - f)
        store_part(out, row * total.shape[0] + f, count, load_part(total, f, count, 16) * scale)
