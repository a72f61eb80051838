"""EGNN against its equations with coordinates, which the network itself never sees."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.equivariant.egnn import EGNN
from grapevine.nn.equivariant.geometry import vectors_of
from tests.nn.equivariant.structures import named

CUTOFF = 4.0


def by_coordinates(network: EGNN, graph: Graph) -> Tensor:
    """Messages from states and places, edge by edge; places move."""
    h = network.embedding(torch.tensor([network.elements.index(z) for z in graph.z.tolist()]))
    x, edges = graph.pos, graph.adj.edge_index.T.tolist()
    start = {(j, i): (x[j] - x[i]).norm() for j, i in edges}
    smooth = network.cutoff_function == "cosine"
    factor = {
        e: (torch.cos(math.pi * r / CUTOFF) + 1) / 2 if smooth else torch.ones(()).double() for e, r in start.items()
    }
    for number, layer in enumerate(network.layers):
        messages = {}
        for j, i in edges:
            square = (x[i] - x[j]).square().sum().view(1, 1)
            first = layer.lin_dst(h[i : i + 1]) + layer.lin_src(h[j : j + 1]) + layer.lin_square(square)
            message = silu(layer.lin_message(silu(first)))[0]
            if layer.lin_attention is not None:
                message = message * layer.lin_attention(message.unsqueeze(0))[0].sigmoid()
            messages[j, i] = message * factor[j, i]
        heard = [
            sum((m for (j, i), m in messages.items() if i == atom), torch.zeros_like(h[0])) for atom in range(len(h))
        ]
        h = h + layer.mlp(torch.cat([h, torch.stack(heard)], 1))
        if number < len(network.steps):
            x = moved(network.steps[number], x, messages, factor if smooth else None)
    return network.readout(h)


def moved(step, x: Tensor, messages: dict, factor: dict | None) -> Tensor:
    places = []
    for atom in range(len(x)):
        total, count = torch.zeros(3, dtype=torch.float64), torch.zeros(()).double()
        for (j, i), message in messages.items():
            if i == atom:
                size = step.lin_out(silu(step.lin_hidden(message.unsqueeze(0))))[0]
                size = size.tanh() if step.tanh else size
                apart = x[i] - x[j]
                apart = apart / (apart.norm() + 1) if step.normalize else apart
                weight = torch.ones(()).double() if factor is None else factor[j, i]
                total, count = total + weight * apart * size, count + weight
        places.append(x[atom] + total / (count.clamp(min=1) if factor is None else count + 1))
    return torch.stack(places)


@pytest.mark.parametrize("cutoff_function", ["cosine", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention": False, "update_coordinates": True},
        {"update_coordinates": True, "normalize": True, "tanh": True},
    ],
    ids=["QM9", "moving", "stabilised"],
)
def test_it_is_its_equations(options, cutoff_function):
    network = EGNN(
        elements=(1, 6, 8), cutoff=CUTOFF, hidden_channels=5, num_layers=3, cutoff_function=cutoff_function, **options
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.5, 0.5)
    graph = named("ethanol", CUTOFF)
    out = network(graph.z, graph.adj, vectors_of(graph))
    torch.testing.assert_close(out, by_coordinates(network, graph), rtol=1e-9, atol=1e-9)


def test_the_defaults_are_those_of_qm9():
    network = EGNN(elements=(1,))
    assert (len(network.layers), len(network.steps)) == (7, 0)
    assert network.layers[0].lin_attention is not None


def test_steps_that_are_held_in_do_not_blow_up():
    """Huge weights move no atom further than a step along each of its neighbours, in every layer."""
    torch.manual_seed(0)
    options = {"elements": (1, 6, 8), "cutoff": CUTOFF, "hidden_channels": 16, "update_coordinates": True}
    network, graph = EGNN(**options, normalize=True, tanh=True), named("ethanol", CUTOFF, torch.float32)
    with torch.no_grad():
        for step in network.steps:
            step.lin_out.weight.fill_(1e4)
    assert bool(network(graph.z, graph.adj, vectors_of(graph)).isfinite().all())


def test_wrong_input():
    with pytest.raises(InputError, match="go with update_coordinates=True"):
        EGNN(elements=(1,), tanh=True)
    with pytest.raises(InputError, match="num_layers"):
        EGNN(elements=(1,), num_layers=0)
