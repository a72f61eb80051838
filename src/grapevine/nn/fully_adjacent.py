"""A last layer in which every node hears all nodes of its graph, so that nothing has to pass a narrow place.

h_i = last(h_i', {{ h_j' : j any node of the graph }}),    h' the states that the layers before it give

Alon & Yahav 2021, "On the bottleneck of graph neural networks and its practical implications" (FA).
Where the layer adds up or averages what it hears, the sum over a graph's nodes is computed once, in O(n), and no edge
is stored; others are given the edges of the complete graph, the sum of n_g^2 over the graphs.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv import Conv, GCNConv, GINConv, SAGEConv
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class FullyAdjacent(Encoder):
    """An encoder, and behind it a convolution that hears along no edges but from all nodes of the graph.

    What knows of no batch, an Adjacency or an edge_index, is one graph.

    Args:
        body: the layers before the last, such as a `GNN` with `activate_last`.
        last: a convolution without an edge input.

    >>> from grapevine.nn import GNN
    >>> network = FullyAdjacent(GNN([GCNConv(3, 8), GCNConv(8, 8)], activate_last=True), GCNConv(8, 2))
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    def __init__(self, body: Encoder, last: Conv):
        super().__init__()
        if not isinstance(body, Encoder) or not isinstance(last, Conv):
            kinds = f"{type(body).__name__} and {type(last).__name__}"
            raise InputError(f"a fully adjacent layer is a convolution behind an encoder, got {kinds}")
        self.body, self.last = body, last

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        h = x
        for h in self.body.steps(x, adj, edge):
            yield h
        if not isinstance(h, Tensor):
            raise InputError("the layers before a fully adjacent one must give dense states")
        yield hear_all(self.last, h, adj)


def hear_all(layer: Conv, x: Tensor, adj: Edges) -> Tensor:
    """What a convolution makes of [n, c] states where every node hears all of its graph, itself too.

    >>> hear_all(GINConv(torch.nn.Identity()), torch.tensor([[1.0], [2.0]]), torch.tensor([[], []])).tolist()
    [[4.0], [5.0]]
    """
    if isinstance(adj, Graph):
        check(adj.num_nodes == x.shape[0], f"x must have a row for each of the {adj.num_nodes} nodes, got {x.shape[0]}")
    members = adj.members if isinstance(adj, Graph) else one_graph(x)
    if isinstance(layer, GCNConv):  # all degrees are n_g
        said = layer.lin(x)
        out = gather(members, segment_reduce(members, said, reduce="mean"), side="rows")
        return out if layer.bias is None else out + layer.bias
    if isinstance(layer, GINConv):
        heard = gather(members, segment_reduce(members, x, reduce="sum"), side="rows")
        return layer.network(torch.addcmul(heard, x, 1 + layer.eps))
    if isinstance(layer, SAGEConv) and layer.aggregation in ("mean", "sum"):
        heard = gather(members, segment_reduce(members, x, reduce=layer.aggregation), side="rows")
        return layer((heard, x), each_alone(x))
    return layer(x, complete(members))


def each_alone(x: Tensor) -> Adjacency:
    """An edge from each source to the target of its number."""
    count = torch.arange(x.shape[0] + 1, device=x.device)
    return Adjacency.from_csr(count, count[:-1], x.shape[0])


def complete(members: Pattern) -> Adjacency:
    """All pairs of nodes of the same graph, loops too; `members` has a row of nodes for each graph.

    >>> graph = Graph.batch([Graph([[0], [1]]), Graph([[], []], num_nodes=1)])
    >>> complete(graph.members).edge_index.tolist()
    [[0, 1, 0, 1, 2], [0, 0, 1, 1, 2]]
    """
    sizes, starts = members.indptr.diff().long(), members.indptr[:-1].long()
    each = sizes.repeat_interleave(sizes)  # of each node how many it hears
    indptr = torch.nn.functional.pad(each.cumsum(0), (1, 0))
    first = starts.repeat_interleave(sizes) - indptr[:-1]
    src = torch.arange(int(indptr[-1]), device=indptr.device) + first.repeat_interleave(each)
    return Adjacency.from_csr(indptr, src, members.num_cols)


def one_graph(x: Tensor) -> Pattern:
    """The row of all nodes, where there is one graph."""
    return Graph(torch.zeros(2, 0, dtype=torch.int64, device=x.device), num_nodes=x.shape[0]).members
