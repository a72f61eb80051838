"""A graph as the tests of this room see it: numbers for what is known of its nodes and edges, equal where that is.

The numbers are ranks, so that they are the same whatever the numbering of nodes and edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.ops.alike import alike
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix

LIMIT = 2**27  # pairs, tuples or copied nodes and edges that a test may make: a gigabyte for each number they have


@dataclass(frozen=True, eq=False)
class Labelled:
    """The graphs of a batch, on the processor.

    Args:
        adj: all their edges.
        ptr: [g + 1] where each graph's nodes begin.
        node: [n] the label of each node, from 0 on.
        edge: [e] the label of each edge, from 0 on.
    """

    adj: Adjacency
    ptr: np.ndarray
    node: np.ndarray
    edge: np.ndarray

    @property
    def sizes(self) -> list[int]:
        return np.diff(self.ptr).tolist()

    @property
    def edge_ptr(self) -> np.ndarray:
        """[g + 1] where each graph's edges begin."""
        return self.adj.indptr.numpy()[self.ptr]


@dataclass(frozen=True, eq=False)
class Coloring:
    """What a test found: the colours of the nodes, and those whose multiset is the colour of a graph.

    Args:
        node: [n] the colour of each node.
        items: [m] the colours of the nodes once more, or of the tuples of nodes.
        ptr: [g + 1] where each graph's items begin.
    """

    node: np.ndarray
    items: np.ndarray
    ptr: np.ndarray


def labelled(graph: Graph, node: Sequence[str] | None, edge: Sequence[str]) -> Labelled:
    """The graph with the labels that its tensors of these names make; by default those of x and z that it has."""
    if not isinstance(graph, Graph):
        raise InputError(f"a Graph is expected, got {type(graph).__name__}: give Graph(edge_index, num_nodes=...)")
    graph = graph.to("cpu")
    names = [name for name in ("x", "z") if name in graph.node] if node is None else node
    of_node = [row_classes(_held(graph, "node", name)) for name in names]
    of_edge = [row_classes(_held(graph, "edge", name)) for name in edge]
    labels = together(of_node, graph.num_nodes), together(of_edge, graph.num_edges)
    return Labelled(graph.adj, graph.ptr.numpy(), *labels)


def together(labels: Sequence[Int[np.ndarray, " n"]], count: int) -> Int[np.ndarray, " n"]:
    """One label for several of each thing."""
    if len(labels) == 0:
        return np.zeros(count, np.int64)
    if len(labels) == 1:
        return labels[0]
    return row_classes(torch.from_numpy(np.stack(labels, axis=1)))


def row_classes(rows: Shaped[Tensor, "n *c"] | SparseMatrix) -> Int[np.ndarray, " n"]:
    """Which of the distinct rows, in their order, each one is. One zero, not two; NaN is NaN.

    >>> row_classes(torch.tensor([[2.0, 0.0], [1.0, 5.0], [2.0, -0.0]])).tolist()
    [1, 0, 1]
    """
    if isinstance(rows, SparseMatrix):
        return _sparse_classes(rows)
    flat = rows.detach().cpu().reshape(rows.shape[0], rows[0].numel() if rows.shape[0] else 0)
    if flat.numel() == 0:
        return np.zeros(rows.shape[0], np.int64)
    flat = flat.float() if flat.dtype in (torch.bfloat16, torch.float16) else flat
    known = alike(flat + 0.0 if flat.is_floating_point() else flat)
    order = np.lexsort(flat[known.first.long()].numpy().T[::-1])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[known.of.numpy()]


def multiset_classes(colors: Int[np.ndarray, " m"], ptr: Int[np.ndarray, " g+1"]) -> Int[np.ndarray, " g"]:
    """Which of the distinct multisets each one is: the colours ptr[k] .. ptr[k + 1] - 1.

    >>> multiset_classes(np.array([1, 2, 2, 1, 2]), np.array([0, 2, 4, 5])).tolist()
    [0, 0, 1]
    """
    owner = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
    ordered = colors.astype(">i8")[np.lexsort((colors, owner))]
    return _ranks([ordered[ptr[k] : ptr[k + 1]].tobytes() for k in range(len(ptr) - 1)])


def near_classes(values: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
    """Classes of numbers, in their order; a new one begins where the next number is larger by more than that."""
    order = np.argsort(values, axis=None, kind="stable")
    ordered = values.reshape(-1)[order]
    out = np.empty(len(order), np.int64)
    out[order] = np.cumsum(np.diff(ordered, prepend=ordered[:1]) > tolerance)
    return out.reshape(values.shape)


def pair_classes(graph: Labelled) -> list[Int[np.ndarray, "n n"]]:
    """For each graph what joins j to i, in row j and column i: 0 for nothing, else a number for the edges' labels."""
    src, dst = graph.adj.edge_index.numpy()
    order = np.lexsort((graph.edge, src, dst))
    src, dst, edge = src[order], dst[order], graph.edge[order]
    is_new = np.ones(len(src), bool)
    is_new[1:] = (np.diff(src) != 0) | (np.diff(dst) != 0)
    if not is_new.all():
        edge = multiset_classes(edge, np.append(np.flatnonzero(is_new), len(src)))
    src, dst = src[is_new], dst[is_new]
    starts = np.searchsorted(dst, graph.ptr)
    matrices = []
    for k, size in enumerate(graph.sizes):
        own, first = slice(starts[k], starts[k + 1]), graph.ptr[k]
        matrix = np.zeros((size, size), np.int64)
        matrix[src[own] - first, dst[own] - first] = edge[own] + 1
        matrices.append(matrix)
    return matrices


def complete(graph: Labelled, pairs: list[Int[np.ndarray, "n n"]]) -> tuple[Pattern, Tensor]:
    """Every node of a graph joined to every one, itself too, with the labels of the pairs [source, target]."""
    sizes = np.diff(graph.ptr)
    counts = np.repeat(sizes, sizes)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = ranges(np.repeat(graph.ptr[:-1], sizes), counts)
    labels = np.concatenate([matrix.T.reshape(-1) for matrix in pairs])
    return Pattern(torch.from_numpy(indptr), torch.from_numpy(indices), len(counts)), torch.from_numpy(labels)


def ranges(starts: Int[np.ndarray, " k"], counts: Int[np.ndarray, " k"]) -> Int[np.ndarray, " m"]:
    """starts[0], starts[0] + 1, ... counts[0] of them, and so on behind one another.

    >>> ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + counts, counts)


def check_size(test: str, count: int, what: str) -> None:
    """Raise an InputError where a test would make too many of something."""
    many = f"{test} would make {count:,} {what}, and at most {LIMIT:,} are allowed"
    check(count <= LIMIT, f"{many}: give a smaller graph or fewer graphs, or take another test, as 1-wl")


def _held(graph: Graph, level: str, name: str) -> Tensor | SparseMatrix:
    held = graph.node if level == "node" else graph.edge
    if name not in held:
        raise InputError(f"the graph holds no {level} tensor {name!r}, it holds {', '.join(held) or 'none'}")
    return held[name]


def _sparse_classes(rows: SparseMatrix) -> np.ndarray:
    matrix = rows.to_scipy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    indptr, indices, data = matrix.indptr, matrix.indices, matrix.data
    ends = zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)
    return _ranks([indices[a:b].tobytes() + b"|" + data[a:b].tobytes() for a, b in ends])


def _ranks(keys: list[bytes]) -> np.ndarray:
    rank = {key: k for k, key in enumerate(sorted(set(keys)))}
    return np.fromiter((rank[key] for key in keys), np.int64, len(keys))
