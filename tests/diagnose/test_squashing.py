"""Over-squashing: the Jacobian against torch.func, a linear network against powers of its matrix; bottlenecks."""

import importlib
import math

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given

from grapevine.diagnose.squashing import bottlenecks, jacobian_norms, sensitivity
from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn import GNN, GATConv, GCNConv, GINConv
from tests.diagnose.cases import adjacency_of, any_graph, random_states, some

MODULE = importlib.import_module("grapevine.diagnose.squashing")


def both_ways(plain: nx.Graph) -> Adjacency:
    adj = adjacency_of(plain)
    return Adjacency(torch.cat([adj.edge_index, adj.edge_index.flip(0)], 1), adj.num_nodes)


@some
@given(any_graph())
def test_a_linear_network_against_powers_of_its_matrix(case):
    adj, _ = case
    n = adj.num_nodes
    network = GNN([GINConv(torch.nn.Identity()), GINConv(torch.nn.Identity())], activation="none")
    matrix = torch.eye(n, dtype=torch.float64)
    matrix.index_put_((adj.dst, adj.src), torch.ones(adj.num_edges, dtype=torch.float64), accumulate=True)
    expected = (matrix @ matrix).numpy() * 2  # two equal columns
    found = jacobian_norms(lambda x: network(x, adj), random_states(n, 2), torch.arange(n))
    assert np.allclose(found, expected)
    table = sensitivity(lambda x: network(x, adj), random_states(n, 2), adj)
    assert table.is_exact
    directed = nx.DiGraph(adj.edge_index.T.tolist())
    directed.add_nodes_from(range(n))
    lengths = dict(nx.all_pairs_shortest_path_length(directed))
    distance = np.array([[lengths[j].get(i, math.inf) for j in range(n)] for i in range(n)])
    assert table.distance.tolist() == sorted(set(distance.ravel()))
    for k, d in enumerate(table.distance):
        there = expected[distance == d]
        assert table.num_pairs[k] == len(there)
        assert math.isclose(table.mean[k], there.mean())
        assert math.isclose(table.median[k], np.median(there))
        assert d <= 2 or table.mean[k] == 0
    shares = expected / expected.sum(1, keepdims=True)
    assert np.allclose(table.share, [shares[distance == d].sum() / n for d in table.distance])
    finite = np.isfinite(distance)
    assert math.isclose(table.reach, (shares[finite] * distance[finite]).sum() / n, abs_tol=1e-12)


def test_against_the_whole_jacobian():
    adj, x = both_ways(nx.lollipop_graph(4, 3)), random_states(7, 3)
    network = GNN([GATConv(3, 4), GCNConv(4, 2)], activation="tanh").double()
    whole = torch.autograd.functional.jacobian(lambda x: network(x, adj), x)  # [n, d, n, c]
    found = jacobian_norms(lambda x: network(x, adj), x, torch.tensor([5, 0]))
    assert torch.allclose(found, whole.abs().sum((1, 3))[[5, 0]])
    assert not x.requires_grad


def test_nothing_arrives_from_beyond_the_layers():
    adj = both_ways(nx.path_graph(8))
    network = GNN([GCNConv(2, 2) for _ in range(3)], activation="tanh")
    table = sensitivity(lambda x: network(x, adj), torch.rand(8, 2), adj)
    assert (table.mean[:4] > 0).all()
    assert (table.mean[4:] == 0).all()
    assert math.isclose(table.share.sum(), 1, rel_tol=1e-6)
    assert 0 < table.reach < 3


def test_some_targets():
    adj, x = both_ways(nx.cycle_graph(30)), torch.rand(30, 2)
    network = GNN([GCNConv(2, 2)], activation="none")
    table = sensitivity(lambda x: network(x, adj), x, adj, num_targets=5)
    assert not table.is_exact
    assert len(table.targets) == len(set(table.targets)) == 5
    assert table.num_pairs.sum() == 150
    again = sensitivity(lambda x: network(x, adj), x, adj, num_targets=5)
    assert np.array_equal(again.targets, table.targets)
    whole = sensitivity(lambda x: network(x, adj), x, adj)
    assert np.allclose(whole.mean, table.mean)  # all nodes of a ring are alike


def test_a_network_that_hears_nothing():
    adj = both_ways(nx.path_graph(3))
    table = sensitivity(lambda x: x * 0, torch.rand(3, 2), adj)
    assert np.isnan(table.share).all()
    assert math.isnan(table.reach)
    empty = sensitivity(lambda x: x, torch.zeros(0, 2), Adjacency([[], []], num_nodes=0))
    assert len(empty.distance) == 0


def test_wrong_networks():
    adj = both_ways(nx.path_graph(3))
    with pytest.raises(InputError, match="must depend on x"):
        sensitivity(lambda x: torch.ones(3, 2), torch.rand(3, 2), adj)
    with pytest.raises(InputError, match=r"network\(x\) must have 2 dimensions"):
        sensitivity(lambda x: x.sum(1), torch.rand(3, 2), adj)
    with pytest.raises(InputError, match="takes features of 3 sources, got 4 rows"):
        sensitivity(lambda x: x, torch.rand(4, 2), adj)
    with pytest.raises(InputError, match="num_targets must be positive"):
        sensitivity(lambda x: x, torch.rand(3, 2), adj, num_targets=0)


@pytest.mark.parametrize("by", ["resistance", "curvature"])
def test_the_bridge_is_the_bottleneck(by, monkeypatch):
    plain = nx.barbell_graph(6, 0)
    plain.add_edge(0, 12)  # a leaf: nothing passes to it
    found = bottlenecks(adjacency_of(plain), count=3, by=by)
    assert found.pairs[:, 0].tolist() == [5, 6]
    assert math.isclose(found.resistance[0], 1)
    assert math.isclose(found.curvature[0], 4 / 6 - 2)
    assert found.pairs.shape == (2, 3)
    assert 12 not in found.pairs
    monkeypatch.setattr(MODULE, "_EXACT", 1)
    again = bottlenecks(adjacency_of(plain), count=1, by=by)
    assert again.pairs[:, 0].tolist() == [5, 6]


def test_bottlenecks_are_in_order():
    adj = adjacency_of(nx.gnm_random_graph(40, 70, seed=0))
    assert np.all(np.diff(bottlenecks(adj).resistance) <= 1e-9)
    assert np.all(np.diff(bottlenecks(adj, by="curvature").curvature) >= 0)
    assert bottlenecks(adj, count=0).pairs.shape == (2, 0)
    assert bottlenecks(Adjacency([[], []], num_nodes=3)).pairs.shape == (2, 0)


def test_wrong_questions():
    with pytest.raises(InputError, match="by must be"):
        bottlenecks(Adjacency([[0], [1]]), by="height")
    with pytest.raises(InputError, match="count must not be negative"):
        bottlenecks(Adjacency([[0], [1]]), count=-1)
