"""Some graphs of a batch as a batch of their own, without a loop over graphs or edges.

Graph k owns the nodes ptr[k] .. ptr[k + 1] - 1 and, the edges being sorted by target, one range of edges too; the new
batch is these ranges behind one another, each number in them moved by as much as its graph was.
"""

from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.graph.adjacency import Adjacency
from grapevine.graph.graph import Graph
from grapevine.graph.levels import Level, Tensors
from grapevine.ops.pattern import Pattern, check_bounds
from grapevine.ops.sparse import SparseMatrix


@torch.inference_mode(False)
def take(graph: Graph, ids: Int[Tensor, " k"]) -> Graph:
    """The graphs of a batch with these numbers, in this order; a graph may come twice.

    The same as `Graph.batch([graph.unbatch()[k] for k in ids])`, in the time of a few copies.

    Raises:
        InputError: if there is no graph of one of these numbers.

    >>> batch = Graph.batch([Graph([[0], [1]], x=torch.full((n, 1), float(n))) for n in (2, 3, 4)])
    >>> part = take(batch, torch.tensor([2, 0]))
    >>> part
    Graph(2 graphs, 6 nodes, 2 edges; node: x [6, 1])
    >>> part.adj.edge_index.tolist(), part.x[4].item()
    ([[0, 4], [1, 5]], 2.0)
    """
    check_tensor("ids", ids, ndim=1, dtypes=(torch.int64, torch.int32))
    check_bounds("ids", ids, graph.num_graphs, "graphs")
    ids = ids.long()
    pattern = graph.adj.pattern
    first, last = graph.ptr[ids], graph.ptr[ids + 1]
    nodes = _ranges(first, last)
    edges = _ranges(pattern.indptr[first].long(), pattern.indptr[last].long())
    moved = nodes.moved.to(pattern.indices.dtype)
    indices = pattern.indices[edges.places].sub_(moved.repeat_interleave(edges.counts, output_size=len(edges.places)))
    part = Pattern.trusted(_row_starts(pattern.indptr, nodes, edges), indices, len(nodes.places))
    edge_id = graph.adj.edge_id[edges.places].sub_(edges.spread(edges.moved))
    tensors = _rows(graph, {"node": nodes.places, "edge": edges.places, "graph": ids}, nodes, (first, last))
    return Graph._made(Adjacency.trusted(part, edge_id), tensors, nodes.ptr)


class _Ranges(NamedTuple):
    """Ranges behind one another: how long each is, where each begins now, how far it moved, all places in them."""

    counts: Tensor
    ptr: Tensor
    moved: Tensor
    places: Tensor

    def spread(self, values: Tensor) -> Tensor:
        """The value of its range for each place."""
        return values.repeat_interleave(self.counts, output_size=len(self.places))


def _ranges(begin: Tensor, end: Tensor) -> _Ranges:
    counts = end - begin
    new = torch.zeros(len(begin) + 1, dtype=torch.int64, device=begin.device)
    torch.cumsum(counts, 0, out=new[1:])
    total, moved = int(new[-1]), begin - new[:-1]
    places = torch.arange(total, device=begin.device).add_(moved.repeat_interleave(counts, output_size=total))
    return _Ranges(counts, new, moved, places)


def _row_starts(indptr: Tensor, rows: _Ranges, entries: _Ranges) -> Tensor:
    """[rows + 1] where the entries of each row begin."""
    out = indptr.new_empty(len(rows.places) + 1)
    torch.sub(indptr[rows.places], rows.spread(entries.moved.to(indptr.dtype)), out=out[:-1])
    out[-1] = len(entries.places)
    return out


def _rows(graph: Graph, places: dict[Level, Tensor], nodes: _Ranges, ends: tuple[Tensor, Tensor]) -> Tensors:
    tensors: Tensors = {}
    for level, held in graph._tensors.items():
        tensors[level] = {
            name: _sparse_rows(tensor, nodes, ends)
            if isinstance(tensor, SparseMatrix)
            else tensor.index_select(0, places[level])
            for name, tensor in held.items()
        }
    return tensors


def _sparse_rows(matrix: SparseMatrix, nodes: _Ranges, ends: tuple[Tensor, Tensor]) -> SparseMatrix:
    pattern = matrix.pattern
    entries = _ranges(*(pattern.indptr[end].long() for end in ends))
    indptr = _row_starts(pattern.indptr, nodes, entries)
    rows = Pattern.trusted(indptr, pattern.indices[entries.places], pattern.num_cols)
    values = matrix.values if pattern.entry is None else matrix.values[pattern.entry]
    return SparseMatrix(rows, values[entries.places])
