"""Curvature: against the definitions with matrices, a linear programme of the whole graph, and known values."""

import math

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.measures import curvature as module
from grapevine.graph.measures.curvature import balanced_forman, ollivier_ricci
from tests.diagnose.cases import adjacency_of, any_graph, many, networkx_of, some


def dense_forman(a: np.ndarray, i: int, j: int) -> float:
    """Definition 1 of Topping et al. 2022, with sets and matrices."""
    degree, near = a.sum(0), [set(np.flatnonzero(row)) for row in a]
    small, large = sorted((degree[i], degree[j]))
    if small == 1:
        return 0.0
    triangles = len(near[i] & near[j])

    def squares(u: int, v: int) -> set[int]:
        return {k for k in near[u] - near[v] - {v} if (near[k] & near[v]) - near[u] - {u}}

    value = 2 / degree[i] + 2 / degree[j] - 2 + 2 * triangles / large + triangles / small
    if squares(i, j):
        most = max(
            max(a[k] @ (a[j] - a[i] * a[j]) - 1 for k in squares(i, j)),
            max(a[w] @ (a[i] - a[j] * a[i]) - 1 for w in squares(j, i)),
        )
        value += (len(squares(i, j)) + len(squares(j, i))) / (most * large)
    return value


def dense_ollivier(plain: nx.Graph, i: int, j: int, idleness: float) -> float:
    """One linear programme over all nodes that can be reached."""
    nodes = sorted(nx.node_connected_component(plain, i))
    lengths = dict(nx.all_pairs_shortest_path_length(plain))
    cost = np.array([[lengths[u][v] for v in nodes] for u in nodes], float)
    heaps = []
    for centre in (i, j):
        heap = np.array([1.0 if u in plain[centre] else 0.0 for u in nodes]) * (1 - idleness) / plain.degree[centre]
        heap[nodes.index(centre)] += idleness
        heaps.append(heap)
    n = len(nodes)
    limits = np.concatenate([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    return 1 - linprog(cost.ravel(), A_eq=limits, b_eq=np.concatenate(heaps)).fun


@many
@given(any_graph())
def test_forman_against_the_definition(case):
    adj, plain = case
    pairs, found = balanced_forman(adj)
    dense = nx.to_numpy_array(plain, nodelist=range(adj.num_nodes))
    assert {*map(tuple, pairs.T.tolist())} == {tuple(sorted(e)) for e in plain.edges}
    assert np.allclose(found, [dense_forman(dense, i, j) for i, j in pairs.T])


def test_forman_of_larger_graphs_on_several_threads(monkeypatch):
    plain = nx.gnm_random_graph(120, 900, seed=0)
    adj, dense = adjacency_of(plain), nx.to_numpy_array(plain, nodelist=range(120))
    pairs, found = balanced_forman(adj)
    assert np.allclose(found, [dense_forman(dense, i, j) for i, j in pairs.T])
    monkeypatch.setattr("grapevine.ops.runtime.parallel._SMALL", 0)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert np.array_equal(balanced_forman(adj)[1], found)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        (nx.complete_graph(6), 6 / 5),
        (nx.complete_graph(3), 1.5),
        (nx.cycle_graph(4), 1),
        (nx.cycle_graph(5), 0),
        (nx.cycle_graph(9), 0),
        (nx.grid_2d_graph(5, 5, periodic=True), 0),
        (nx.hypercube_graph(3), 2 / 3),  # 4/3 - 2 + (2 + 2) / 3
        (nx.petersen_graph(), 4 / 3 - 2),  # no triangles, no squares
    ],
)
def test_known_forman(plain, expected):
    assert np.allclose(balanced_forman(adjacency_of(plain))[1], expected)


def test_forman_of_a_tree():
    adj = adjacency_of(nx.balanced_tree(2, 3))  # inner nodes have degree 3, the root 2
    (low, _), found = balanced_forman(adj)
    assert np.allclose(found[low == 0], 1 + 2 / 3 - 2)
    assert np.allclose(found[(low == 1) | (low == 2)], 4 / 3 - 2)
    assert np.allclose(found[low > 2], 0)  # leaves


