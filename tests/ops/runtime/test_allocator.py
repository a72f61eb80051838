"""Kept memory costs no page faults; tried in processes of their own, since nothing undoes it."""

import os
import platform
import subprocess
import sys

import pytest

from grapevine.ops.runtime.allocator import _rounded

# The page faults of five tensors of 64 MB, before and after; kept memory needs a few rounds to settle.
SCRIPT = """
import resource
import torch
from grapevine.ops.runtime.allocator import keep_memory

torch.set_num_threads(1)

def faults(rounds):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        torch.ones(16 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(1)
before = faults(5)
kept = keep_memory()
faults(20)
print(kept, before, faults(5))
"""


def run(**environment: str) -> tuple[str, int, int]:
    """Whether memory is kept, and the faults before and after asking for it."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    kept, before, after = done.stdout.split()
    return kept, int(before), int(after)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can keep memory")
def test_kept_memory_costs_no_faults():
    kept, before, after = run(GRAPEVINE_ALLOCATOR="")
    assert kept == "True"
    assert after < before / 10


def test_the_system_allocator_stays_when_asked():
    kept, before, after = run(GRAPEVINE_ALLOCATOR="system")
    assert kept == "False"
    assert after > before / 2


POOL = """
import torch
from grapevine.ops.runtime import allocator

assert not allocator.is_pooled((1 << 20,), torch.float32)
assert allocator.keep_memory()
a = allocator.empty((1 << 20,), torch.bfloat16)
assert a.shape == (1 << 20,) and a.dtype == torch.bfloat16 and not a._is_view()
place = a.data_ptr()
view = a[5:]
del a
b = allocator.empty((1 << 10, 1 << 10), torch.bfloat16)
assert b.data_ptr() != place, "a block came back while a view of it lived"
assert b.stride() == (1 << 10, 1)
del view
assert allocator.empty((1 << 20,), torch.bfloat16).data_ptr() == place
for size in range(1 << 20, 1 << 23, 1 << 12):  # an idle block that nobody asks for is unmapped
    allocator.empty((size,), torch.uint8)
assert sum(len(idle) for idle in allocator._pool.idle.values()) < 13
"""


def test_blocks_come_back_when_their_tensors_die():
    environment = {key: value for key, value in os.environ.items() if key != "GRAPEVINE_ALLOCATOR"}
    subprocess.run([sys.executable, "-c", POOL], check=True, env=environment)


def test_lengths_are_rounded_to_four_a_doubling():
    assert [_rounded(size) for size in (1024, 1025, 1280, 1281, 2047)] == [1024, 1280, 1280, 1536, 2048]
