"""Jumping knowledge against PyTorch Geometric's, at node level and read out; the network around an encoder."""

import pytest
import torch

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)


def states(count: int, channels: int = 4) -> list[torch.Tensor]:
    return [leaf(NUM_SRC, channels, seed=k) for k in range(count)]


@pytest.mark.parametrize("kind", ["cat", "max", "lstm"])
def test_pyg(kind):
    pyg = pytest.importorskip("torch_geometric.nn")
    given = states(3)
    ours, theirs = gnn.JumpingKnowledge(kind, 4, 3).double(), pyg.JumpingKnowledge(kind, 4, 3).double()
    names = {"att.weight": "score.weight", "att.bias": "score.bias"}
    ours.load_state_dict({names.get(name, name): tensor for name, tensor in theirs.state_dict().items()})
    assert_same(lambda: ours(given), lambda: theirs(given), given)


def test_attention_of_each_node_adds_up_to_one():
    jump = gnn.JumpingKnowledge("lstm", 4, 3).double()
    same = leaf(NUM_SRC, 4)
    torch.testing.assert_close(jump([same, same, same]), same)


@pytest.mark.parametrize(("kind", "width"), [("cat", 12), ("max", 4), ("lstm", 4)])
def test_no_nodes(kind, width):
    jump = gnn.JumpingKnowledge(kind, 4, 3)
    assert jump.out_channels == width
    assert jump([torch.ones(0, 4)] * 3).shape == (0, width)


@pytest.mark.parametrize("kind", ["cat", "max", "lstm"])
def test_the_network_reads_every_layer_but_the_input(kind):
    layers = gnn.GNN([gnn.GCNConv(5, 4), gnn.GCNConv(4, 4)], activate_last=True)
    jump = gnn.JumpingKnowledge(kind, 4, 2)
    network, x = gnn.JumpingNetwork(layers, jump, 3).double(), leaf(NUM_SRC, 5)
    found, seen = network.all_states(x, EDGES), layers.all_states(x, EDGES)
    assert [state.shape[1] for state in found] == [5, 4, 4, 3]
    torch.testing.assert_close(found[-1], network.lin(jump(seen[1:])))


def test_graph_norms_still_know_their_graphs():
    parts = [Graph(EDGES, x=torch.randn(NUM_SRC, 5)), Graph(EDGES, x=torch.randn(NUM_SRC, 5))]
    layers = gnn.GNN([gnn.GCNConv(5, 4)], norms=[gnn.GraphNorm(4)], activate_last=True)
    network, both = gnn.JumpingNetwork(layers, gnn.JumpingKnowledge("max", 4, 1), 2), Graph.batch(parts)
    torch.testing.assert_close(network(both.x, both), torch.cat([network(part.x, part) for part in parts]))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: gnn.JumpingKnowledge("sum", 4, 3), "cat, max or lstm"),
        (lambda: gnn.JumpingKnowledge("cat", 0, 3), "channels"),
        (lambda: gnn.JumpingKnowledge("cat", 4, 0), "num_layers"),
        (lambda: gnn.JumpingKnowledge("cat", 4, 2)(states(3)), "made for 2 layers, got the states of 3"),
        (lambda: gnn.JumpingKnowledge("max", 4, 2)([leaf(9, 4), leaf(9, 5)]), r"\[n, 4\]"),
        (lambda: gnn.JumpingNetwork(gnn.GCNConv(3, 4), gnn.JumpingKnowledge("max", 4, 1), 2), "an Encoder"),
    ],
)
def test_wrong_input_is_named(make, match):
    with pytest.raises(InputError, match=match):
        make()
