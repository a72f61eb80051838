"""Pairs within a distance in plain PyTorch: every pair of every graph is looked at."""

import torch
from torch import Tensor

from grapevine.ops.group import index_dtype


def radius_pairs(pos: Tensor, starts: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    counts, found = [starts.new_zeros(1)], []
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        part = pos[begin:end].double()
        is_near = (part[:, None] - part).square().sum(2) < cutoff * cutoff
        is_near.fill_diagonal_(False)
        counts.append(is_near.sum(1))
        found.append(is_near.nonzero()[:, 1] + begin)
    indptr = torch.cat(counts).cumsum(0)
    indices = torch.cat(found) if found else starts.new_zeros(0)
    dtype = index_dtype(len(pos) + 1, len(indices))
    return indptr.to(dtype), indices.to(dtype)


def squared_lengths(pos: Tensor, src: Tensor, dst: Tensor, shift: Tensor | None, cells: Tensor | None) -> Tensor:
    pos, src, dst = pos.detach().double(), src.long(), dst.long()
    vector = pos[src] - pos[dst]
    if shift is not None and cells is not None:
        vector = vector + (shift.double()[:, None] @ cells.detach().double()[dst]).squeeze(1)
    return vector.square().sum(1)
