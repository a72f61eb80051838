"""Batches of about equally many edges: the time and memory of a step go with edges, not with structures."""

import heapq

import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.errors import check


def edge_batches(
    num_edges: Int[Tensor, " g"], max_edges: int, generator: torch.Generator | None = None
) -> list[Int[Tensor, " k"]]:
    """The numbers of the structures in batches, every structure in one, in random order.

    A batch has at most `max_edges` edges, but for a structure that has more by itself and is then alone; there are as
    few batches as that takes, or nearly, and their edges are nearly equal. A structure without edges counts as one.

    Raises:
        InputError: if max_edges is not a positive number.

    >>> sizes = torch.tensor([10, 20, 30, 40, 100])
    >>> batches = edge_batches(sizes, 60, torch.Generator().manual_seed(0))
    >>> sorted(int(sizes[batch].sum()) for batch in batches), torch.cat(batches).sort().values.tolist()
    ([50, 50, 100], [0, 1, 2, 3, 4])
    """
    check(max_edges > 0, f"max_edges must be a positive number of edges, got {max_edges!r}")
    sizes = num_edges.clamp(min=1)
    order = torch.randperm(len(sizes), generator=generator)
    large, order = order[sizes[order] > max_edges], order[sizes[order] <= max_edges]
    batches = [[number] for number in large.tolist()]
    if len(order):
        batches += _shared_out(order.tolist(), sizes[order].tolist(), max_edges)
    return [torch.tensor(batches[k]) for k in torch.randperm(len(batches), generator=generator).tolist()]


def _shared_out(numbers: list[int], sizes: list[int], max_edges: int) -> list[list[int]]:
    """Each to the batch that has least, with as many batches as keep all within the bound."""
    count = -(-sum(sizes) // max_edges)
    while True:
        heap = [(0, k) for k in range(count)]
        batches: list[list[int]] = [[] for _ in range(count)]
        for number, size in zip(numbers, sizes, strict=True):
            load, k = heapq.heappop(heap)
            batches[k].append(number)
            heapq.heappush(heap, (load + size, k))
        if max(heap)[0] <= max_edges:
            return [batch for batch in batches if batch]
        count += max(1, count // 50)
