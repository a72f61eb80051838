"""Pairs within a distance on the processor: points sorted into boxes, each looking at its own and the boxes around.

A graph of few points is one box. The boxes along the last axis stand behind one another, so that a point looks through
nine runs of points and not 27.
"""

import numpy as np
import torch
from torch import Tensor

from grapevine.ops.group import index_dtype
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array, share_rows

_ONE_BOX = 200  # points of a graph below which boxes gain nothing
_WORK = 60  # numbers read for each point, roughly, where there are boxes
_WIDER = 1 + 1e-9  # boxes are wider than the cut-off by more than rounding


def radius_pairs(pos: Tensor, starts: Tensor, cutoff: float) -> tuple[Tensor, Tensor]:
    place, ptr = as_array(pos.double()), as_array(starts.long())
    assert place is not None
    assert ptr is not None
    num_points, num_graphs = len(place), len(ptr) - 1
    low, scale = np.zeros((num_graphs, 3)), np.zeros(num_graphs)
    shape = np.ones((num_graphs, 3), np.int64)
    _lay_boxes(place, ptr, cutoff * _WIDER, low, scale, shape)
    first_box = np.concatenate([np.zeros(1, np.int64), shape.prod(1).cumsum()])
    graph_of, box_of = np.empty(num_points, np.int64), np.empty(num_points, np.int64)
    begins, members = np.zeros(first_box[-1] + 1, np.int64), np.empty(num_points, np.int64)
    _sort_into_boxes(place, ptr, low, scale, shape, first_box, graph_of, box_of, begins, members)
    boxes = graph_of, box_of, first_box, shape, begins, members
    indptr = np.zeros(num_points + 1, np.int64)
    work = int((np.diff(ptr).clip(max=_WORK * 10) * np.diff(ptr)).sum())
    share_rows(_near, num_points, place, *boxes, cutoff * cutoff, indptr, None, work=work)
    np.cumsum(indptr, out=indptr)
    dtype = index_dtype(num_points + 1, int(indptr[-1]))
    indices = np.empty(int(indptr[-1]), np.int32 if dtype == torch.int32 else np.int64)
    share_rows(_near, num_points, place, *boxes, cutoff * cutoff, indptr, indices, work=work)
    return torch.from_numpy(indptr).to(dtype), torch.from_numpy(indices)


def squared_lengths(pos: Tensor, src: Tensor, dst: Tensor, shift: Tensor | None, cells: Tensor | None) -> Tensor:
    out = np.empty(len(src))
    is_one = cells is not None and cells.stride(0) == 0  # one cell of all points
    kept = None if cells is None else as_array(cells[:1].double() if is_one else cells.double())
    arrays = as_array(pos.double()), as_array(src), as_array(dst), as_array(shift), kept
    share_rows(_lengths, len(src), *arrays, is_one, out, work=8 * len(src))
    return torch.from_numpy(out)


@kernel
def _lay_boxes(place, ptr, side, low, scale, shape):
    """Where the boxes of each graph begin, one over how wide they are, and how many there are: not more than points."""
    for g in range(ptr.shape[0] - 1):
        begin, end = ptr[g], ptr[g + 1]
        if end - begin < _ONE_BOX:
            continue
        high = place[begin].copy()
        low[g] = high
        for i in range(begin, end):
            for d in range(3):
                low[g, d] = min(low[g, d], place[i, d])
                high[d] = max(high[d], place[i, d])
        width = side
        for _ in range(500):
            count = 1.0
            for d in range(3):
                count *= np.floor((high[d] - low[g, d]) / width) + 1.0
            if count <= end - begin:
                scale[g] = 1.0 / width
                for d in range(3):
                    shape[g, d] = np.int64((high[d] - low[g, d]) / width) + 1
                break
            width *= 1.25


@kernel
def _sort_into_boxes(place, ptr, low, scale, shape, first_box, graph_of, box_of, begins, members):
    """A counting sort of the points by box; within a box they keep their order."""
    for g in range(ptr.shape[0] - 1):
        for i in range(ptr[g], ptr[g + 1]):
            box = np.int64(0)
            for d in range(3):
                k = np.int64((place[i, d] - low[g, d]) * scale[g])
                box = box * shape[g, d] + min(k, shape[g, d] - 1)
            graph_of[i], box_of[i] = g, first_box[g] + box
            begins[first_box[g] + box + 1] += 1
    for b in range(begins.shape[0] - 1):
        begins[b + 1] += begins[b]
    free = begins.copy()
    for i in range(place.shape[0]):
        members[free[box_of[i]]] = i
        free[box_of[i]] += 1


@kernel
def _near(begin, end, place, graph_of, box_of, first_box, shape, begins, members, limit, indptr, indices):
    """Without `indices` count the pairs of point i at indptr[i + 1], with them write whom it hears at indptr[i]."""
    for i in range(begin, end):
        g = graph_of[i]
        ny, nz = shape[g, 1], shape[g, 2]
        box, base = box_of[i] - first_box[g], first_box[g]
        bx, by, bz = box // (ny * nz), box // nz % ny, box % nz
        x, y, z = place[i, 0], place[i, 1], place[i, 2]
        count = np.int64(0)
        for ax in range(max(bx - 1, 0), min(bx + 2, shape[g, 0])):
            for ay in range(max(by - 1, 0), min(by + 2, ny)):
                run = base + (ax * ny + ay) * nz
                for p in range(begins[run + max(bz - 1, 0)], begins[run + min(bz + 2, nz)]):
                    j = members[p]
                    dx, dy, dz = place[j, 0] - x, place[j, 1] - y, place[j, 2] - z
                    if dx * dx + dy * dy + dz * dz < limit and j != i:
                        if indices is not None:
                            indices[indptr[i] + count] = j
                        count += 1
        if indices is None:
            indptr[i + 1] = count
        elif shape[g, 0] * ny * nz > 1:
            _sort(indices, indptr[i], indptr[i] + count)


@kernel
def _sort(items, first, end):
    """By insertion: what comes in is at most nine runs, each nearly in order."""
    for p in range(first + 1, end):
        value, q = items[p], p
        while q > first and items[q - 1] > value:
            items[q] = items[q - 1]
            q -= 1
        items[q] = value


@kernel
def _lengths(begin, end, place, src, dst, shift, cells, is_one, out):
    for e in range(begin, end):
        j, i = np.int64(src[e]), np.int64(dst[e])
        total = 0.0
        for d in range(3):
            part = place[j, d] - place[i, d]
            if cells is not None:
                k = np.int64(0) if is_one else i
                for s in range(3):
                    part += shift[e, s] * cells[k, s, d]
            total += part * part
        out[e] = total
