"""Lists of neighbours that grow and shrink inside kernels: rows in one pool, moved to its end when they are full.

lists = (start, length, room, pool, [end]),  the neighbours of node i: pool[start[i] : start[i] + length[i]]
"""

import numpy as np

from grapevine.graph.measures.undirected import Undirected
from grapevine.ops.runtime.kernel import kernel

Lists = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def neighbour_lists(graph: Undirected, num_added: int) -> Lists:
    """The lists of a graph, with room for so many more edges.

    >>> from grapevine.graph.measures import undirected
    >>> import torch
    >>> lists = neighbour_lists(undirected(torch.tensor([[0], [1]])), 1)
    >>> lists[1].tolist(), has_edge(lists, 0, 1)
    ([1, 1], True)
    """
    length = graph.degree.astype(np.int64).copy()
    end = np.array([len(graph.indices)])
    pool = np.empty(6 * (len(graph.indices) + 2 * num_added) + 4 * num_added + 4, np.int64)
    pool[: end[0]] = graph.indices
    return graph.indptr[:-1].astype(np.int64).copy(), length, length.copy(), pool, end


@kernel
def has_edge(lists, i, j):
    """Whether two nodes are neighbours."""
    start, length, _, pool, _ = lists
    if length[j] < length[i]:
        i, j = j, i
    return (pool[start[i] : start[i] + length[i]] == j).any()


@kernel
def place_edge(lists, i, j):
    """Make two strangers neighbours."""
    _put(lists, i, j)
    _put(lists, j, i)


@kernel
def drop_edge(lists, i, j):
    """Make two neighbours strangers."""
    _take(lists, i, j)
    _take(lists, j, i)


@kernel
def _put(lists, i, j):
    start, length, room, pool, end = lists
    if length[i] == room[i]:  # move the row, to twice the room: all rows together take less than six times their length
        new = end[0]
        for p in range(length[i]):
            pool[new + p] = pool[start[i] + p]
        room[i] = 2 * length[i] + 1
        start[i] = new
        end[0] += room[i]
    pool[start[i] + length[i]] = j
    length[i] += 1


@kernel
def _take(lists, i, j):
    start, length, _, pool, _ = lists
    for p in range(start[i], start[i] + length[i]):
        if pool[p] == j:
            pool[p] = pool[start[i] + length[i] - 1]
            length[i] -= 1
            return
