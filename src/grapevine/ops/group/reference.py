"""Stable grouping in plain PyTorch."""

import torch
from torch import Tensor


def group(keys: Tensor, values: Tensor, num_groups: int, wide: bool) -> tuple[Tensor, Tensor, Tensor]:
    dtype = torch.int64 if wide else torch.int32
    order = torch.argsort(keys, stable=True)
    counts = torch.bincount(keys, minlength=num_groups)
    indptr = torch.nn.functional.pad(counts.cumsum(0), (1, 0))
    return indptr.to(dtype), values[order].to(dtype), order.to(dtype)
