"""Stable grouping on the processor: a counting sort, linear in keys and groups."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array


def group(keys: Tensor, values: Tensor, num_groups: int, wide: bool) -> tuple[Tensor, Tensor, Tensor]:
    dtype = np.int64 if wide else np.int32
    indptr = np.zeros(num_groups + 1, dtype)
    sorted_values, order = np.empty(len(keys), dtype), np.empty(len(keys), dtype)
    _counting_sort(as_array(keys), as_array(values), indptr, sorted_values, order)
    return torch.from_numpy(indptr), torch.from_numpy(sorted_values), torch.from_numpy(order)


@kernel
def _counting_sort(keys, values, indptr, sorted_values, order):
    num_groups = indptr.shape[0] - 1
    for e in range(keys.shape[0]):
        indptr[keys[e] + 1] += 1
    for k in range(num_groups):
        indptr[k + 1] += indptr[k]
    place = indptr[:num_groups].copy()
    for e in range(keys.shape[0]):
        k = keys[e]
        p = place[k]
        place[k] = p + 1
        sorted_values[p] = values[e]
        order[p] = e
