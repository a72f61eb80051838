"""Maximum and minimum over edges in plain PyTorch. Memory e c."""

import torch
from torch import Tensor

from grapevine.ops.trilinear.reference import by_entry, entries, messages, row_of


def select(rows: list[Tensor], x: Tensor, weight: Tensor | None, is_max: bool) -> tuple[Tensor, Tensor]:
    values, shape = messages(rows, x, weight), (rows[0].shape[0] - 1, x.shape[1])
    row, none = row_of(rows).unsqueeze(1).expand_as(values), len(values)
    out = x.new_zeros(shape).scatter_reduce(0, row, values, "amax" if is_max else "amin", include_self=False)
    best = out.index_select(0, row_of(rows))
    is_best = (values == best) | (values.isnan() & best.isnan())
    places = torch.arange(none, device=x.device).unsqueeze(1).where(is_best, none)
    first = torch.full(shape, none, device=x.device).scatter_reduce(0, row, places, "amin")
    numbers = torch.cat([entries(rows), entries(rows).new_tensor([-1])])
    return out, numbers[first].int()


def pick(rows: list[Tensor], x: Tensor, weight: Tensor | None, arg: Tensor) -> Tensor:
    is_chosen = arg.index_select(0, row_of(rows)) == entries(rows).unsqueeze(1)
    values = messages(rows, x, weight).where(is_chosen, 0)
    return x.new_zeros(arg.shape).index_add(0, row_of(rows), values)


def unpick(cols: list[Tensor], grad: Tensor, weight: Tensor | None, arg: Tensor) -> Tensor:
    is_chosen = arg.index_select(0, cols[1]) == entries(cols).unsqueeze(1)
    values = messages(cols, grad, weight).where(is_chosen, 0)
    return grad.new_zeros(cols[0].shape[0] - 1, grad.shape[1]).index_add(0, row_of(cols), values)


def pick_dot(rows: list[Tensor], grad: Tensor, x: Tensor, arg: Tensor, heads: int) -> Tensor:
    is_chosen = arg.index_select(0, row_of(rows)) == entries(rows).unsqueeze(1)
    product = (grad.index_select(0, row_of(rows)) * messages(rows, x, None)).where(is_chosen, 0)
    return by_entry(rows, product.unflatten(1, (heads, -1)).sum(2))