@some
@given(any_graph(), st.sampled_from([0.0, 0.25, 0.5]))
def test_ollivier_against_one_linear_programme(case, idleness):
    adj, plain = case
    pairs, _ = balanced_forman(adj)
    found = ollivier_ricci(adj, idleness=idleness)
    assert np.allclose(found, [dense_ollivier(plain, i, j, idleness) for i, j in pairs.T.tolist()], atol=1e-7)


def test_both_ways_of_moving_sand_agree(monkeypatch):
    adj = adjacency_of(nx.gnm_random_graph(25, 70, seed=1))
    found = ollivier_ricci(adj)
    monkeypatch.setattr(module, "_LARGEST_ASSIGNMENT", 0)
    assert np.allclose(ollivier_ricci(adj), found, atol=1e-9)


@pytest.mark.parametrize(
    ("plain", "plain_walk", "lin_lu_yau"),
    [
        (nx.complete_graph(5), 3 / 4, 5 / 4),
        (nx.cycle_graph(3), 1 / 2, 3 / 2),
        (nx.cycle_graph(4), 0, 1),
        (nx.cycle_graph(5), 0, 1 / 2),
        (nx.cycle_graph(6), 0, 0),
        (nx.grid_2d_graph(7, 7, periodic=True), 0, 0),
        (nx.hypercube_graph(4), 0, 2 / 4),
    ],
)
def test_known_ollivier(plain, plain_walk, lin_lu_yau):
    adj = adjacency_of(plain)
    assert np.allclose(ollivier_ricci(adj), plain_walk)
    assert np.allclose(ollivier_ricci(adj, idleness=0.5) / 0.5, lin_lu_yau)


def test_ollivier_of_a_tree():
    plain = nx.balanced_tree(3, 3)
    adj = adjacency_of(plain)
    pairs, _ = balanced_forman(adj)
    degree = [plain.degree[i] for i in range(adj.num_nodes)]
    expected = [-2 * max(0, 1 - 1 / degree[i] - 1 / degree[j]) for i, j in pairs.T]  # Jost & Liu 2014
    assert np.allclose(ollivier_ricci(adj), expected)


def test_ollivier_is_at_least_the_bound_of_jost_and_liu():
    adj = adjacency_of(nx.gnm_random_graph(30, 90, seed=2))
    plain = networkx_of(adj)
    pairs, _ = balanced_forman(adj)
    for (i, j), found in zip(pairs.T.tolist(), ollivier_ricci(adj), strict=True):
        small, large = sorted((plain.degree[i], plain.degree[j]))
        triangles, rest = len(set(plain[i]) & set(plain[j])), 1 - 1 / small - 1 / large
        bound = triangles / large - max(0, rest - triangles / small) - max(0, rest - triangles / large)
        assert bound - 1e-9 <= found <= triangles / large + 1e-9


def test_some_pairs_in_either_direction():
    adj = adjacency_of(nx.lollipop_graph(4, 3))
    pairs, _ = balanced_forman(adj)
    assert np.allclose(ollivier_ricci(adj, torch.from_numpy(pairs[::-1, 2:4].copy())), ollivier_ricci(adj)[2:4])
    assert len(ollivier_ricci(adj, np.zeros((2, 0), int))) == 0


def test_no_edges():
    pairs, found = balanced_forman(Adjacency([[], []], num_nodes=3))
    assert pairs.shape == (2, 0)
    assert len(found) == len(ollivier_ricci(Adjacency([[], []], num_nodes=0))) == 0


def test_wrong_input():
    path = adjacency_of(nx.path_graph(3))
    with pytest.raises(InputError, match=r"\[0, 2\] is no edge"):
        ollivier_ricci(path, [[0, 0], [1, 2]])
    with pytest.raises(InputError, match="idleness must be in"):
        ollivier_ricci(path, idleness=1.0)
    assert math.isclose(ollivier_ricci(path, idleness=0.9)[0], 0.1)
