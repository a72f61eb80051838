"""The connected pieces of a graph, those of one size stacked as dense matrices."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from grapevine.graph.measures import Undirected

_NUMBERS = 2**24  # of a stack: 128 MB


class Stack(NamedTuple):
    """Pieces of one size s: nodes [p, s], in their order, and adjacency [p, s, s] of ones and zeros."""

    nodes: np.ndarray
    adjacency: np.ndarray


def stacks(graph: Undirected, *, largest: int) -> Iterator[Stack]:
    """The pieces of two to `largest` nodes, some at a time.

    >>> from grapevine.graph.measures import undirected
    >>> from grapevine.graph import Adjacency
    >>> [stack.nodes.tolist() for stack in stacks(undirected(Adjacency([[0, 1], [3, 2]], num_nodes=5)), largest=9)]
    [[[0, 3], [1, 2]]]
    """
    if graph.num_nodes == 0:
        return
    sizes = np.bincount(graph.component)
    order = np.argsort(graph.component, kind="stable")
    first = sizes.cumsum() - sizes
    place = np.empty(graph.num_nodes, np.int64)  # of a node in its piece
    place[order] = np.arange(graph.num_nodes) - np.repeat(first, sizes)
    ends = np.repeat(np.arange(graph.num_nodes), graph.degree), graph.indices
    piece_of = graph.component[ends[0]]
    by_piece = np.argsort(piece_of, kind="stable")
    edges = np.concatenate([np.zeros(1, np.int64), np.bincount(piece_of, minlength=len(sizes)).cumsum()])
    for size in np.unique(sizes[(sizes > 1) & (sizes <= largest)]):
        pieces = np.flatnonzero(sizes == size)
        for some in np.array_split(pieces, -(-len(pieces) * size**2 // _NUMBERS)):
            nodes = order[first[some][:, None] + np.arange(size)]
            counts = edges[some + 1] - edges[some]
            starts = np.repeat(edges[some] - counts.cumsum() + counts, counts)
            mine = by_piece[starts + np.arange(counts.sum())]
            adjacency = np.zeros((len(some), size, size))
            adjacency[np.repeat(np.arange(len(some)), counts), place[ends[0][mine]], place[ends[1][mine]]] = 1
            yield Stack(nodes, adjacency)


def larger(graph: Undirected, largest: int) -> list[np.ndarray]:
    """The nodes of each piece of more than `largest` nodes.

    >>> from grapevine.graph.measures import undirected
    >>> from grapevine.graph import Adjacency
    >>> [nodes.tolist() for nodes in larger(undirected(Adjacency([[0, 1], [1, 2]], num_nodes=5)), 2)]
    [[0, 1, 2]]
    """
    sizes = np.bincount(graph.component) if graph.num_nodes else np.zeros(0, np.int64)
    return [np.flatnonzero(graph.component == piece) for piece in np.flatnonzero(sizes > largest)]
