"""Kept memory costs no page faults; tried in processes of their own, since nothing undoes it."""

import os
import platform
import subprocess
import sys

import pytest

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
