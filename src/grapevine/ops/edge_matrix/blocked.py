"""The edge matrices' form and its derivatives in blocks of rows, by PyTorch's own products, on any device.

Rows are sorted by how many entries they have: those of one number are a batch of equal small products, f^T x, and
a block of them goes through T in one product. A block is small enough to stay in the processor's cache.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

_ON_CPU, _ELSEWHERE = 1 << 19, 1 << 24  # numbers in a block of outer products


class _Block(NamedTuple):
    """Rows begin .. end - 1 of a plan, and of each run of equal rows: first, last + 1, first entry, last entry + 1."""

    begin: int
    end: int
    runs: list[tuple[int, int, int, int]]


class _Plan(NamedTuple):
    """The rows that have entries by how many they have, their entries one row after another, and blocks of them."""

    rows: Tensor
    entries: Tensor
    blocks: list[_Block]


def total(indptr: Tensor, feature: Tensor, x: Tensor, matrices: Tensor) -> Tensor:
    """[n, d] what each row's entries send, added up."""
    flat = matrices.flatten(0, 1)
    plan = _plan(indptr, len(flat), x.device)
    feature, x = feature[plan.entries], x[plan.entries]
    sums = x.new_empty(len(plan.rows), flat.shape[1])
    for block in plan.blocks:
        sums[block.begin : block.end] = _product(_outer(block, feature, x), flat)
    return x.new_zeros(indptr.shape[0] - 1, flat.shape[1]).index_copy_(0, plan.rows, sums)


def slopes(
    indptr: Tensor, g: Tensor, factors: tuple[Tensor, Tensor, Tensor], wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivatives by the factors, of the shapes of feature, x and matrices."""
    matrices = factors[2]
    flat, num_matrices = matrices.flatten(0, 1), matrices.shape[0]
    plan = _plan(indptr, len(flat), g.device)
    feature, x, g = factors[0][plan.entries], factors[1][plan.entries], g[plan.rows]
    of_feature, of_x = torch.zeros_like(feature), torch.zeros_like(x)
    turned = flat.T.contiguous()  # as the processor's product likes it
    of_turned = torch.zeros_like(turned, dtype=torch.promote_types(flat.dtype, torch.float32))
    for block in plan.blocks:
        g_rows = g[block.begin : block.end]
        if wanted[2]:
            _add_product(of_turned, g_rows.T, _outer(block, feature, x))
        if wanted[0] or wanted[1]:
            back = (g_rows @ turned).view(len(g_rows), num_matrices, -1)
            if wanted[0]:
                _by_row(block, x, back.transpose(1, 2), of_feature)
            if wanted[1]:
                _by_row(block, feature, back, of_x)
    in_place = torch.empty_like(plan.entries)
    in_place[plan.entries] = torch.arange(len(in_place), device=in_place.device)
    of_matrices = of_turned.to(matrices.dtype).T.contiguous().view_as(matrices)
    return of_feature[in_place], of_x[in_place], of_matrices


def _outer(block: _Block, feature: Tensor, x: Tensor) -> Tensor:
    """[rows, k c] the sum of each row's outer products."""
    out = x.new_empty(block.end - block.begin, feature.shape[1], x.shape[1])
    for row, last_row, entry, last_entry in block.runs:
        shape = last_row - row, -1
        f, there = feature[entry:last_entry].unflatten(0, shape), x[entry:last_entry].unflatten(0, shape)
        torch.bmm(f.transpose(1, 2), there, out=out[row - block.begin : last_row - block.begin])
    return out.flatten(1)


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a b, by eighths of the long sum: PyTorch's own product shares that out among threads, and its bits with it."""
    parts = math.gcd(a.shape[1], 8)
    return torch.bmm(a.unflatten(1, (parts, -1)).transpose(0, 1), b.unflatten(0, (parts, -1))).sum(0)


def _by_row(block: _Block, of_entry: Tensor, matrix: Tensor, out: Tensor) -> None:
    """The entries' rows of `of_entry`, each times its own row's matrix, to `out`."""
    for row, last_row, entry, last_entry in block.runs:
        shape = last_row - row, -1
        there = matrix[row - block.begin : last_row - block.begin]
        torch.bmm(of_entry[entry:last_entry].unflatten(0, shape), there, out=out[entry:last_entry].unflatten(0, shape))


def _add_product(total: Tensor, a: Tensor, b: Tensor) -> None:
    if total.dtype == a.dtype:
        total.addmm_(a, b)
    else:
        total += a @ b


def _plan(indptr: Tensor, numbers: int, device: torch.device) -> _Plan:
    """Blocks of so few rows that their outer products, of that many numbers a row, fit into a block."""
    indptr = indptr.long()
    degree, order = indptr.diff().sort(stable=True)
    sizes, counts = (found.tolist() for found in degree.unique_consecutive(return_counts=True))
    empty = counts[0] if sizes and sizes[0] == 0 else 0
    rows, degree = order[empty:], degree[empty:]
    room = max(1, (_ON_CPU if device.type == "cpu" else _ELSEWHERE) // max(1, numbers))
    blocks = [_Block(begin, min(begin + room, len(rows)), []) for begin in range(0, len(rows), room)]
    row = entry = 0
    for size, count in zip(sizes, counts, strict=True):
        last_of_size = row + count if size else row
        while row < last_of_size:
            block = blocks[row // room]
            last = min(last_of_size, block.end)
            block.runs.append((row, last, entry, entry + (last - row) * size))
            row, entry = last, entry + (last - row) * size
    return _Plan(rows, _concatenated(indptr[rows], degree), blocks)


def _concatenated(start: Tensor, count: Tensor) -> Tensor:
    """start[0], start[0] + 1, ... count[0] of them, then those of start[1], and so on."""
    before = count.cumsum(0) - count
    return torch.arange(int(count.sum()), device=start.device) + (start - before).repeat_interleave(count)
