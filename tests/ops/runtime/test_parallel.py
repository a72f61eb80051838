"""Row sharing: every row once, whatever the number of threads; in a forked child; errors come out."""

import multiprocessing
import os
import threading

import numpy as np
import pytest
import torch

from grapevine.ops.runtime.parallel import as_array, as_scalars, share_rows

MUCH = 1 << 30  # work enough to wake the threads


@pytest.fixture(autouse=True)
def _threads_as_before():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def count_rows(num_rows: int, work: int) -> tuple[np.ndarray, set[int]]:
    """How often each row was computed, and by which threads."""
    counts, seen = np.zeros(num_rows, np.int64), set()

    def visit(begin, end, target):
        seen.add(threading.get_ident())
        target[begin:end] += 1

    share_rows(visit, num_rows, counts, work=work)
    return counts, seen


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("num_rows", [0, 1, 2, 7, 191, 192, 193, 10_000])
def test_every_row_once(threads, num_rows):
    torch.set_num_threads(threads)
    counts, seen = count_rows(num_rows, MUCH)
    assert (counts == 1).all()
    assert len(seen) <= threads


def test_small_work_stays_on_the_calling_thread():
    torch.set_num_threads(2)
    counts, seen = count_rows(1000, work=1000)
    assert (counts == 1).all()
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2])
def test_errors_come_out_and_later_calls_work(threads):
    torch.set_num_threads(threads)

    def fail(begin, end):
        raise ArithmeticError("row trouble")

    for _ in range(3):
        with pytest.raises(ArithmeticError, match="row trouble"):
            share_rows(fail, 1000, work=MUCH)
    assert (count_rows(1000, MUCH)[0] == 1).all()


def _child(results) -> None:
    results.put(int(count_rows(1000, MUCH)[0].sum()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_threads_of_its_own():
    torch.set_num_threads(2)
    count_rows(1000, MUCH)  # the parent has its threads now
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_child, args=(results,))
    child.start()
    assert results.get(timeout=60) == 1000
    child.join(timeout=60)
    assert child.exitcode == 0


def test_arrays_share_the_memory_of_their_tensors():
    for dtype, seen in (
        (torch.float32, np.float32), (torch.int64, np.int64), (torch.bfloat16, np.uint16), (torch.float16, np.int16),
    ):  # fmt: skip
        tensor = torch.ones(3, 4).to(dtype)
        array = as_array(tensor)
        assert (array.shape, array.dtype, array.ctypes.data) == ((3, 4), seen, tensor.data_ptr())
    assert as_array(torch.ones(3, 4, requires_grad=True).T).flags.c_contiguous
    assert as_array(None) is None
    assert as_scalars(None) is None
    assert as_scalars(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float32
