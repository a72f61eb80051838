"""Shares the rows of a kernel out among threads: `torch.get_num_threads()` of them, in chunks, idle threads first.

A row is computed by one thread from start to end, so the bits do not depend on how many threads there are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

_SMALL = 1 << 19  # numbers read; below it, waking a thread costs more than it saves
_CHUNKS_PER_THREAD = 24
_BITS = {torch.bfloat16: torch.uint16, torch.float16: torch.int16}
_pool: ThreadPoolExecutor | None = None


def as_array(tensor: Tensor | None) -> np.ndarray | None:
    """The tensor's own memory as a contiguous NumPy array; bfloat16 and float16 as their bits."""
    if tensor is None:
        return None
    plain = tensor.detach().contiguous()
    return plain.view(_BITS.get(plain.dtype, plain.dtype)).numpy()


def as_scalars(tensor: Tensor | None) -> np.ndarray | None:
    """The same, for a tensor whose numbers a kernel uses one by one: bfloat16 and float16 as float32."""
    return as_array(tensor.float() if tensor is not None and tensor.dtype in _BITS else tensor)


def share_rows(kernel: Callable, num_rows: int, *arguments: object, work: int) -> None:
    """Run `kernel(begin, end, *arguments)` over all rows; `work` is about how many numbers that reads."""
    threads = torch.get_num_threads()
    if threads == 1 or work < _SMALL or num_rows < 2:
        kernel(0, num_rows, *arguments)
        return
    chunk = max(1, -(-num_rows // (threads * _CHUNKS_PER_THREAD)))
    share_chunks(kernel, range(0, num_rows, chunk), num_rows, chunk, arguments)


def share_chunks(kernel: Callable, starts: range, num_rows: int, chunk: int, arguments: tuple) -> None:
    """Run the kernel on each chunk of rows; idle threads take the next one."""
    waiting = iter(starts)  # a range's iterator hands each start to one thread only

    def work() -> None:
        for begin in waiting:
            kernel(begin, min(begin + chunk, num_rows), *arguments)

    pool = _threads()
    others = [pool.submit(work) for _ in range(min(torch.get_num_threads(), len(starts)) - 1)]
    work()
    for other in others:
        other.result()


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 1)), thread_name_prefix="grapevine")
    return _pool


def _forget_threads() -> None:
    global _pool
    _pool = None  # a forked child has no threads but its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
