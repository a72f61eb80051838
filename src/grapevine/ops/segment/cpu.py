"""The logarithm of the sum of exponentials over segments on the processor: the maximum first, then the sum."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.edge_softmax.cpu import LANES, largest, row_arguments, sum_exp
from grapevine.ops.gather.cpu import flat_array
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows
from grapevine.ops.runtime.simd import store_part, where, zeros


def logsumexp(segments: list[Tensor], x: Tensor) -> Tensor:
    num_rows, *rows = row_arguments(segments, x)
    shift = torch.empty(num_rows, *x.shape[1:], dtype=torch.promote_types(x.dtype, torch.float32))
    total = torch.empty_like(shift)
    numbers = flat_array(x), flat_array(shift), flat_array(total)
    share_rows(_sum_exp_rows, num_rows, *rows, *numbers, work=2 * x.numel())
    return total.log_().add_(shift).to(x.dtype)


@kernel
def _sum_exp_rows(begin, end, indptr, entry, columns, step, x, shift, total):
    for i in range(begin, end):
        first, last = np.int64(indptr[i]), np.int64(indptr[i + 1])
        for f in range(0, columns, LANES):
            top = largest(first, last, f, columns, step, entry, x)
            is_finite = (top > -np.inf) & (top < np.inf)
            offset = where(is_finite, top, zeros(x, LANES))
            start, count = i * columns + f, min(LANES, columns - f)
            store_part(shift, start, count, offset)
            store_part(total, start, count, sum_exp(first, last, f, columns, step, entry, x, offset, None))
