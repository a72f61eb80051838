"""Equal rows on the processor: a table by hashes (open addressing), in which rows of one hash are compared in full."""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.alike.reference import BITS
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array

_SHORT = 24  # a longer row is not sorted by insertion


def alike(rows: Tensor) -> tuple[Tensor, Tensor]:
    bits = as_array(rows.detach().contiguous().view(BITS[rows.element_size()]))
    assert bits is not None
    num_rows, columns = bits.shape
    starts = np.arange(num_rows + 1) * columns
    return _classes(starts, bits.reshape(-1))


def heard_alike(
    own: Tensor, starts: Tensor, place: Tensor, left_out: Tensor, colors: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rows = [as_array(tensor) for tensor in (own, starts, place, left_out, colors)]
    begins, items = _heard(*rows)
    of, first = _classes(begins, items)
    indptr, indices = _chosen(begins, items, as_array(first))
    return of, first, torch.from_numpy(indptr), torch.from_numpy(indices)


def _classes(starts: np.ndarray, items: np.ndarray) -> tuple[Tensor, Tensor]:
    num_rows = len(starts) - 1
    of, first = np.empty(num_rows, np.int32), np.empty(num_rows, np.int32)
    table = np.full(1 << max(2 * num_rows, 1).bit_length(), -1, np.int32)
    count = _number(starts, items, table, np.empty(num_rows, np.uint64), of, first)
    return torch.from_numpy(of), torch.from_numpy(first[:count])


@kernel
def _number(starts, items, table, hashes, of, first):
    """Number the rows items[starts[i] : starts[i + 1]]; hashes are those of the classes found."""
    count, last = 0, np.uint64(table.shape[0] - 1)
    for i in range(starts.shape[0] - 1):
        begin, length = starts[i], starts[i + 1] - starts[i]
        key = np.uint64(length)
        for p in range(begin, begin + length):
            key = (key ^ np.uint64(items[p])) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        slot = key & last
        while True:
            k = table[slot]
            if k < 0:
                table[slot], hashes[count], first[count], of[i] = count, key, i, count
                count += 1
                break
            if hashes[k] == key and _is_same(items, starts[first[k]], starts[first[k] + 1], begin, length):
                of[i] = k
                break
            slot = (slot + np.uint64(1)) & last
    return count


@kernel
def _is_same(items, begin, end, other, length):
    if end - begin != length:
        return False
    q = 0
    while q < length and items[begin + q] == items[other + q]:
        q += 1
    return q == length


@kernel
def _heard(own, starts, place, left_out, colors):
    """For each row its own class and, sorted, the classes it hears, behind one another; and where each row begins."""
    begins, total = np.empty(own.shape[0] + 1, np.int64), 0
    for i in range(own.shape[0]):
        begins[i] = total
        low, high = np.int64(starts[place[i]]), np.int64(starts[place[i] + 1])
        total += 1 + high - low - (low <= left_out[i] < high)
    begins[own.shape[0]] = total
    items = np.empty(total, np.int32)
    for i in range(own.shape[0]):
        first = begins[i] + 1
        items[first - 1], end = own[i], first
        for p in range(np.int64(starts[place[i]]), np.int64(starts[place[i] + 1])):
            if p != left_out[i]:
                items[end] = colors[p]
                end += 1
        if end - first > _SHORT:
            items[first:end].sort()
        else:
            _sort(items, first, end)
    return begins, items


@kernel
def _sort(items, first, end):
    for p in range(first + 1, end):
        value, q = items[p], p
        while q > first and items[q - 1] > value:
            items[q] = items[q - 1]
            q -= 1
        items[q] = value


@kernel
def _chosen(begins, items, rows):
    """Behind one another what those rows hear, and where each begins."""
    indptr = np.empty(rows.shape[0] + 1, np.int32)
    indptr[0] = 0
    for k in range(rows.shape[0]):
        indptr[k + 1] = indptr[k] + begins[rows[k] + 1] - begins[rows[k]] - 1
    indices = np.empty(indptr[rows.shape[0]], np.int32)
    for k in range(rows.shape[0]):
        begin = begins[rows[k]] + 1
        for q in range(indptr[k + 1] - indptr[k]):
            indices[indptr[k] + q] = items[begin + q]
    return indptr, indices
