"""How things are measured: calls in turn, medians of several, the copy bandwidth, and peak memory.

Every measurement is made in a process of its own. As the C library comes, it returns large blocks of memory to the
system after each operation; `keep_memory`, which Grapevine's training loop calls, makes the whole process hold on to
them. So each call is timed both ways.
"""

import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import ParamSpec, TypeVar

import torch

from grapevine.ops.runtime.allocator import keep_memory
from grapevine.train.memory import CAN_MEASURE_MEMORY, peak_growth

__all__ = ["CAN_MEASURE_MEMORY", "Scale", "Seconds", "both_ways", "copy_bandwidth", "in_turn", "peak_growth"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["benchmarks.epochs"])  # a new process has all modules at once


@dataclass(frozen=True)
class Scale:
    """How large a run is."""

    share: float  # of the arxiv-shaped graph
    long_rounds: int  # that are counted, of calls that take seconds
    short_rounds: int
    threads: int

    @property
    def is_full(self) -> bool:
        return self.share == 1

    def fresh(self, function: Callable[_P, _R], *arguments: _P.args, **options: _P.kwargs) -> _R:
        """What the function returns in a new process."""
        set_threads = {"initializer": torch.set_num_threads, "initargs": (self.threads,)}
        with ProcessPoolExecutor(1, mp_context=_PROCESSES, **set_threads) as pool:
            return pool.submit(function, *arguments, **options).result()


@dataclass(frozen=True)
class Seconds:
    """Median seconds of a call with the plain allocator, and with memory kept."""

    plain: float
    kept: float

    @property
    def best(self) -> float:
        return min(self.plain, self.kept)


def in_turn(calls: Mapping[str, Callable[[], object]], rounds: int, *, are_warm: bool = False) -> dict[str, float]:
    """Median seconds of each call: they run in turn, round after round, after one that is not counted unless warm."""
    times = {name: [] for name in calls}
    uncounted = 0 if are_warm else 1
    for _ in range(uncounted + rounds):
        for name, call in calls.items():
            begin = perf_counter()
            call()
            times[name].append(perf_counter() - begin)
    return {name: median(seconds[uncounted:]) for name, seconds in times.items()}


def both_ways(calls: Mapping[str, Callable[[], object]], rounds: int, *, are_warm: bool = False) -> dict[str, Seconds]:
    """The same with the plain allocator and then with memory kept, which it stays in this process."""
    plain = in_turn(calls, rounds, are_warm=are_warm)
    keep_memory()
    kept = in_turn(calls, rounds)
    return {name: Seconds(plain[name], kept[name]) for name in calls}


def copy_bandwidth() -> float:
    """Bytes read and written a second by a copy of 256 MB."""
    source = torch.ones(64 << 20)
    target = torch.empty_like(source)
    return 2 * 4 * source.numel() / in_turn({"copy": lambda: target.copy_(source)}, 5)["copy"]
