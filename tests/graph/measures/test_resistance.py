"""Effective resistance: against NetworkX, the pseudo-inverse and closed forms."""

import importlib
import math

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.measures.resistance import effective_resistance, estimated_resistance, resistance_matrix
from tests.diagnose.cases import adjacency_of, any_graph, some

MODULE = importlib.import_module("grapevine.graph.measures.resistance")


@some
@given(any_graph())
def test_against_the_pseudo_inverse(case):
    adj, plain = case
    n = adj.num_nodes
    inverse = np.linalg.pinv(nx.laplacian_matrix(plain, nodelist=range(n)).toarray().astype(float))
    expected = np.diagonal(inverse)[:, None] + np.diagonal(inverse) - 2 * inverse
    for u in range(n):
        for v in range(n):
            expected[u, v] = expected[u, v] if nx.has_path(plain, u, v) else np.inf
    assert np.allclose(resistance_matrix(adj), expected, atol=1e-9)
    pairs = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T
    assert np.allclose(effective_resistance(adj, pairs), expected.ravel(), atol=1e-9)


@some
@given(any_graph())
def test_conjugate_gradients_and_edges_add_up(case):
    adj, plain = case
    pairs = torch.cartesian_prod(torch.arange(adj.num_nodes), torch.arange(adj.num_nodes)).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MODULE, "_DENSE", 1)
        solved = effective_resistance(adj, pairs)
    assert np.allclose(solved, effective_resistance(adj, pairs), atol=1e-8)
    trees = adj.num_nodes - nx.number_connected_components(plain)  # edges of a spanning forest (Foster 1949)
    assert math.isclose(effective_resistance(adj).sum(), trees, abs_tol=1e-9)


def test_as_networkx_has_it():
    plain = nx.connected_watts_strogatz_graph(30, 4, 0.3, seed=0)
    expected = nx.resistance_distance(plain)
    found = resistance_matrix(adjacency_of(plain))
    assert np.allclose(found, [[expected[u][v] for v in range(30)] for u in range(30)])


def test_closed_forms():
    path, ring, clique = (adjacency_of(f(7)) for f in (nx.path_graph, nx.cycle_graph, nx.complete_graph))
    k = np.arange(7)
    assert np.allclose(resistance_matrix(path)[0], k)
    assert np.allclose(resistance_matrix(ring)[0], k * (7 - k) / 7)
    assert np.allclose(resistance_matrix(clique)[0, 1:], 2 / 7)
    assert np.allclose(effective_resistance(adjacency_of(nx.hypercube_graph(3))), 7 / 12)


def test_estimates():
    plain = nx.disjoint_union(nx.connected_watts_strogatz_graph(60, 4, 0.3, seed=1), nx.path_graph(3))
    adj = adjacency_of(plain)
    exact, found = effective_resistance(adj), estimated_resistance(adj, num_probes=500)
    assert np.abs(found / exact - 1).max() < 5 * (2 / 500) ** 0.5
    assert np.array_equal(found, estimated_resistance(adj, num_probes=500))
    assert estimated_resistance(adj, [[0, 5], [61, 5]], num_probes=3).tolist() == [math.inf, 0]


def test_long_and_thin():
    ladder = adjacency_of(nx.ladder_graph(2000))  # conjugate gradients at 4,000 nodes
    (found,) = effective_resistance(ladder, [[0], [1999]])
    assert math.isclose(found, 1999 / 2, rel_tol=1e-3)


def test_no_nodes_and_no_edges():
    assert resistance_matrix(Adjacency([[], []], num_nodes=0)).shape == (0, 0)
    assert resistance_matrix(Adjacency([[], []], num_nodes=2)).tolist() == [[0, math.inf], [math.inf, 0]]
    empty = Adjacency([[], []], num_nodes=3)
    assert effective_resistance(empty, [[0, 1], [0, 2]]).tolist() == [0, math.inf]
    assert len(effective_resistance(empty)) == len(estimated_resistance(empty)) == 0
    assert len(effective_resistance(Adjacency([[], []], num_nodes=0))) == 0


def test_wrong_input():
    with pytest.raises(InputError, match="must name nodes"):
        effective_resistance(Adjacency([[0], [1]]), [[0], [2]])
    with pytest.raises(InputError, match="ask effective_resistance for the pairs"):
        resistance_matrix(Adjacency([[0], [1]], num_nodes=20_001))
    with pytest.raises(InputError, match="num_probes must be positive"):
        estimated_resistance(Adjacency([[0], [1]]), num_probes=0)
