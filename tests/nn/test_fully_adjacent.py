"""A fully adjacent last layer: with all edges stored, and without; and a virtual node by its formula."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import GNN, MLP, FullyAdjacent, GATv2Conv, GCNConv, GINConv, SAGEConv, VirtualNode
from grapevine.nn.fully_adjacent import complete, hear_all


@pytest.fixture
def batch() -> Graph:
    return Graph.batch([Graph([[0, 1], [1, 2]]), Graph([[], []], num_nodes=1), Graph([[0], [0]], num_nodes=4)])


@pytest.mark.parametrize(
    "layer",
    [
        GCNConv(3, 2), GCNConv(3, 2, bias=False, add_self_loops=False), GINConv(MLP([3, 4, 2]), eps=0.7),
        SAGEConv(3, 2),
        SAGEConv(3, 2, aggregation="sum", normalize=True), SAGEConv(3, 2, root_weight=False),
        SAGEConv(3, 2, aggregation="max"), GATv2Conv(3, 2),
    ],
    ids=str,
)  # fmt: skip
def test_it_is_the_layer_on_all_pairs(layer, batch):
    x = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
    layer = layer.double()
    outs = [hear_all(layer, x, batch), layer(x, complete(batch.members))]
    assert torch.allclose(*outs, atol=1e-12)
    grads = [torch.autograd.grad(out.square().sum(), [x, *layer.parameters()], allow_unused=True) for out in outs]
    for one, other in zip(*grads, strict=True):
        assert (one is None and other is None) or torch.allclose(one, other, atol=1e-12)


def test_the_last_layer_alone_hears_all(batch):
    """A node hears of another graph's nodes never, and of its own graph's always, however far."""
    body = GNN([GCNConv(3, 4)], activate_last=True)
    network = FullyAdjacent(body, SAGEConv(4, 2)).double()
    x = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)
    (heard,) = torch.autograd.grad(network(x, batch)[4:].square().sum(), x)
    assert not heard[:4].any()
    assert heard[4:].abs().sum(1).min() > 0
    states = network.all_states(x, batch)
    assert [state.shape[1] for state in states] == [3, 4, 2]
    assert torch.equal(states[1], body(x, batch))
    alone = torch.cat([network(x[4:], batch.unbatch()[2].adj)])
    assert torch.allclose(network(x, batch)[4:], alone)


def test_a_virtual_node_is_its_formula(batch):
    network = VirtualNode(3, 4, [GCNConv(4, 4), SAGEConv(4, 4), GCNConv(4, 2)]).double()
    with torch.no_grad():
        network.start.copy_(torch.randn(4))
    x = torch.randn(8, 3, dtype=torch.float64)
    h, v = network.first(x), network.start.expand(3, 4)
    for k, layer in enumerate(network.layers):
        h = h + v[batch.graph_id]
        if k < 2:
            v = network.updates[k](v + torch.stack([part.sum(0) for part in h.split([3, 1, 4])]))
        h = layer(h, batch)
        h = h.relu() if k < 2 else h
    assert torch.allclose(network(x, batch), h)


def test_wrong_input(batch):
    with pytest.raises(InputError, match="a convolution behind an encoder, got GCNConv and MLP"):
        FullyAdjacent(GCNConv(3, 4), MLP([3, 4]))
    with pytest.raises(InputError, match="a row for each of the 8 nodes, got 7"):
        hear_all(GCNConv(3, 2), torch.zeros(7, 3), batch)
    with pytest.raises(InputError, match="must be convolutions, got MLP"):
        VirtualNode(3, 4, [MLP([4, 4])])
    with pytest.raises(InputError, match="take 1 norms"):
        VirtualNode(3, 4, [GCNConv(4, 4), GCNConv(4, 2)], norms=[])
