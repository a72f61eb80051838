"""Weighted sums over edges and their transposes in plain PyTorch: gather, multiply, add up. Memory e c."""

import torch
from torch import Tensor


def spmm(
    rows: list[Tensor],
    x: Tensor,
    weight: Tensor | None,
    row_scale: Tensor | None,
    col_scale: Tensor | None,
    own_scale: Tensor | None = None,
) -> Tensor:
    out = x.new_zeros(rows[0].shape[0] - 1, x.shape[1])
    out = out.index_add(0, row_of(rows), messages(rows, x, weight, col_scale))
    out = out if row_scale is None else out * row_scale.unsqueeze(1)
    return out if own_scale is None else out + own_scale * x


def sddmm_dot(
    rows: list[Tensor],
    row_x: Tensor,
    col_x: Tensor,
    heads: int,
    row_scale: Tensor | None,
    col_scale: Tensor | None,
) -> Tensor:
    if row_scale is not None:
        row_x = row_x * row_scale.unsqueeze(1)
    product = row_x.index_select(0, row_of(rows)) * messages(rows, col_x, None, col_scale)
    return by_entry(rows, product.unflatten(1, (heads, -1)).sum(2))


def messages(rows: list[Tensor], x: Tensor, weight: Tensor | None, col_scale: Tensor | None = None) -> Tensor:
    """[e, c] what each entry brings, in the order of the rows."""
    if col_scale is not None:
        x = x * col_scale.unsqueeze(1)
    gathered = x.index_select(0, rows[1])
    if weight is None:
        return gathered
    weight = weight.index_select(0, entries(rows))
    return gathered * weight.repeat_interleave(x.shape[1] // weight.shape[1], dim=1)


def row_of(rows: list[Tensor]) -> Tensor:
    """[e] the row of each entry."""
    counts = rows[0].diff()
    return torch.arange(len(counts), device=counts.device).repeat_interleave(counts)


def entries(rows: list[Tensor]) -> Tensor:
    """[e] which row of the edge tensors belongs to each entry."""
    return rows[2] if len(rows) > 2 else torch.arange(rows[1].shape[0], device=rows[1].device)


def by_entry(rows: list[Tensor], values: Tensor) -> Tensor:
    """Values in the order of the rows, put where the edge tensors have them."""
    return torch.empty_like(values).index_copy(0, entries(rows).long(), values)
