"""Gather and segment sum in plain PyTorch."""

import torch
from torch import Tensor


def gather(index: list[Tensor], x: Tensor) -> Tensor:
    out = x.index_select(0, index[0])
    return out if len(index) == 1 else torch.empty_like(out).index_copy(0, index[1].long(), out)


def segment_sum(segments: list[Tensor], x: Tensor, scale: Tensor | None) -> Tensor:
    return scaled(segment(segments, widened(x), "sum", 0.0), scale).to(x.dtype)


def segment(segments: list[Tensor], x: Tensor, reduce: str, initial: float) -> Tensor:
    """[n, *c] the sum or max of `initial` and the entries of each segment."""
    x = x if len(segments) == 1 else x.index_select(0, segments[1])
    return torch.segment_reduce(x, reduce, offsets=segments[0], initial=initial, unsafe=True)


def scaled(x: Tensor, scale: Tensor | None) -> Tensor:
    """Each row of x times its number of `scale`, in the dtype of x."""
    return x if scale is None else (x * scale.view(-1, *[1] * (x.ndim - 1))).to(x.dtype)


def widened(x: Tensor) -> Tensor:
    """x in the dtype in which it is added up: bfloat16 and float16 as float32."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
