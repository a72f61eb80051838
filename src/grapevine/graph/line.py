"""Which edges an edge hears when it does not turn back: the line graph without the way back.

the row of edge v -> w holds the edges k -> v, all but w -> v
"""

import torch
from torch import Tensor

from grapevine.graph.adjacency import Adjacency, kept
from grapevine.graph.reverse import reverse_edges
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern


@kept
def num_turns(adj: Adjacency) -> int:
    """How many entries `line_pattern` has: for each edge those into its source, but one. A hub has very many."""
    return int((adj.in_degree * adj.out_degree).sum()) - adj.num_edges


@kept
def line_pattern(adj: Adjacency) -> Pattern:
    """Rows and columns are the edges of an undirected graph; the other direction is that of `reverse_edges`.

    It is made in time linear in its entries, and kept with the adjacency.

    Raises:
        InputError: naming an edge that lacks its other direction.

    >>> line_pattern(Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]])).indptr.tolist()  # 0 - 1 - 2; edge 2 -> 1 comes fourth
    [0, 1, 1, 1, 2]
    """
    pattern, reverse = adj.pattern, reverse_edges(adj)
    first, src = pattern.indptr[:-1], pattern.indices
    counts = pattern.indptr.diff()[src] - 1
    ends = counts.cumsum(0)
    num_entries = int(ends[-1]) if adj.num_edges else 0
    dtype = index_dtype(adj.num_edges + 1, num_entries)
    row = torch.arange(adj.num_edges, device=adj.device).repeat_interleave(counts, output_size=num_entries)
    shift = first[src] - (ends - counts)  # from an entry's place to the edge it stands for
    edge = torch.arange(num_entries, device=adj.device) + shift[row]
    edge += edge >= reverse[row]  # one is left out
    return Pattern.trusted(_starts(ends, dtype), edge.to(dtype), adj.num_edges)


def _starts(ends: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.nn.functional.pad(ends, (1, 0)).to(dtype)
