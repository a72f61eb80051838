"""The spectral gap: against all eigenvalues, closed forms and the true narrowest cut."""

import importlib
import itertools
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.measures.spectral_gap import spectral_gap
from tests.diagnose.cases import adjacency_of, any_graph, some

MODULE = importlib.import_module("grapevine.graph.measures.spectral_gap")


def gap_of(plain: nx.Graph) -> float:
    nodes = range(plain.number_of_nodes())
    return np.linalg.eigvalsh(nx.normalized_laplacian_matrix(plain, nodelist=nodes).toarray())[1]


@some
@given(any_graph())
def test_against_all_eigenvalues_and_all_cuts(case):
    adj, plain = case
    if adj.num_nodes < 2:
        return
    found = spectral_gap(adj)
    assert found.num_components == nx.number_connected_components(plain)
    if found.num_components > 1:
        assert (found.gap, found.lower, found.upper) == (0, 0, 0)
        largest = plain.subgraph(max(nx.connected_components(plain), key=len))
        if len(largest) > 1:
            assert math.isclose(found.largest, gap_of(nx.convert_node_labels_to_integers(largest)), abs_tol=1e-9)
        return
    side = set(np.flatnonzero(found.side))
    assert found.num_cut == nx.cut_size(plain, side)
    assert math.isclose(found.gap, gap_of(plain), abs_tol=1e-9)
    assert found.largest == found.gap
    assert math.isclose(found.conductance, nx.conductance(plain, side))
    assert nx.volume(plain, side) <= plain.number_of_edges()
    nodes = range(adj.num_nodes)
    subsets = (s for k in range(1, adj.num_nodes) for s in itertools.combinations(nodes, k))
    narrowest = min(nx.conductance(plain, s) for s in subsets)
    assert found.lower - 1e-9 <= narrowest <= found.conductance + 1e-9
    assert found.conductance <= found.upper + 1e-9


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        (nx.complete_graph(7), 7 / 6),
        (nx.cycle_graph(12), 1 - math.cos(2 * math.pi / 12)),
        (nx.path_graph(9), 1 - math.cos(math.pi / 8)),
        (nx.star_graph(5), 1),
        (nx.hypercube_graph(5), 2 / 5),
        (nx.petersen_graph(), 2 / 3),
    ],
)
def test_closed_forms(plain, expected):
    assert math.isclose(spectral_gap(adjacency_of(plain)).gap, expected, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        (nx.cycle_graph(1500), 1 - math.cos(2 * math.pi / 1500)),
        (nx.path_graph(3001), 1 - math.cos(math.pi / 3000)),
        (nx.hypercube_graph(9), 2 / 9),
        (nx.circular_ladder_graph(500), None),
    ],
)
def test_large_graphs(plain, expected):
    expected = gap_of(nx.convert_node_labels_to_integers(plain)) if expected is None else expected
    found = spectral_gap(adjacency_of(plain))
    assert math.isclose(found.gap, expected, rel_tol=1e-6)
    assert found.lower <= found.conductance <= found.upper


def test_lanczos_and_factorised_agree(monkeypatch):
    plain = nx.connected_watts_strogatz_graph(600, 6, 0.1, seed=0)
    adj, expected = adjacency_of(plain), gap_of(plain)
    assert math.isclose(spectral_gap(adj).gap, expected, rel_tol=1e-6)
    monkeypatch.setattr(MODULE, "_RESTARTS", 1)
    assert math.isclose(spectral_gap(adj).gap, expected, rel_tol=1e-6)


def test_the_cut_is_the_bridge():
    found = spectral_gap(adjacency_of(nx.barbell_graph(10, 0)))
    assert found.num_cut == 1
    assert set(np.flatnonzero(found.side)) in (set(range(10)), set(range(10, 20)))


def test_pieces():
    found = spectral_gap(adjacency_of(nx.disjoint_union(nx.barbell_graph(3, 0), nx.path_graph(2))))
    assert (found.gap, found.lower, found.upper, found.num_components, found.num_cut) == (0, 0, 0, 2, 1)
    assert math.isclose(found.largest, gap_of(nx.barbell_graph(3, 0)))
    assert math.isclose(found.conductance, 1 / 7)
    assert set(np.flatnonzero(found.side)) in ({0, 1, 2}, {3, 4, 5})
    nothing = spectral_gap(Adjacency([[], []], num_nodes=3))
    assert (nothing.gap, nothing.largest, nothing.num_components) == (0, 0, 3)
    assert math.isnan(nothing.conductance)
    assert not nothing.side.any()


def test_lanczos_gives_up_on_what_is_too_large(monkeypatch):
    monkeypatch.setattr(MODULE, "_FACTORISED", 500)
    monkeypatch.setattr(MODULE, "_RESTARTS", 1)
    with pytest.raises(InputError, match="did not converge"):
        spectral_gap(adjacency_of(nx.path_graph(600)))


def test_wrong_input():
    with pytest.raises(InputError, match="at least two nodes"):
        spectral_gap(Adjacency([[0], [0]]))
