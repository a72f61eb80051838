"""Splits by time: the earlier items teach, the later ones choose, the latest judge."""

import torch
from jaxtyping import Shaped
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.data.split.split import Split, check_shares, is_known
from grapevine.errors import check

_NUMBERS = (torch.int64, torch.int32, torch.float64, torch.float32)


def time_split(
    time: Shaped[Tensor, " n"], *, train: float = 0.6, val: float = 0.2, y: Shaped[Tensor, "n *t"] | None = None
) -> Split:
    """About these shares of the items, in the order of their time, teach and choose; the later ones judge.

    Items of one time are in one part: the cuts are those between two times that come nearest to the shares, with
    one time at least in each part that has a share. No seed: nothing is drawn.

    Args:
        time: any number that grows with time; an item whose time is NaN is in no part.
        y: the answers; an item without one (-1, NaN) is in no part.

    Raises:
        InputError: if a share is wrong or there are fewer times than parts.

    >>> time_split(torch.tensor([2001, 2003, 2003, 2002, 2005]))
    Split(2 train, 2 val, 1 test)
    """
    check_tensor("time", time, ndim=1, dtypes=_NUMBERS)
    known = ~time.isnan()
    if y is not None:
        check_rows("y", y, len(time), "items")
        known &= is_known(y)
    first_val, first_test = cut_times(time[known], train, val)
    is_train, is_late = known & (time < first_val), known & (time >= first_test)
    return Split(is_train, known & ~is_train & ~is_late, is_late)


def cut_times(time: Shaped[Tensor, " n"], train: float, val: float) -> tuple[float, float]:
    """The time from which on items choose, and the one from which on they judge; infinite if none do."""
    check_shares(train, val)
    check(len(time) > 0, "there is no item of known time to split")
    times, counts = time.unique(return_counts=True)
    ends = counts.cumsum(0).double() / len(time)  # the share of the items up to each time
    has_test = train + val < 1 - 1e-9
    num_parts = 1 + (val > 0) + has_test
    check(len(times) >= num_parts, f"{len(times)} different times are too few for {num_parts} parts")
    last_train = len(times) - 1 if num_parts == 1 else _nearest(ends, train, 0, len(times) - num_parts)
    last_val = last_train
    if val > 0:
        last_val = _nearest(ends, train + val, last_train + 1, len(times) - 2) if has_test else len(times) - 1
    after = [*times.tolist(), float("inf")]
    return after[last_train + 1], after[last_val + 1]


def _nearest(ends: Tensor, share: float, low: int, high: int) -> int:
    """The place in low .. high whose end is nearest to the share."""
    return low + int((ends[low : high + 1] - share).abs().argmin())
