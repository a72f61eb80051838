"""Neural fingerprints against their equations in plain loops and against PyTorch Geometric's MFConv."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.conv.neural_fingerprint import NeuralFingerprintConv
from grapevine.nn.fingerprint_readout import FingerprintReadout
from grapevine.nn.gnn import GNN
from grapevine.nn.network import Network
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges
from tests.nn.encoder.molecules import batch, neighbours


@pytest.mark.parametrize("edge_channels", [None, 2])
def test_it_is_its_equation(edge_channels):
    torch.manual_seed(0)
    graph, layer = batch(), NeuralFingerprintConv(3, 4, edge_channels=edge_channels).double()

    def by_loops() -> torch.Tensor:
        rows = []
        for i, heard in enumerate(neighbours(graph)):
            total = graph.x[i] + sum(graph.x[j] for j, _ in heard)
            if edge_channels:
                total = torch.cat([total, sum((edge for _, edge in heard), torch.zeros(2, dtype=torch.float64))])
            rows.append(layer.weight[len(heard)] @ total + layer.bias)
        return torch.stack(rows)

    edge = [graph.edge_attr] if edge_channels else []
    leaves = [graph.x.requires_grad_(), *layer.parameters(), *(one.requires_grad_() for one in edge)]
    assert_same(lambda: layer(graph.x, graph, *edge), by_loops, leaves)


def test_it_is_mfconv_with_one_map_for_oneself_and_the_others():
    pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")
    ours, theirs = NeuralFingerprintConv(3, 4, max_degree=10).double(), pyg.MFConv(3, 4).double()
    with torch.no_grad():
        for weight, own, others in zip(ours.weight, theirs.lins_r, theirs.lins_l, strict=True):
            own.weight.copy_(weight)
            others.weight.copy_(weight)
            others.bias.copy_(ours.bias.uniform_())
        for others in theirs.lins_l:
            others.bias.copy_(ours.bias)
    x, edges = leaf(NUM_SRC, 3), random_edges(NUM_SRC, NUM_SRC)
    assert_same(lambda: ours(x, edges), lambda: theirs(x, edges), [x])


def test_a_node_of_too_many_edges_is_named():
    layer = NeuralFingerprintConv(3, 4, max_degree=2)
    star = torch.tensor([[0, 1, 2], [3, 3, 3]])
    with pytest.raises(
        InputError, match="node 3 has 3 edges, more than max_degree=2: make the layer with max_degree=3"
    ):
        layer(torch.ones(4, 3), star)


def test_edge_features_are_all_or_none():
    with pytest.raises(InputError, match="takes no edge features"):
        NeuralFingerprintConv(3, 4)(torch.ones(2, 3), torch.tensor([[0], [1]]), torch.ones(1, 2))
    with pytest.raises(InputError, match="needs edge features"):
        NeuralFingerprintConv(3, 4, edge_channels=2)(torch.ones(2, 3), torch.tensor([[0], [1]]))
    with pytest.raises(InputError, match="edge must have 2 columns"):
        NeuralFingerprintConv(3, 4, edge_channels=2)(torch.ones(2, 3), torch.tensor([[0], [1]]), torch.ones(1, 3))


def test_the_fingerprint_adds_up_over_layers_and_nodes():
    torch.manual_seed(0)
    graph, head = batch(), FingerprintReadout([3, 4], 6).double()
    states = [graph.x, torch.randn(8, 4, dtype=torch.float64)]
    wanted = torch.zeros(3, 6, dtype=torch.float64)
    for h, to_choice in zip(states, head.maps, strict=True):
        for i in range(8):
            wanted[graph.graph_id[i]] += (to_choice.weight @ h[i] + to_choice.bias).softmax(0)
    torch.testing.assert_close(head(states, graph), wanted)
    torch.testing.assert_close(head(states, graph, torch.tensor([2, 0])), wanted[[2, 0]])


def test_a_whole_network():
    graph, layers = (
        batch(),
        [NeuralFingerprintConv(3, 4, edge_channels=2), NeuralFingerprintConv(4, 4, edge_channels=2)],
    )
    head = FingerprintReadout([3, 4, 4], 16, network=torch.nn.Linear(16, 2))
    network = Network(GNN(layers, activation="tanh", activate_last=True), head, edge="edge_attr").double()
    assert network(graph).shape == (3, 2)
    alone = torch.cat([network(part) for part in graph.unbatch()])
    torch.testing.assert_close(network(graph), alone)


def test_the_readout_must_be_given_every_layer():
    with pytest.raises(InputError, match="states of 2 layers, got 1 of them"):
        FingerprintReadout([3, 4], 6)([torch.ones(2, 3)], Graph([[0], [1]]))
