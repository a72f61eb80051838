"""A NodeEdgeStack is its layers one after another, behind its two maps."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.conv.gated_gcn import GatedGCNConv
from grapevine.nn.conv.gcn import GCNConv
from grapevine.nn.encoder.node_edge import NodeEdgeStack
from tests.nn.compare import NUM_SRC, leaf, square

ADJ = square()


def test_the_stack_is_its_layers():
    torch.manual_seed(0)
    layers = [GatedGCNConv(6, 6, batch_norm=False) for _ in range(3)]
    network = NodeEdgeStack(2, layers, hidden_channels=6, edge_channels=5).double()
    x, edge = leaf(NUM_SRC, 2), leaf(ADJ.num_edges, 5, seed=1)
    h, e = network.lin_node(x), network.lin_edge(edge)
    states = network.all_states(x, ADJ, edge)
    assert states[0] is x
    for layer, state in zip(layers, states[1:], strict=True):
        h, e = layer(h, ADJ, e)
        torch.testing.assert_close(state, h)
    torch.testing.assert_close(network(x, ADJ, edge), h)
    assert network.out_channels == 6


def test_the_stack_without_edge_features_is_that_with_ones():
    layers = [GatedGCNConv(6, 6, batch_norm=False) for _ in range(2)]
    without = NodeEdgeStack(2, layers, hidden_channels=6)
    ones = NodeEdgeStack(2, layers, hidden_channels=6, edge_channels=1)
    with torch.no_grad():
        ones.lin_node.weight.copy_(without.lin_node.weight)
        ones.lin_edge.weight.copy_(without.edge_start.unsqueeze(1))
    graph, x = Graph(ADJ), torch.randn(NUM_SRC, 2)
    torch.testing.assert_close(without(x, graph), ones(x, graph, torch.ones(ADJ.num_edges, 1)))


def test_wrong_input_is_named():
    x, edges, edge = torch.ones(3, 4), torch.tensor([[0], [1]]), torch.ones(1, 4)
    layer = GatedGCNConv(4, 4)
    for call, message in (
        (lambda: NodeEdgeStack(3, [GCNConv(3, 3)], hidden_channels=3), "NodeEdgeLayer"),
        (lambda: NodeEdgeStack(4, [layer], hidden_channels=4)(x, edges, edge), "takes no edge features"),
        (lambda: NodeEdgeStack(4, [layer], hidden_channels=4, edge_channels=4)(x, edges), r"needs \[e, 4\]"),
    ):
        with pytest.raises(InputError, match=message):
            call()
