"""Weave and its readout against their equations in plain loops."""

import pytest
import torch
from torch import Tensor

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.pairs import pairs_within
from grapevine.nn.encoder.weave import GaussianHistogram, Weave
from tests.nn.compare import assert_same
from tests.nn.encoder.molecules import batch, molecule


def by_loops(network: Weave, graph: Graph, pairs: list[list[int]], p: list[Tensor]) -> Tensor:
    """The equations, atom by atom and pair by pair; pairs are (source, target)."""
    a = list(graph.x)
    for k, atoms in enumerate(network.atoms):
        new = []
        for i in range(len(a)):
            heard = [
                atoms.of_pairs(state[None])[0].relu() for (_, end), state in zip(pairs, p, strict=True) if end == i
            ]
            total = sum(heard, torch.zeros(atoms.joint.out_channels, dtype=graph.x.dtype))
            new.append(atoms.joint(torch.cat([atoms.of_atom(a[i][None])[0].relu(), total])[None])[0].relu())
        if k < len(network.pairs):
            to_pairs = network.pairs[k]
            weight = torch.cat([to_pairs.of_target.weight, to_pairs.of_source.weight], 1)
            for q, (j, i) in enumerate(pairs):
                both = [
                    (weight @ torch.cat(ends) + to_pairs.of_target.bias).relu() for ends in ((a[i], a[j]), (a[j], a[i]))
                ]
                p[q] = to_pairs.joint(torch.cat([sum(both), to_pairs.of_pair(p[q][None])[0].relu()])[None])[0].relu()
        a = new
    return network.lin_out(torch.stack(a)).tanh()


def check(network: Weave, graph: Graph, pairs: Tensor, p: Tensor) -> None:
    leaves = [graph.x.requires_grad_(), *network.parameters()]
    assert_same(
        lambda: network(graph.x, graph, graph.edge_attr),
        lambda: by_loops(network, graph, pairs.T.tolist(), list(p)),
        leaves,
    )


@pytest.mark.parametrize("num_layers", [1, 3])
def test_it_is_its_equations(num_layers):
    torch.manual_seed(0)
    graph, network = batch(), Weave(3, 4, edge_channels=2, hidden_channels=5, num_layers=num_layers).double()
    check(network, graph, graph.adj.edge_index, graph.edge_attr)


def test_it_makes_the_pairs():
    torch.manual_seed(0)
    graph, network = batch(), Weave(3, 4, edge_channels=2, hidden_channels=5, distance=3).double()
    pairs = pairs_within(graph.adj, 3)
    check(network, graph, pairs.adj.edge_index, pairs.features(graph.edge_attr))


def test_pairs_have_no_direction():
    """Where the features of a pair are the same in both directions, its state stays so."""
    graph, network = molecule("ring"), Weave(3, 4, edge_channels=2, hidden_channels=5).double()
    state = network.pairs[0](graph.x, graph.adj.pattern, graph.edge_attr)
    states = dict(zip(map(tuple, graph.adj.edge_index.T.tolist()), state, strict=True))
    for (j, i), one in states.items():
        torch.testing.assert_close(one, states[i, j])


def test_the_norm_is_told_the_graphs():
    graph, network = batch(), Weave(3, 4, edge_channels=2, norm=gnn.GraphNorm(4)).double()
    *_, last = network.all_states(graph.x, graph, graph.edge_attr)
    plain = network.lin_out(network.all_states(graph.x, graph, graph.edge_attr)[-2]).tanh()
    torch.testing.assert_close(last, network.norm(plain, graph.members))
    assert not torch.allclose(last, network.norm(plain, None))


def test_the_histogram_shares_every_number_out():
    """Memberships are densities over their peaks, made to add up to one; each bin adds up its share."""
    graph, x = batch(), 2 * torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    centres = torch.tensor([-1.645, -1.08, -0.739, -0.468, -0.228, 0, 0.228, 0.468, 0.739, 1.08, 1.645]).double()
    widths = torch.tensor([0.283, 0.17, 0.134, 0.118, 0.114, 0.114, 0.114, 0.118, 0.134, 0.17, 0.283]).double()
    bins = torch.distributions.Normal(centres, widths)
    member = (bins.log_prob(x[:, :, None]) - bins.log_prob(centres)).exp()
    share = member / member.sum(2, keepdim=True)
    wanted = torch.stack([part.sum(0).flatten() for part in share.split([5, 1, 2])])
    torch.testing.assert_close(gnn.Readout(GaussianHistogram())(x, graph), wanted)


def test_the_histogram_of_far_numbers():
    out = gnn.Readout(GaussianHistogram())(torch.tensor([[1e4], [-1e4]]), Graph([[0], [1]]))
    assert out[0, [0, -1]].tolist() == [1, 1]


def test_wrong_input():
    graph, network = batch(), Weave(3, 4, edge_channels=2).double()
    with pytest.raises(InputError, match="needs edge features"):
        network(graph.x, graph)
    with pytest.raises(InputError, match="edge must have 2 columns"):
        network(graph.x, graph, graph.edge_attr[:, :1])
    with pytest.raises(InputError, match="distance must be a positive number"):
        Weave(3, 4, edge_channels=2, distance=0)
