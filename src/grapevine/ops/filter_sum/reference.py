"""Continuous-filter sums in plain PyTorch: every message is made."""

import torch
from torch import Tensor

from grapevine.ops.trilinear.reference import entries, row_of


def filter_sum(rows: list[Tensor], x: Tensor, weight: Tensor) -> Tensor:
    messages = x.index_select(0, rows[1]) * weight.index_select(0, entries(rows))
    return x.new_zeros(rows[0].shape[0] - 1, x.shape[1]).index_add(0, row_of(rows), messages)


def filter_slope(ends: list[Tensor], g: Tensor, x: Tensor) -> Tensor:
    row, col, count = ends
    out = g.index_select(0, row) * x.index_select(0, col)
    is_both = (count == 2).unsqueeze(1)
    if not is_both.any():
        return out
    # where only one way is there, row and column need not be nodes of one set
    other_row, other_col = torch.where(count == 2, col, 0), torch.where(count == 2, row, 0)
    return out + torch.where(is_both, g.index_select(0, other_row) * x.index_select(0, other_col), 0)
