"""Heads, decoders and whole networks against what they are made of."""

import pytest
import torch
from torch import nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.head import EdgeHead, GraphHead, JumpingReadout, NodeHead, PairHead
from grapevine.nn.network import Network
from grapevine.nn.pair import Bilinear, Dot, PairMLP

WIDTH = 5


def states(num_nodes: int = 9, width: int = WIDTH, seed: int = 0) -> torch.Tensor:
    return torch.randn(num_nodes, width, generator=torch.Generator().manual_seed(seed))


def some_batch() -> Graph:
    parts = [([[0, 1, 2, 1], [1, 0, 1, 2]], 4), ([[0, 1], [1, 0]], 2), ([[0, 2], [2, 0]], 3)]
    graphs = [Graph(torch.tensor(edges), num_nodes=num_nodes) for edges, num_nodes in parts]
    return Graph.batch([graph.replace(x=states(graph.num_nodes, seed=k)) for k, graph in enumerate(graphs)])


def test_nodes_are_chosen_before_the_network():
    network, chosen = nn.Linear(WIDTH, 2), torch.tensor([3, 3, 0])
    head, h, graph = NodeHead(network), states(), some_batch()
    torch.testing.assert_close(head(h, graph, chosen), network(h)[chosen])
    torch.testing.assert_close(head(h, graph), network(h))


@pytest.mark.parametrize("aggregation", [gnn.Sum, gnn.Mean, gnn.Max])
def test_graphs_are_read_out(aggregation):
    network, h, graph = nn.Linear(WIDTH, 2), states(), some_batch()
    out = GraphHead(gnn.Readout(aggregation()), network)(h, graph)
    reduce = {"Sum": lambda t: t.sum(0), "Mean": lambda t: t.mean(0), "Max": lambda t: t.max(0).values}
    by_hand = torch.stack([reduce[aggregation.__name__](part) for part in h.split([4, 2, 3])])
    torch.testing.assert_close(out, network(by_hand))
    ids = torch.tensor([2])
    torch.testing.assert_close(GraphHead(gnn.Readout(aggregation()), network)(h, graph, ids), out[ids])


def gin(width: int = 8, layers: int = 2) -> gnn.GNN:
    """The graph network of Xu et al. 2019: a norm and an activation behind every layer."""
    widths = [WIDTH, *[width] * layers]
    convs = [gnn.GINConv(gnn.MLP([c, width, width], batch_norm=True)) for c in widths[:-1]]
    return gnn.GNN(convs, norms=[gnn.BatchNorm(width) for _ in convs], activate_last=True)


def test_jumping_readout_is_that_of_gin():
    network = Network(gin(), JumpingReadout([WIDTH, 8, 8], 3)).eval()
    graph, out = some_batch(), 0
    h = graph.x
    for k in range(3):
        pooled = torch.stack([part.sum(0) for part in h.split([4, 2, 3])])
        out = out + pooled @ network.head.maps[k].weight.T + network.head.maps[k].bias
        if k < 2:
            h = network.encoder.norms[k](network.encoder.layers[k](h, graph)).relu()
    torch.testing.assert_close(network(graph), out)
    torch.testing.assert_close(network.states(graph), h)


def test_jumping_readout_drops_out_in_training_only():
    head, parts = JumpingReadout([WIDTH], 2, dropout=1.0), [states()]
    assert torch.equal(head.train()(parts, some_batch()), torch.zeros(3, 2))
    assert head.eval()(parts, some_batch()).abs().sum() > 0


def test_all_states_end_in_the_output():
    graph = some_batch()
    layers = [gnn.GCNConv(WIDTH, 6), gnn.GCNConv(6, 6), gnn.GCNConv(6, 2)]
    network = gnn.GNN(layers, residual=True)
    found = network.all_states(graph.x, graph)
    assert [h.shape[1] for h in found] == [WIDTH, 6, 6, 2]
    assert torch.equal(found[-1], network(graph.x, graph))
    torch.testing.assert_close(found[2], found[1] + layers[1](found[1], graph).relu())
    with_last = gnn.GNN(layers, residual=True, activate_last=True)
    torch.testing.assert_close(with_last(graph.x, graph), found[-1].relu())


