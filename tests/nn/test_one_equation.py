"""The special cases of the one equation: GCN, GraphSAGE, GAT and GIN written as message, aggregation and update.

Each equals its fused layer with the same weights, outputs and gradients, to 1e-10. (Convolutions of images and
self-attention, which are special cases too, are in test_textbook.)
"""

import pytest
import torch
from torch import Tensor

from grapevine.graph import Adjacency
from grapevine.nn.aggregation import Aggregation, Mean, Sum
from grapevine.nn.conv import GATConv, GCNConv, GINConv, SAGEConv
from grapevine.nn.message_passing import MessagePassing
from grapevine.nn.mlp import MLP
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce
from tests.nn.compare import NUM_SRC, assert_same, leaf, square

IN, OUT, HEADS = 3, 4, 2


class GCN(MessagePassing):
    """message w_ij W h_j,  sum,  update m_i + b;  w_ij = 1 / sqrt(d_i d_j) comes as the edge's feature."""

    def __init__(self, weight: Tensor, bias: Tensor):
        super().__init__(Sum())
        self.weight, self.bias = weight, bias

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor) -> Tensor:
        return edge_attr.unsqueeze(1) * (x_src @ self.weight.T)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return message + self.bias


class SAGE(MessagePassing):
    """message h_j,  mean,  update W_root h_i + W m_i + b."""

    def __init__(self, layer: SAGEConv):
        super().__init__(Mean())
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: None) -> Tensor:
        return x_src

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return x_dst @ self.layer.lin_root.weight.T + message @ self.layer.lin.weight.T + self.layer.bias


class Attention(Aggregation):
    """Messages [score, value] of each head: the values weighed by the softmax of the scores."""

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        weight = edge_softmax(pattern, message[..., 0])
        return segment_reduce(pattern, weight.unsqueeze(-1) * message[..., 1:], reduce="sum")


class GAT(MessagePassing):
    """message [LeakyReLU(a_src W h_j + a_dst W h_i), W h_j],  attention,  update m_i + b."""

    def __init__(self, layer: GATConv):
        super().__init__(Attention())
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: None) -> Tensor:
        value, own = ((x @ self.layer.lin.weight.T).unflatten(1, (HEADS, OUT)) for x in (x_src, x_dst))
        score = (value * self.layer.att_src).sum(-1) + (own * self.layer.att_dst).sum(-1)
        return torch.cat([torch.nn.functional.leaky_relu(score, 0.2).unsqueeze(-1), value], dim=-1)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return message.flatten(1) + self.layer.bias


class GIN(MessagePassing):
    """message h_j,  sum,  update network((1 + eps) h_i + m_i)."""

    def __init__(self, layer: GINConv):
        super().__init__(Sum())
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: None) -> Tensor:
        return x_src

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return self.layer.network((1 + self.layer.eps) * x_dst + message)


def normalised_edges(adj: Adjacency) -> tuple[Adjacency, Tensor]:
    """The graph with a loop at every node that has none, and 1 / sqrt(d_i d_j) of its edges, by plain counting."""
    present = {i for j, i in adj.edge_index.T.tolist() if i == j}
    loops = torch.tensor([[i, i] for i in range(adj.num_nodes) if i not in present]).T
    looped = Adjacency(torch.cat([adj.edge_index, loops], dim=1), adj.num_nodes)
    degree = torch.bincount(looped.dst, minlength=adj.num_nodes).double()
    return looped, (degree[looped.dst] * degree[looped.src]) ** -0.5


def with_one_loop(adj: Adjacency) -> Adjacency:
    """The graph with exactly one loop a node."""
    others = adj.edge_index[:, adj.src != adj.dst]
    nodes = torch.arange(adj.num_nodes)
    return Adjacency(torch.cat([others, torch.stack([nodes, nodes])], dim=1), adj.num_nodes)


GRAPHS = {
    "some": square(),
    "no edges": Adjacency(torch.zeros(2, 0, dtype=torch.long), NUM_SRC),
    "one hub": Adjacency(torch.stack([torch.arange(1, NUM_SRC), torch.zeros(NUM_SRC - 1, dtype=torch.long)]), NUM_SRC),
}


@pytest.fixture(params=GRAPHS)
def adj(request) -> Adjacency:
    torch.manual_seed(0)
    return GRAPHS[request.param]


def moved(layer: torch.nn.Module) -> torch.nn.Module:
    """In float64, with no parameter left where it started: biases start at 0."""
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.rand_like(parameter) - 0.5)
    return layer


def test_gcn(adj):
    layer, x = moved(GCNConv(IN, OUT)), leaf(NUM_SRC, IN)
    looped, weight = normalised_edges(adj)
    plain = GCN(layer.lin.weight, layer.bias)
    assert_same(lambda: plain(x, looped, weight), lambda: layer(x, adj), [x, *layer.parameters()])


def test_sage(adj):
    layer, x = moved(SAGEConv(IN, OUT)), leaf(NUM_SRC, IN)
    assert_same(lambda: SAGE(layer)(x, adj), lambda: layer(x, adj), [x, *layer.parameters()])


def test_gat(adj):
    layer, x = moved(GATConv(IN, OUT, heads=HEADS)), leaf(NUM_SRC, IN)
    looped = with_one_loop(adj)
    assert_same(lambda: GAT(layer)(x, looped), lambda: layer(x, adj), [x, *layer.parameters()])


def test_gin(adj):
    network = MLP([IN, 8, OUT], activation="tanh")
    layer, x = moved(GINConv(network, train_eps=True)), leaf(NUM_SRC, IN)
    assert_same(lambda: GIN(layer)(x, adj), lambda: layer(x, adj), [x, *layer.parameters()])
