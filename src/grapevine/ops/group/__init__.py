"""Stable grouping: carry values into the order of their keys.

order = stable argsort of keys,  indptr[k] = number of keys below k
"""

import torch
from torch import Tensor

from grapevine.ops.group import cpu, reference
from grapevine.ops.runtime.kernel import cpu_kernel

_INT32_MAX = 2**31 - 1


def index_dtype(*sizes: int) -> torch.dtype:
    """int32 where all the sizes fit into it, else int64."""
    return torch.int32 if max(sizes) <= _INT32_MAX else torch.int64


@torch.library.custom_op("grapevine::group", mutates_args=())
def group(keys: Tensor, values: Tensor, num_groups: int, wide: bool) -> tuple[Tensor, Tensor, Tensor]:
    """`indptr`, `values[order]` and `order`, in int64 if wide, else int32. The keys must lie below num_groups."""
    return reference.group(keys, values, num_groups, wide)


@cpu_kernel("group")
def _(keys: Tensor, values: Tensor, num_groups: int, wide: bool) -> tuple[Tensor, Tensor, Tensor]:
    return cpu.group(keys, values, num_groups, wide)


@group.register_fake
def _(keys: Tensor, values: Tensor, num_groups: int, wide: bool) -> tuple[Tensor, Tensor, Tensor]:
    dtype = torch.int64 if wide else torch.int32
    indptr, values, order = (keys.new_empty(size, dtype=dtype) for size in (num_groups + 1, len(keys), len(keys)))
    return indptr, values, order