def test_dot_and_bilinear_by_hand():
    u, v = states(), states(seed=1)
    torch.testing.assert_close(Dot()(u, v), torch.einsum("kc,kc->k", u, v).unsqueeze(1))
    for symmetric in (True, False):
        decoder = Bilinear(WIDTH, 3, symmetric=symmetric)
        weight = (decoder.weight + decoder.weight.mT) / 2 if symmetric else decoder.weight
        torch.testing.assert_close(decoder(u, v), torch.einsum("kc,ocd,kd->ko", u, weight, v))
        assert torch.allclose(decoder(u, v), decoder(v, u), atol=1e-6) == symmetric


@pytest.mark.parametrize("edge_channels", [0, 2])
def test_symmetric_pairs_have_no_direction(edge_channels):
    u, v = states(), states(seed=1)
    edge = states(width=edge_channels, seed=2) if edge_channels else None
    both_ways = PairMLP([WIDTH, 8, 3], edge_channels=edge_channels)
    assert torch.equal(both_ways(u, v, edge), both_ways(v, u, edge))
    one_way = PairMLP([WIDTH, 8, 3], symmetric=False, edge_channels=edge_channels)
    assert not torch.allclose(one_way(u, v, edge), one_way(v, u, edge))
    seen = [u, v] if edge is None else [u, v, edge]
    torch.testing.assert_close(one_way(u, v, edge), one_way.mlp(torch.cat(seen, 1)))


def test_pairs_and_edges_are_looked_up():
    h, graph, pairs = states(), some_batch(), torch.tensor([[0, 4], [3, 4]])
    torch.testing.assert_close(PairHead(Dot())(h, graph, pairs), (h[pairs[0]] * h[pairs[1]]).sum(1, keepdim=True))
    features = states(graph.num_edges, 2, seed=3)
    graph = graph.replace(edge_attr=features)
    head = EdgeHead(PairMLP([WIDTH, 4], symmetric=False, edge_channels=2), edge="edge_attr")
    by_hand = head.decoder(h[graph.adj.src], h[graph.adj.dst], features)
    torch.testing.assert_close(head(h, graph), by_hand)
    chosen = torch.tensor([5, 0])
    torch.testing.assert_close(head(h, graph, chosen), by_hand[chosen])


def test_a_network_hands_its_edges_on():
    graph = some_batch()
    weight = torch.rand(graph.num_edges)
    conv = gnn.GCNConv(WIDTH, 2)
    graph = graph.replace(edge_weight=weight)
    torch.testing.assert_close(Network(conv, NodeHead(), edge="edge_weight")(graph), conv(graph.x, graph, weight))
    torch.testing.assert_close(Network(conv, NodeHead())(graph), conv(graph.x, graph))
    mlp = gnn.MLP([WIDTH, 2])
    torch.testing.assert_close(Network(mlp, NodeHead())(graph), mlp(graph.x))


def test_weights_come_back():
    network, again = Network(gin(), JumpingReadout([WIDTH, 8, 8], 3)), Network(gin(), JumpingReadout([WIDTH, 8, 8], 3))
    again.load_state_dict(network.state_dict())
    assert torch.equal(network.eval()(some_batch()), again.eval()(some_batch()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Network(gnn.MLP([WIDTH, 2]), JumpingReadout([WIDTH], 2)), "reads every layer of an Encoder"),
        (lambda: Network(gin(), nn.Identity()), "head must be a Head, got Identity"),
        (lambda: Network(gin(), NodeHead(), edge="weight"), "edge must be edge_weight, edge_attr or None"),
        (
            lambda: Network(gnn.GCNConv(WIDTH, 2), NodeHead(), edge="edge_attr")(some_batch()),
            "needs the graph's edge_at",
        ),
        (lambda: Network(gnn.GCNConv(WIDTH, 2), NodeHead())(Graph([[0], [1]])), "must hold features x"),
        (lambda: Network(gnn.GCNConv(WIDTH, 2), NodeHead())(states()), "called with a Graph, got Tensor"),
        (lambda: PairHead(Dot())(states(), some_batch()), "must be told the pairs"),
        (lambda: JumpingReadout([WIDTH, 8], 2)([states()], some_batch()), "2 layers, got 1 of them"),
        (lambda: Dot()(states(), states(3)), "must have one shape"),
        (lambda: Dot()(states(), states(), states()), "takes no edge features"),
        (lambda: PairMLP([WIDTH, 2])(states(), states(), states()), "takes 0 features of a pair, got 5"),
        (lambda: PairMLP([WIDTH]), "widths of a state and of its output"),
        (
            lambda: gnn.GNN([gnn.GCNConv(3, 4)] * 2, norms=[gnn.BatchNorm(4)], activate_last=True),
            "2 layers take 2 norm",
        ),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
