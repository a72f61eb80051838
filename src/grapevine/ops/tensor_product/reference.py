"""Tensor products along edges in plain PyTorch, path by path: every message is made."""

import torch
from torch import Tensor

from grapevine.ops.trilinear.reference import entries, row_of


def total(rows: list[Tensor], paths: list[Tensor], x: Tensor, weight: Tensor, sh: Tensor, out_width: int) -> Tensor:
    edge, row = entries(rows).long(), row_of(rows)
    out = x.new_zeros(rows[0].shape[0] - 1, out_width)
    for coupling, from_x, to_out, of_weight, of_sh in _each(paths, x.dtype):
        taken, harmonics = x.index_select(0, rows[1])[:, from_x], sh[edge][:, of_sh]
        message = torch.einsum("osa,es,eau,eu->eou", coupling, harmonics, taken, weight[edge][:, of_weight])
        block = out.new_zeros(len(out), *to_out.shape).index_add(0, row, message)
        out = out.index_add(1, to_out.flatten(), block.flatten(1))
    return out


def slopes(
    rows: list[Tensor], paths: list[Tensor], g: Tensor, x: Tensor, weight: Tensor, sh: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor]:
    """The gradients of <g, total> by weight and by sh; empty where one is not wanted."""
    edge, row = entries(rows).long(), row_of(rows)
    of_weight, of_sh = torch.zeros_like(weight), torch.zeros_like(sh)
    for coupling, from_x, to_out, own, part in _each(paths, x.dtype):
        taken, heard = x.index_select(0, rows[1])[:, from_x], g.index_select(0, row)[:, to_out]
        slope = torch.einsum("osa,es,eau,eou->eu", coupling, sh[edge][:, part], taken, heard)
        of_weight[edge.unsqueeze(1), own] += slope
        slope = torch.einsum("osa,eau,eou,eu->es", coupling, taken, heard, weight[edge][:, own])
        of_sh[edge.unsqueeze(1), part] += slope
    return of_weight if wanted[0] else weight.new_empty(0), of_sh if wanted[1] else sh.new_empty(0)


def _each(paths: list[Tensor], dtype: torch.dtype):
    """The coupling [o, s, a] of each path, and its columns: of x [a, u], of the output [o, u], of weight and of sh."""
    table, bounds, places, values = paths
    for k, row in enumerate(table.tolist()):
        in_start, out_start, sh_start, weight_start, in_dim, out_dim, mul, in_stride, out_stride = row
        entries_of = slice(int(bounds[k]), int(bounds[k + 1]))
        where = places[entries_of].long()
        sh_dim = int(where[:, 1].max()) + 1 if len(where) else 1
        coupling = values.new_zeros(out_dim, sh_dim, in_dim).to(dtype)
        coupling[tuple(where.T)] = values[entries_of].to(dtype)
        channels = torch.arange(mul)
        from_x = in_start + torch.arange(in_dim).unsqueeze(1) * in_stride + channels
        to_out = out_start + torch.arange(out_dim).unsqueeze(1) * out_stride + channels
        yield coupling, from_x, to_out, weight_start + channels, sh_start + torch.arange(sh_dim)
