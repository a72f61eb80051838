"""The polynomial, its slopes and what these turn into, in plain PyTorch: every product of every node is made."""

import torch
from torch import Tensor


def total(table: Tensor, kind: Tensor, num_outputs: int, x: Tensor, weight: Tensor) -> Tensor:
    products = _factor(table, x, 1) * _factor(table, x, 2) * _factor(table, x, 3) * weight[kind.long()]
    return x.new_zeros(len(x), num_outputs, x.shape[2]).index_add(1, table[:, 0], products)


def slopes(table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of <g, total> by x and by weight."""
    with torch.enable_grad():
        x, weight = x.detach().requires_grad_(), weight.detach().requires_grad_()
        out = total(table, kind, g.shape[1], x, weight)
        of_x, of_weight = torch.autograd.grad(out, (x, weight), g)
    return of_x, of_weight


def turns(
    table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor, by_x: Tensor, by_weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """How total and both slopes change when x and weight move along by_x and by_weight."""
    with torch.enable_grad():
        g, x, weight = (tensor.detach().requires_grad_() for tensor in (g, x, weight))
        out = total(table, kind, g.shape[1], x, weight)
        of_x, of_weight = torch.autograd.grad(out, (x, weight), g, create_graph=True)
        change = (of_x * by_x).sum() + (of_weight * by_weight).sum()
        by_g, by_own, by_weights = torch.autograd.grad(change, (g, x, weight))
    return by_g, by_own, by_weights


def _factor(table: Tensor, x: Tensor, which: int) -> Tensor:
    """[n, k, c] one factor of each term; 1 where it has fewer."""
    place = table[:, which]
    return torch.where((place >= 0).view(1, -1, 1), x.index_select(1, place.clamp(min=0)), 1.0)
