"""A stack computes what its layers compute one after another, and an MLP what its maps do."""

import pytest
import torch
from torch import nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.nn.compare import NUM_SRC, assert_same, leaf, square

ACTIVATIONS = {
    "none": lambda x: x,
    "relu": torch.relu,
    "elu": nn.functional.elu,
    "leaky_relu": nn.functional.leaky_relu,
    "gelu": nn.functional.gelu,
    "silu": nn.functional.silu,
    "tanh": torch.tanh,
}


def moved(layer: nn.Module) -> nn.Module:
    """The layer in float64, its biases no longer zero."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return layer.double()


def convolutions() -> list[gnn.Conv]:
    return [gnn.GCNConv(3, 6), gnn.SAGEConv(6, 6, normalize=True), gnn.GATConv(6, 3, heads=2), gnn.GCNConv(6, 2)]


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_stack_is_its_layers_one_after_another(activation, residual):
    network, x, adj = moved(gnn.GNN(convolutions(), activation=activation, residual=residual)), leaf(9, 3), square()
    activate = ACTIVATIONS[activation]

    def by_hand() -> torch.Tensor:
        first, second, third, last = network.layers
        h = activate(first(x, adj))
        h = activate(second(h, adj)) + (h if residual else 0)
        h = activate(third(h, adj)) + (h if residual else 0)
        return last(h, adj)

    assert_same(lambda: network(x, adj), by_hand, [x, *network.parameters()])


def test_norms_stand_before_the_activation():
    norms = [gnn.LayerNorm(6), gnn.GraphNorm(6), gnn.BatchNorm(6)]
    network, x = moved(gnn.GNN(convolutions(), norms=norms)), leaf(NUM_SRC, 3)
    graph = Graph.batch([Graph([[0, 1, 2], [1, 0, 0]], num_nodes=4), Graph([[0, 3], [1, 1]], num_nodes=5)])

    def by_hand() -> torch.Tensor:
        h = x
        for layer, norm in zip(network.layers, network.norms, strict=False):
            h = norm(layer(h, graph), graph.members).relu()
        return network.layers[-1](h, graph)

    assert_same(lambda: network(x, graph), by_hand, [x, *network.parameters()])


def test_every_layer_is_given_the_edges():
    adj, x = square(), leaf(NUM_SRC, 4)
    features, weight = leaf(adj.num_edges, 4, seed=1), leaf(adj.num_edges, seed=2).detach().abs()
    first, second = gnn.GINEConv(gnn.MLP([4, 4])), gnn.GATConv(4, 2, edge_channels=4)
    network = moved(gnn.GNN([first, second]))
    torch.testing.assert_close(network(x, adj, features), second(first(x, adj, features).relu(), adj, features))
    network = moved(gnn.GNN([gnn.GCNConv(4, 4), gnn.GCNConv(4, 2)]))
    assert not torch.allclose(network(x, adj, weight), network(x, adj))


def test_a_graph_its_adjacency_and_its_edge_index_are_one_input():
    network, adj, x = moved(gnn.GNN(convolutions())), square(), leaf(NUM_SRC, 3)
    wanted = network(x, adj)
    for form in (Graph(adj), adj.edge_index, adj.edge_index.int()):
        assert torch.equal(network(x, form), wanted)


def test_dropout_is_for_training_and_ruled_by_the_seed():
    network, adj, x = moved(gnn.GNN(convolutions(), dropout=0.5, input_dropout=0.5)), square(), leaf(NUM_SRC, 3)
    network.eval()
    assert torch.equal(network(x, adj), network(x, adj))
    network.train()
    torch.manual_seed(1)
    first, second = network(x, adj), network(x, adj)
    torch.manual_seed(1)
    assert torch.equal(network(x, adj), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("make", [gnn.GATConv, gnn.GATv2Conv])
@pytest.mark.parametrize("edge_channels", [None, 2])
def test_dropped_attention_keeps_the_mean(make, edge_channels):
    """Weights are dropped with probability p and the others grow by 1 / (1 - p), so the mean output stays."""
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = None if edge_channels is None else leaf(adj.num_edges, edge_channels)
    layer = moved(make(3, 4, dropout=0.4, edge_channels=edge_channels))
    torch.manual_seed(0)
    with torch.no_grad():
        drawn = torch.stack([layer(x, adj, edge) for _ in range(2000)])
        layer.eval()
        wanted = layer(x, adj, edge)
    assert drawn.std(0).min() > 0
    torch.testing.assert_close(drawn.mean(0), wanted, rtol=0, atol=0.15 * drawn.std(0).max().item())


def test_all_dropped_is_the_bias():
    layers = [gnn.GCNConv(3, 4), gnn.GCNConv(4, 2)]
    network = moved(gnn.GNN(layers, dropout=1.0))
    torch.testing.assert_close(network(leaf(NUM_SRC, 3), square()), layers[1].bias.expand(NUM_SRC, 2))


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_an_mlp_is_its_maps_one_after_another(batch_norm, training):
    mlp, x = moved(gnn.MLP([3, 8, 6, 2], activation="gelu", batch_norm=batch_norm)).train(training), leaf(NUM_SRC, 3)

    def by_hand() -> torch.Tensor:
        first, second, last = (lambda h, m=m: h @ m.weight.T + m.bias for m in mlp.layers)
        norms = mlp.norms or [nn.Identity()] * 2
        h = nn.functional.gelu(norms[0](first(x)))
        return last(nn.functional.gelu(norms[1](second(h))))

    assert_same(lambda: mlp(x), by_hand, [x, *mlp.parameters()])
    assert torch.equal(mlp(x, square()), mlp(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gnn.GNN([]), "at least one layer"),
        (lambda: gnn.GNN([gnn.MLP([3, 4])]), "convolutions, got MLP"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)] * 2, norms=[]), "1 norms"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)])(torch.ones(5, 4), square()), "5 rows"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)])(torch.ones(9, 4), square()), "3 columns"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)])(torch.ones(9, 3).double(), square()), "float64"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)])(None, square()), "NoneType"),
        (lambda: gnn.GNN([gnn.GCNConv(3, 4)])(torch.ones(9, 3), None), "NoneType"),
        (lambda: gnn.GNN([gnn.GINConv(nn.Identity())])(torch.ones(9, 3), square(), torch.ones(1, 1)), "edges"),
        (lambda: gnn.MLP([3]), "input and its output"),
        (lambda: gnn.MLP([3, 0]), "positive"),
        (lambda: gnn.MLP([3, 2])(torch.ones(2, 4)), "3 columns"),
        (lambda: gnn.GCNConv(0, 4), "positive"),
        (lambda: gnn.GATConv(3, 4, heads=0), "heads"),
        (lambda: gnn.GATConv(3, 4, dropout=1.5), "probability"),
        (lambda: gnn.GATConv(3, 4)(torch.ones(9, 3), square(), torch.ones(26, 2)), "without edge_channels"),
        (lambda: gnn.GINConv(nn.Identity())(torch.ones(9, 3), square(), torch.ones(26, 3)), "no edge input"),
        (lambda: gnn.SAGEConv(3, 4)(torch.ones(9, 3), square(), torch.ones(26, 3)), "no edge input"),
        (lambda: gnn.SAGEConv(3, 4, aggregation="median"), "median"),
        (lambda: gnn.SAGEConv(-1, 4, aggregation="lstm"), "input width"),
        (lambda: gnn.GINEConv(nn.Identity())(torch.ones(9, 3), square()), "needs edge features"),
        (lambda: gnn.GINEConv(nn.Identity(), edge_channels=3), "both in_channels"),
        (lambda: gnn.Readout()(torch.ones(9, 3), square()), "Graph"),
        (lambda: gnn.BatchNorm(3)(torch.ones(1, 3)), "single node"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
