"""What all tests share."""

import os

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the workers share the cores; what is about threads sets their number itself


@pytest.fixture(autouse=True)
def _same_numbers_every_time():
    """Each test starts from the same seed, whatever ran before it."""
    torch.manual_seed(0)
