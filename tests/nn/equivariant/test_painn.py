"""PaiNN against its equations, edge by edge, and its vectors."""

import math

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.equivariant.geometry import vectors_of
from grapevine.nn.equivariant.painn import PaiNN
from tests.nn.equivariant.structures import named, salt

CUTOFF = 4.0
OPTIONS = {"elements": (1, 6, 8), "cutoff": CUTOFF, "hidden_channels": 5, "num_layers": 2, "num_basis": 6}


def by_loops(network: PaiNN, graph: Graph) -> tuple[Tensor, Tensor]:
    """The equations with every message in memory; U and V are the two halves of one map."""
    s = network.embedding(torch.tensor([network.elements.index(z) for z in graph.z.tolist()]))
    v = s.new_zeros(len(s), 3, s.shape[1])
    for message, update in zip(network.messages, network.updates, strict=True):
        phi, ds, dv = message.mlp(s), torch.zeros_like(s), torch.zeros_like(v)
        for (j, i), vector in zip(graph.adj.edge_index.T.tolist(), vectors_of(graph), strict=True):
            r = vector.norm()
            basis = torch.stack([math.sqrt(2 / CUTOFF) * torch.sin(k * math.pi * r / CUTOFF) / r for k in range(1, 7)])
            factor = (torch.cos(math.pi * r / CUTOFF) + 1) / 2 if network.cutoff_function == "cosine" else 1.0
            one, two, three = (phi[j] * message.lin_filter(basis.unsqueeze(0))[0] * factor).chunk(3)
            ds[i] += one
            dv[i] += v[j] * three + two * (vector / r).unsqueeze(1)
        s, v = s + ds, v + dv
        of_u, of_v = update.lin_vector.weight.chunk(2)
        u, w = v @ of_u.T, v @ of_v.T
        a1, a2, a3 = update.mlp(torch.cat([s, (w.square().sum(1) + 1e-8).sqrt()], 1)).chunk(3, dim=1)
        s, v = s + a1 + a2 * (u * w).sum(1), v + a3.unsqueeze(1) * u
    return s, v


@pytest.mark.parametrize("make", [lambda: named("ethanol", CUTOFF), lambda: salt(CUTOFF)], ids=["molecule", "crystal"])
@pytest.mark.parametrize("cutoff_function", ["cosine", "none"])
def test_it_is_its_equations(cutoff_function, make):
    network = PaiNN(**OPTIONS, cutoff_function=cutoff_function).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-1, 1)
    graph = make()
    s, v = network.states(graph.z, graph.adj, vectors_of(graph))
    for got, wanted in zip((s, v), by_loops(network, graph), strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(network(graph.z, graph.adj, vectors_of(graph)), network.readout(s))


def test_its_vectors_turn_with_the_molecule():
    network, graph = PaiNN(**OPTIONS).double(), named("ethanol", CUTOFF)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
    _, v = network.states(graph.z, graph.adj, vectors_of(graph))
    _, turned = network.states(graph.z, graph.adj, vectors_of(graph) @ turn)
    torch.testing.assert_close(turned, torch.einsum("nac,ab->nbc", v, turn), rtol=1e-10, atol=1e-10)


def test_it_tells_angles_apart_where_distances_are_alike():
    """Of four neighbours as far away, their sum is what one layer sees: none of a square and of a tetrahedron."""
    square = torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], dtype=torch.float64)
    three = 3**-0.5 * torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64)
    bent = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64)
    network = PaiNN(**{**OPTIONS, "num_layers": 1}).double()
    adj = Graph([[1, 2, 3, 4], [0, 0, 0, 0]], num_nodes=5).adj
    outs = [network(torch.ones(5, dtype=torch.long), adj, vector)[0] for vector in (square, three, bent)]
    torch.testing.assert_close(outs[0], outs[1])  # both sum to no vector
    assert not torch.allclose(outs[0], outs[2])


def test_wrong_input():
    with pytest.raises(InputError, match="num_layers"):
        PaiNN(elements=(1,), num_layers=0)
    with pytest.raises(InputError, match="cutoff_function"):
        PaiNN(elements=(1,), cutoff_function="step")
