"""DropMessage: every number of every message is dropped on its own (Fang et al. 2023).

m_ij = h_j z_ij / (1 - p),  z_ij a vector of zeros (with probability p) and ones, another one for each edge

T. Fang, Z. Xiao, C. Wang, J. Xu, X. Yang and Y. Yang, "DropMessage: unifying random dropping for graph neural
networks", AAAI 2023. The messages are held one by one, so a training step takes memory for edges times channels.
"""

from typing import cast

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gcn import GCNConv
from grapevine.nn.conv.gin import GINConv
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, ends_of
from grapevine.nn.conv.matrix import edge_numbers, gcn_matrix, weighed_edges
from grapevine.nn.conv.sage import SAGEConv
from grapevine.nn.linear import linear
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class DropMessage(Conv):
    """A convolution whose messages are dropped out in training, itself a convolution (Fang et al. 2023).

    Args:
        conv: a GCNConv, whose messages are W h_j, or a SAGEConv or GINConv, whose messages are h_j. Others make of a
            message what could not be said here.
        p: the share of the numbers.

    >>> layer = DropMessage(GCNConv(3, 4), 0.5).eval()
    >>> layer(torch.ones(2, 3), torch.tensor([[0], [1]])).shape
    torch.Size([2, 4])
    """

    def __init__(self, conv: Conv, p: float):
        super().__init__()
        check(isinstance(p, int | float) and 0 <= p < 1, f"p is a share, 0 or more and below 1, got {p!r}")
        if not isinstance(conv, (GCNConv, SAGEConv, GINConv)):
            raise InputError(f"DropMessage knows GCNConv, SAGEConv and GINConv, not {type(conv).__name__}")
        self.conv, self.p, self.bias, self.normalize = conv, p, None, conv.normalize

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        out = self._heard(x, adj, edge)
        return out if self.conv.bias is None else out + self.conv.bias

    def _heard(self, x: Ends, adj: Edges, edge: Tensor | None) -> Tensor:
        if not self.training or self.p == 0:
            return cast(Conv, self.conv).combine(x, adj, edge)
        if isinstance(self.conv, GCNConv):
            return self._of_gcn(self.conv, x, adj, edge)
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "DropMessage")
        message = epilogue(gather(adjacency.pattern, x_src), dropout=self.p)
        return cast(Conv, self.conv).combine((message, x_dst), _one_source_an_edge(adjacency), edge)

    def _of_gcn(self, conv: GCNConv, x: Ends, adj: Edges, edge: Tensor | None) -> Tensor:
        if isinstance(x, tuple):
            raise InputError("DropMessage of a GCNConv takes one set of nodes, not a pair of states")
        states, _, adjacency = ends_of(x, adj)
        said = linear(states, conv.lin.fitted(states))
        looped, edge = weighed_edges(adj, adjacency, edge, add_self_loops=conv.add_self_loops)
        weight = edge_numbers(gcn_matrix(looped, edge, said.dtype))
        message = epilogue(gather(looped.pattern, said), dropout=self.p)
        return segment_reduce(looped.pattern, weight.unsqueeze(1) * message, reduce="sum")

    def extra_repr(self) -> str:
        return f"p={self.p}"


def _one_source_an_edge(adjacency: Adjacency) -> Adjacency:
    """The same targets, each edge with a source of its own: what it carries."""
    pattern, count = adjacency.pattern, adjacency.num_edges
    places = torch.arange(count, dtype=pattern.indices.dtype, device=pattern.device)
    return Adjacency.trusted(Pattern.trusted(pattern.indptr, places, count))
