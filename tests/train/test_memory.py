"""Peak memory: that of what is made and freed while something runs."""

import subprocess
import sys

import pytest
import torch

from grapevine.train.memory import CAN_MEASURE_MEMORY, peak_growth, with_peak

CODE = """
import torch
from grapevine.train.memory import peak_growth

def work():
    torch.ones({mb} << 18).sum()  # is freed before the end

print(peak_growth(work))
"""


@pytest.mark.skipif(not CAN_MEASURE_MEMORY, reason="needs /proc")
@pytest.mark.parametrize("mb", [64, 256])
def test_the_growth_is_that_of_what_was_freed_again(mb):
    """In a fresh process, which holds no freed blocks."""
    done = subprocess.run([sys.executable, "-c", CODE.format(mb=mb)], capture_output=True, text=True, check=True)
    assert mb << 20 <= int(done.stdout) < (mb + 16) << 20


def test_the_result_comes_with_the_peak_or_none():
    result, memory = with_peak(lambda: torch.ones(1 << 20))
    assert result.sum() == 1 << 20
    assert (memory is not None) == CAN_MEASURE_MEMORY
    assert with_peak(lambda: 3, torch.device("mps")) == (3, None)


@pytest.mark.skipif(not CAN_MEASURE_MEMORY, reason="needs /proc")
def test_an_error_goes_through():
    with pytest.raises(ZeroDivisionError):
        peak_growth(lambda: 1 / 0)
