"""Dropouts of a graph, drawn anew in each training step and active in training alone.

DropEdge:  A' = A with each edge left out with probability p                        (Rong et al. 2020)
DropNode:  x_i' = x_i z_i / (1 - p),  z_i = 0 with probability p, one for each node (Feng et al. 2020)

Y. Rong, W. Huang, T. Xu and J. Huang, "DropEdge: towards deep graph convolutional networks on node classification",
ICLR 2020: normalisations, such as those of a GCN, are made of what is left. W. Feng et al., "Graph random neural
networks for semi-supervised learning on graphs", NeurIPS 2020. Which ones go is counted out from a seed of PyTorch's
generator.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.graph.keep import keep_edges
from grapevine.graph.reverse import reverse_edges
from grapevine.nn.conv.inputs import Edges, in_order
from grapevine.nn.linear import Features, check_features
from grapevine.ops.runtime.random import check_dropout, draw_seed, keep_mask, scale_of

Given = tuple[Features, Edges, Tensor | None]  # what an encoder is given: features, edges, the edges' tensor


def drop_edge(
    edges: Edges, p: float, *, symmetric: bool = False, seed: Int[Tensor, ""] | None = None
) -> Adjacency | Graph:
    """The same nodes without a share p of the edges, on the average (Rong et al. 2020).

    `edge_id` of what comes counts the edges that were given, in the order of their adjacency.

    Args:
        edges: an Adjacency, a Graph, which stays one and keeps the tensors of what is left, or an edge_index tensor.
        symmetric: the two directions of an edge go together; each edge must have its other direction.
        seed: a 0-dim int64 tensor that says which ones; drawn from PyTorch's generator when None.

    >>> path = Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> drop_edge(path, 0.5, symmetric=True, seed=torch.tensor(1)).edge_index.tolist()
    [[1, 0], [0, 1]]
    """
    adj = as_adjacency(edges)
    check_dropout(p, seed, adj.device)
    draws = keep_mask(draw_seed(adj.device) if seed is None else seed, (adj.num_edges,), p)
    if symmetric:
        other = reverse_edges(adj).long()
        draws = draws[torch.minimum(other, torch.arange(len(other), device=other.device))]
    return keep_edges(edges, draws) if isinstance(edges, Graph) else keep_edges(adj, draws)


def drop_node(x: Features, p: float, *, seed: Int[Tensor, ""] | None = None) -> Features:
    """Whole rows made 0 with probability p, the others divided by 1 - p (Feng et al. 2020).

    >>> drop_node(torch.ones(4, 2), 0.5, seed=torch.tensor(7)).tolist()
    [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0], [2.0, 2.0]]
    """
    check_features("x", x)
    check_dropout(p, seed, x.device)
    is_kept = keep_mask(draw_seed(x.device) if seed is None else seed, (x.shape[0],), p)
    scale = is_kept.to(x.dtype) * scale_of(p)
    if isinstance(x, Tensor):
        return x * scale.unsqueeze(1)
    by_row = scale[x.pattern.row_of.long()]
    if x.pattern.entry is not None:
        by_row = torch.empty_like(by_row).index_copy_(0, x.pattern.entry.long(), by_row)
    return x.with_values(x.values * by_row)


class Drop(nn.Module, ABC):
    """Makes less of what an encoder is given, in training; used as Dropped(encoder, [drop])."""

    def __init__(self, p: float):
        super().__init__()
        check(isinstance(p, int | float) and 0 <= p < 1, f"p is a share, 0 or more and below 1, got {p!r}")
        self.p = p

    def forward(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Given:
        """The features, the edges and their tensor, as they are or with less."""
        return self.thinned(x, adj, edge) if self.training and self.p > 0 else (x, adj, edge)

    @abstractmethod
    def thinned(self, x: Features, adj: Edges, edge: Tensor | None) -> Given:
        """With less."""

    def extra_repr(self) -> str:
        return f"{self.p}"


class DropEdge(Drop):
    """Leaves out a share p of the edges, the same ones for all layers (Rong et al. 2020).

    Args:
        p: the share.
        symmetric: the two directions of an edge go together.

    >>> ring = torch.tensor([[0, 1, 2], [1, 2, 0]])
    >>> _, left, _ = DropEdge(0.5).eval()(torch.ones(3, 1), ring)
    >>> left is ring
    True
    """

    def __init__(self, p: float, *, symmetric: bool = False):
        super().__init__(p)
        self.symmetric = symmetric

    def thinned(self, x: Features, adj: Edges, edge: Tensor | None) -> Given:
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        edge = None if edge is None else in_order("edge", edge, adj, adjacency)
        left = drop_edge(adj if isinstance(adj, Graph) else adjacency, self.p, symmetric=self.symmetric)
        places = (left.adj if isinstance(left, Graph) else left).edge_id
        return x, left, None if edge is None else edge[places]


class DropNode(Drop):
    """Hides the features of a share p of the nodes (Feng et al. 2020); they still hear, and pass on what they hear.

    >>> x, _, _ = DropNode(0.5).eval()(torch.ones(2, 1), torch.tensor([[0], [1]]))
    >>> x.tolist()
    [[1.0], [1.0]]
    """

    def thinned(self, x: Features, adj: Edges, edge: Tensor | None) -> Given:
        return drop_node(x, self.p), adj, edge
