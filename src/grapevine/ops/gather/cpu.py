"""Gather and segment sum on the processor: copies by vectors, the rows to come prefetched."""

import math

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.runtime.allocator import empty
from grapevine.ops.runtime.kernel import AHEAD, kernel
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.simd import load, load_part, prefetch, store, store_part
from grapevine.ops.trilinear import cpu as trilinear


def gather(index: list[Tensor], x: Tensor) -> Tensor:
    num_entries, columns = index[0].shape[0], math.prod(x.shape[1:])
    out = empty((num_entries, *x.shape[1:]), x.dtype)
    arguments = *as_views(index), columns, flat_array(x), flat_array(out)
    share_rows(_copy_rows, num_entries, *arguments, work=num_entries * columns)
    return out


def segment_sum(segments: list[Tensor], x: Tensor, scale: Tensor | None) -> Tensor:
    """Sparse times dense where each entry is its own column."""
    num_entries, indptr = x.shape[0], segments[0]
    column = segments[1] if len(segments) > 1 else torch.arange(num_entries, dtype=indptr.dtype)
    flat = x.reshape(num_entries, math.prod(x.shape[1:]))
    return trilinear.spmm([indptr, column], flat, None, scale, None).reshape(indptr.shape[0] - 1, *x.shape[1:])


def as_views(view: list[Tensor]) -> tuple:
    """The arrays of `index` or `segments`; entry is None where it is left out."""
    return as_array(view[0]), as_array(view[1]) if len(view) > 1 else None


def flat_array(x: Tensor) -> np.ndarray | None:
    """The numbers of x in one dimension, sharing its memory if it is contiguous."""
    return as_array(x.reshape(-1))


@kernel
def _copy_rows(begin, end, index, entry, columns, x, out):
    for p in range(begin, end):
        if p + AHEAD < index.shape[0]:
            ahead = np.int64(index[p + AHEAD]) * columns
            for f in range(0, columns, 16):
                prefetch(x, ahead + f, 16)
        source = np.int64(index[p]) * columns
        target = (np.int64(p) if entry is None else np.int64(entry[p])) * columns
        f = 0
        while columns - f >= 16:
            store(out, target + f, load(x, source + f, 16))
            f += 16
        if f < columns:
            store_part(out, target + f, columns - f, load_part(x, source + f, columns - f, 16))
