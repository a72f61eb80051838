"""Keeps the memory of large results between operations: a pool of blocks, each as long as one kind of result.

The C library maps every large block anew and unmaps it when it is freed, so that an operation on a large graph pays a
page fault for every 4 KB of its result. From `keep_memory` on, large results of our operations come from this pool and
go back to it when their tensor dies; after a round or two of a training loop the faults are gone. Lengths are rounded
up to one of four a doubling, so that a block fits the next result of its kind, and a block that nobody has asked for
in a while is unmapped: what the process holds stays near what it uses.

For the results of PyTorch's own operations glibc, where there is one, is told not to unmap either. It leaves gaps
between freed blocks, which is why the pool is there.
"""

import ctypes
import math
import mmap
import os
import platform
import weakref
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_LARGE = 1 << 20  # bytes; below, the C library keeps memory itself
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # as in glibc's malloc.h
_NEVER = -1
_OLD = 256  # a block is unmapped when so many others have been given out since it came back


class _Pool:
    """Idle blocks by their length, each with the count of blocks given out when it came back."""

    def __init__(self) -> None:
        self.idle: dict[int, list[tuple[int, np.ndarray]]] = defaultdict(list)
        self.count = 0

    def take(self, size: int) -> np.ndarray:
        """A block of at least `size` bytes, which comes back when nothing refers to it any more."""
        self.count += 1
        length = _rounded(size)
        idle = self.idle[length]
        block = idle.pop()[1] if idle else self._mapped(length)
        view = block[:size]
        weakref.finalize(view, self._back, block).atexit = False
        return view

    def _back(self, block: np.ndarray) -> None:
        self.idle[len(block)].append((self.count, block))

    def _mapped(self, length: int) -> np.ndarray:
        for idle in self.idle.values():
            idle[:] = [(since, block) for since, block in idle if self.count - since <= _OLD]
        return np.frombuffer(mmap.mmap(-1, length), np.uint8)


_pool: _Pool | None = None


def keep_memory() -> bool:
    """Keep the memory of large results for the next ones; returns whether that is done.

    Where the environment says GRAPEVINE_ALLOCATOR=system nothing changes. It is for programs that train: no import
    calls it, and nothing undoes it.

    >>> os.environ["GRAPEVINE_ALLOCATOR"] = "system"
    >>> keep_memory()
    False
    >>> del os.environ["GRAPEVINE_ALLOCATOR"]
    """
    global _pool
    if os.environ.get("GRAPEVINE_ALLOCATOR") == "system":
        return False
    if _pool is None:
        _pool = _Pool()
        if platform.libc_ver()[0] == "glibc":
            mallopt = ctypes.CDLL(None).mallopt
            # not M_MMAP_THRESHOLD, which is documented up to 32 MB only: larger blocks would still be mapped
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, _NEVER)
    return True


def is_pooled(shape: Sequence[int], dtype: torch.dtype) -> bool:
    """Whether a result of this kind comes from the pool: it is large, and memory is kept."""
    return _pool is not None and math.prod(shape) * dtype.itemsize >= _LARGE


def empty(shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    """Room for a result on the processor, its numbers undefined."""
    if _pool is None or not is_pooled(shape, dtype):
        return torch.empty(shape, dtype=dtype)
    storage = torch.from_numpy(_pool.take(math.prod(shape) * dtype.itemsize)).untyped_storage()
    room = torch.empty(0, dtype=dtype)  # no view, so that it may be written to in place
    return room.set_(storage, 0, shape, [math.prod(shape[d + 1 :]) for d in range(len(shape))])


def _rounded(size: int) -> int:
    """The next length with two bits behind its leading one."""
    step = 1 << max(size.bit_length() - 3, 0)
    return -(-size // step) * step
