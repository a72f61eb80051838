"""The MPNN against the equations of Gilmer et al. 2017, written out, and its gated readout."""

import pytest
import torch
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.encoder.mpnn import MPNN
from grapevine.nn.gated_readout import GatedReadout
from grapevine.nn.network import Network
from tests.nn.compare import NUM_SRC, leaf, square


def gru(cell: nn.GRUCell, m: Tensor, h: Tensor) -> Tensor:
    """A gated recurrent unit, from its weights."""
    r, z, n = ((m @ w.T + b) for w, b in zip(cell.weight_ih.chunk(3), cell.bias_ih.chunk(3), strict=True))
    hr, hz, hn = ((h @ w.T + b) for w, b in zip(cell.weight_hh.chunk(3), cell.bias_hh.chunk(3), strict=True))
    keep = torch.sigmoid(z + hz)
    return (1 - keep) * torch.tanh(n + torch.sigmoid(r + hr) * hn) + keep * h


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("message", ["edge_network", "pair", "matrix"])
def test_steps_are_message_and_gru(message, tied):
    torch.manual_seed(0)
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = leaf(adj.num_edges, 5, seed=1)
    network = MPNN(3, 4, 5, message=message, num_steps=3, tied=tied, edge_hidden_channels=6).double()
    assert len(network.messages) == len(network.updates) == (1 if tied else 3)
    states = network.all_states(x, adj, edge)
    h = x @ network.embedding.weight.T + network.embedding.bias
    assert states[0] is x
    for k in range(3):
        own = 0 if tied else k
        h = gru(network.updates[own], network.messages[own](h, adj, edge), h)
        torch.testing.assert_close(states[k + 1], h)
    torch.testing.assert_close(network(x, adj, edge), h)


def test_a_label_chooses_its_matrix():
    """One-hot features: a gated graph network's message, a matrix for each label and either direction."""
    torch.manual_seed(0)
    adj, x = square(), leaf(NUM_SRC, 3)
    label = torch.randint(2, (adj.num_edges,))
    network = MPNN(3, 4, 2, message="matrix", num_steps=1, embedding="pad").double()
    h = torch.cat([x, x.new_zeros(NUM_SRC, 1)], 1)
    of_label = [way.last.weight.view(4, 4, 2).movedim(2, 0) for way in network.messages[0].networks]
    heard = torch.zeros(NUM_SRC, 8, dtype=torch.float64)
    for k, (j, i) in enumerate(adj.edge_index.T.tolist()):
        heard[i, :4] += h[j] @ of_label[0][label[k]]
        heard[j, 4:] += h[i] @ of_label[1][label[k]]
    one_hot = nn.functional.one_hot(label, 2).double()
    torch.testing.assert_close(network(x, adj, one_hot), gru(network.updates[0], heard, h))


def test_one_direction_has_half_the_messages():
    both, one = MPNN(3, 4, 5), MPNN(3, 4, 5, both_directions=False)
    assert [both.updates[0].input_size, one.updates[0].input_size] == [8, 4]


@pytest.mark.parametrize("hidden", [None, 6])
def test_gated_readout_is_equation_4(hidden):
    parts = [Graph([[0, 1], [1, 0]], x=leaf(3, 2).detach()), Graph([[0], [1]], x=leaf(2, 2, seed=1).detach())]
    batch = Graph.batch(parts)
    head = GatedReadout(2, 4, 3, hidden_channels=hidden, activation="tanh").double()
    last = leaf(5, 4, seed=2)
    weight = torch.cat([head.gate_input.weight, head.gate_state.weight], 1)
    gate = torch.cat([batch.x, last], 1) @ weight.T + head.gate_input.bias
    if hidden is not None:
        gate = head.gate_last(gate.tanh())
    weighed = torch.sigmoid(gate) * head.value(last)
    wanted = torch.stack([weighed[:3].sum(0), weighed[3:].sum(0)])
    states = [batch.x, leaf(5, 7, seed=3), last]
    torch.testing.assert_close(head(states, batch), wanted)
    torch.testing.assert_close(head(states, batch, torch.tensor([1])), wanted[1:])


def test_a_network_learns_what_the_bonds_say():
    """The number of bonds of the second kind, which no node feature tells."""
    torch.manual_seed(0)
    graphs, answers = [], []
    for k in range(40):
        kind = torch.randint(2, (k % 5 + 2,))
        ends = torch.stack([torch.arange(len(kind)), torch.arange(1, len(kind) + 1)])
        bonds = nn.functional.one_hot(torch.cat([kind, kind]), 2).float()
        x = torch.ones(len(kind) + 1, 1)
        graphs.append(Graph(torch.cat([ends, ends.flip(0)], 1), x=x, edge_attr=bonds))
        answers.append(float(kind.sum()))
    batch, y = Graph.batch(graphs), torch.tensor(answers).unsqueeze(1)
    network = Network(MPNN(1, 8, 2, num_steps=2, edge_hidden_channels=8), GatedReadout(1, 8, 1), edge="edge_attr")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        loss = (network(batch) - y).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1 * y.var().item()


def test_wrong_input_is_named():
    adj, x = square(), leaf(NUM_SRC, 3)
    for call, message in (
        (lambda: MPNN(3, 4, 5).double()(x, adj), "MPNN needs edge features"),
        (lambda: MPNN(3, 4, 5, message="other"), "message is edge_network, pair or matrix"),
        (lambda: MPNN(9, 4, 5, embedding="pad"), "9 features become no 4 states"),
        (lambda: MPNN(3, 4, 5, num_steps=0), "num_steps must be at least 1"),
        (lambda: GatedReadout(3, 4, 2).double()(x, Graph(adj)), "takes a list of states"),
    ):
        with pytest.raises(InputError, match=message):
            call()
