"""What a stack keeps of earlier states: each kind by its formula, alone and in a GNN."""

from itertools import pairwise

import pytest
import torch

from grapevine import nn as gnn
from grapevine.errors import InputError
from tests.nn.compare import NUM_SRC, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)


def stacked(residual, widths=(3, 4, 4, 4, 2)) -> tuple[gnn.GNN, list[torch.Tensor]]:
    """A GNN and the states of each of its layers on their own, made by hand from the states before."""
    torch.manual_seed(0)
    layers = [gnn.GCNConv(c, d) for c, d in pairwise(widths)]
    return gnn.GNN(layers, activation="tanh", residual=residual).double(), [leaf(NUM_SRC, widths[0])]


def by_hand(network: gnn.GNN, x: torch.Tensor, kinds) -> list[torch.Tensor]:
    states = [x]
    for k, layer in enumerate(network.layers):
        out = layer(states[-1], EDGES)
        if k < len(network.layers) - 1:
            out = out.tanh()
            first = next((state for state in states if state.shape == states[-1].shape), None)
            out = kinds[k](out, states[-1], first) if out.shape == states[-1].shape else out
        states.append(out)
    return states


def test_adding_is_the_old_flag():
    network, (x,) = stacked(True)
    found = network.all_states(x, EDGES)
    wanted = by_hand(network, x, [lambda out, before, first: out + before] * 3)
    torch.testing.assert_close(found, wanted)
    assert not any("residual" in name for name in network.state_dict())  # weights of older networks load


def test_a_share_of_the_first_states():
    network, (x,) = stacked([gnn.InitialResidual(0.3)] * 3)
    wanted = by_hand(network, x, [lambda out, before, first: 0.7 * out + 0.3 * first] * 3)
    torch.testing.assert_close(network.all_states(x, EDGES), wanted)


def test_the_first_states_are_the_input_where_it_is_as_wide():
    network, (x,) = stacked([gnn.InitialResidual(1.0)] * 3, widths=(4, 4, 4, 4, 2))
    assert all(torch.equal(state, x) for state in network.all_states(x, EDGES)[:-1])


def test_a_dense_layer_hears_all_before_as_pyg():
    pyg = pytest.importorskip("torch_geometric.nn", reason="DeepGCNLayer is the one to agree with")
    torch.manual_seed(0)
    layers = [gnn.GCNConv(3, 4), gnn.GCNConv(4, 5), gnn.GCNConv(9, 2)]
    network, x = gnn.GNN(layers, activation="tanh", residual="dense").double(), leaf(NUM_SRC, 3)
    theirs = [pyg.GCNConv(layer.in_channels, layer.out_channels).double() for layer in layers]
    for one, other in zip(theirs, layers, strict=True):
        one.load_state_dict(other.state_dict())
    first = theirs[0](x, EDGES).tanh()
    both = pyg.DeepGCNLayer(theirs[1], act=torch.nn.Tanh(), block="dense")(first, EDGES)
    torch.testing.assert_close(network(x, EDGES), theirs[2](both, EDGES))
    assert [state.shape[1] for state in network.all_states(x, EDGES)] == [3, 4, 5, 2]


def test_unknown_residuals_are_refused():
    with pytest.raises(InputError, match="\"dense\" or Residuals, got 'dens'"):
        gnn.GNN([gnn.GCNConv(3, 2)], residual="dens")  # pyright: ignore[reportArgumentType]


def test_a_gate_chooses():
    gates = [gnn.GatedResidual(4) for _ in range(3)]
    network, (x,) = stacked(gates)

    def gated(gate):
        def joined(out, before, first):
            share = torch.sigmoid(before @ gate.lin.weight.T + gate.lin.bias)
            return share * out + (1 - share) * before

        return joined

    torch.testing.assert_close(network.all_states(x, EDGES), by_hand(network, x, [gated(gate) for gate in gates]))
    assert (torch.sigmoid(gates[0].lin.bias) < 0.5).all()  # at first more is carried than changed


def test_a_closed_gate_carries_and_an_open_one_lets_through():
    gate, out, before = gnn.GatedResidual(4), torch.randn(3, 4), torch.randn(3, 4)
    for bias, wanted in ((-1e4, before), (1e4, out)):
        torch.nn.init.constant_(gate.lin.bias, bias)
        torch.testing.assert_close(gate(out, before, before), wanted)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: gnn.InitialResidual(1.5), "alpha is a share"),
        (lambda: stacked([gnn.AddResidual()]), "4 layers take 3 residuals; got 1"),
    ],
)
def test_wrong_input_is_named(make, match):
    with pytest.raises(InputError, match=match):
        make()
