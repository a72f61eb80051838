"""DTNN against its equations, edge by edge."""

import math

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.equivariant.dtnn import DTNN
from grapevine.nn.equivariant.geometry import vectors_of
from tests.nn.equivariant.structures import named

CUTOFF = 4.0


def by_loops(network: DTNN, graph: Graph) -> Tensor:
    c = network.embedding(torch.tensor([network.elements.index(z) for z in graph.z.tolist()]))
    for _ in range(network.num_steps):
        rows = [row.clone() for row in c]
        for j, i in graph.adj.edge_index.T.tolist():
            r = (graph.pos[j] - graph.pos[i]).norm()
            basis = torch.stack([torch.exp(-((r - (-1 + 0.2 * k)) ** 2) / (2 * 0.2**2)) for k in range(26)])
            joint = network.lin_state(c[j : j + 1]) * network.lin_basis(basis.unsqueeze(0))
            message = torch.tanh(joint @ network.lin_message.weight.T)[0]
            if network.cutoff_function == "cosine":
                message = message * (torch.cos(math.pi * r / CUTOFF) + 1) / 2
            rows[i] = rows[i] + message
        c = torch.stack(rows)
    return network.lin_out(torch.tanh(network.lin_hidden(c)))


@pytest.mark.parametrize("cutoff_function", ["cosine", "none"])
def test_it_is_its_equations(cutoff_function):
    network = DTNN(
        elements=(1, 6, 8), cutoff=CUTOFF, hidden_channels=6, num_steps=2, cutoff_function=cutoff_function
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-1, 1)
    graph = named("ethanol", CUTOFF)
    out = network(graph.z, graph.adj, vectors_of(graph))
    torch.testing.assert_close(out, by_loops(network, graph), rtol=1e-10, atol=1e-10)


def test_steps_share_their_weights():
    few, many = DTNN(elements=(1,), num_steps=1), DTNN(elements=(1,), num_steps=5)
    assert [p.shape for p in few.parameters()] == [p.shape for p in many.parameters()]
    with pytest.raises(InputError, match="num_steps"):
        DTNN(elements=(1,), num_steps=0)
