"""How much memory a piece of work takes at its peak.

growth = the most that was resident while it ran - what was resident before; on a GPU what its allocator gave out

What a process holds it may not give back: the pool of `grapevine.ops.runtime.allocator` and the C library keep freed
blocks for the next result. So the growth is that of the work alone where the process is a fresh one.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from grapevine.errors import check

Result = TypeVar("Result")
_FORGET_PEAK = Path("/proc/self/clear_refs")  # Linux
CAN_MEASURE_MEMORY = os.access(_FORGET_PEAK, os.W_OK)


def peak_growth(run: Callable[[], object]) -> int:
    """By how many bytes the resident memory of this process grew at its peak while `run` ran.

    Raises:
        InputError: where it can not be measured: not on Linux, or /proc can not be written to.

    >>> CAN_MEASURE_MEMORY is False or peak_growth(lambda: None) < 1 << 20
    True
    """
    check(CAN_MEASURE_MEMORY, "the peak memory of a process can be measured on Linux, where /proc can be written to")
    before = _resident("VmRSS")
    _FORGET_PEAK.write_text("5")
    run()
    return _resident("VmHWM") - before


def with_peak(run: Callable[[], Result], device: torch.device | str = "cpu") -> tuple[Result, int | None]:
    """What `run` gives, and the bytes it took at its peak beyond what was there before; None if that is not known.

    Args:
        device: where it computes; of a GPU the memory of PyTorch's allocator there counts, else that of this process.

    >>> with_peak(lambda: "done")[0]
    'done'
    """
    device = torch.device(device)
    results: list[Result] = []
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        results.append(run())
        return results[0], torch.cuda.max_memory_allocated(device) - before
    if device.type != "cpu" or not CAN_MEASURE_MEMORY:
        return run(), None
    growth = peak_growth(lambda: results.append(run()))
    return results[0], max(growth, 0)


def _resident(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    match = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    assert match is not None, f"/proc/self/status has no {field}"
    return int(match[1]) * 1024
