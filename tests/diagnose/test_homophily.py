"""Homophily: against the definitions written out, on known graphs, and on sets whose values were published."""

import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.data.readers.heterophilous_npz import read_heterophilous
from grapevine.data.readers.planetoid import read_planetoid
from grapevine.diagnose.homophily import homophily, node_homophily
from grapevine.errors import InputError
from grapevine.graph import Adjacency
from tests.data.files import SHARED, needs
from tests.diagnose.cases import adjacency_of, any_graph, many


@many
@given(any_graph(), st.lists(st.integers(-1, 2), min_size=6, max_size=6))
def test_against_the_definitions(case, labels):
    adj, plain = case
    y = labels[: adj.num_nodes]
    known = plain.subgraph([i for i in plain if y[i] >= 0])
    found = homophily(adj, torch.tensor(y))
    assert found.num_pairs == known.number_of_edges()
    ends = [(y[u], y[v]) for u, v in known.edges] + [(y[v], y[u]) for u, v in known.edges]
    if not ends:
        assert math.isnan(found.edge)
        assert math.isnan(found.node)
        return
    pair, one = ({k: c / len(ends) for k, c in Counter(e).items()} for e in (ends, [a for a, _ in ends]))
    edge = sum(p for (a, b), p in pair.items() if a == b)
    assert math.isclose(found.edge, edge)
    shares = [np.mean([y[v] == y[u] for v in known[u]]) for u in known if known[u]]
    assert math.isclose(found.node, np.mean(shares))
    if len(one) > 1:
        expected = sum(p * p for p in one.values())
        assert math.isclose(found.adjusted, (edge - expected) / (1 - expected), abs_tol=1e-12)
        mutual = sum(p * math.log(p / (one[a] * one[b])) for (a, b), p in pair.items())
        assert math.isclose(
            found.label_informativeness, mutual / -sum(p * math.log(p) for p in one.values()), abs_tol=1e-9
        )
    classes = Counter(label for label in y if label >= 0)
    if len(classes) > 1:
        inside = {k: pair.get((k, k), 0) / one[k] if k in one else 0 for k in classes}
        total = sum(max(0, inside[k] - c / classes.total()) for k, c in classes.items())
        assert math.isclose(found.class_insensitive, total / (len(classes) - 1), abs_tol=1e-12)
    assert found.num_classes == len(classes)
    for a in range(max(classes) + 1):
        for b in range(max(classes) + 1):
            share = pair.get((a, b), 0) / one[a] if a in one else math.nan
            assert np.isclose(found.compatibility[a, b], share, equal_nan=True)


def test_two_cliques_and_a_bridge():
    graph, y = adjacency_of(nx.barbell_graph(4, 0)), torch.tensor([0] * 4 + [1] * 4)
    found = homophily(graph, y)
    assert math.isclose(found.edge, 12 / 13)
    assert math.isclose(found.node, (6 + 2 * 3 / 4) / 8)
    assert math.isclose(found.adjusted, (12 / 13 - 0.5) / 0.5)
    assert math.isclose(found.class_insensitive, 2 * (12 / 13 - 0.5))
    assert np.allclose(found.compatibility, [[12 / 13, 1 / 13], [1 / 13, 12 / 13]])
    assert node_homophily(graph, y).tolist() == [1, 1, 1, 0.75, 0.75, 1, 1, 1]


def test_one_class_says_nothing():
    found = homophily(adjacency_of(nx.path_graph(3)), torch.zeros(3, dtype=torch.int64))
    assert (found.edge, found.node, found.num_classes) == (1, 1, 1)
    assert math.isnan(found.adjusted)
    assert math.isnan(found.label_informativeness)
    assert math.isnan(found.class_insensitive)


def test_a_class_between_without_nodes_changes_no_number():
    graph = adjacency_of(nx.path_graph(4))
    one, other = homophily(graph, torch.tensor([0, 0, 1, 1])), homophily(graph, torch.tensor([0, 0, 5, 5]))
    for name in ("edge", "node", "class_insensitive", "adjusted", "label_informativeness", "num_classes"):
        assert getattr(one, name) == getattr(other, name)
    assert other.compatibility.shape == (6, 6)


def test_no_nodes_and_nothing_known():
    for n in (0, 3):
        found = homophily(Adjacency([[], []], num_nodes=n), torch.full((n,), -1))
        assert math.isnan(found.edge)
        assert found.compatibility.shape == (0, 0)
        assert found.num_pairs == found.num_classes == 0


def test_wrong_input():
    with pytest.raises(InputError, match="y must be of dtype"):
        homophily(Adjacency([[0], [1]]), torch.zeros(2))
    with pytest.raises(InputError, match="y must have a row for each of the 2 nodes"):
        homophily(Adjacency([[0], [1]]), torch.zeros(3, dtype=torch.int64))


def rounded(found) -> list[float]:
    names = "edge", "node", "class_insensitive", "adjusted", "label_informativeness"
    return [round(getattr(found, name), 2) + 0.0 for name in names]


@needs("planetoid")
def test_cora_as_published():
    graph = read_planetoid(SHARED / "planetoid", "cora")
    found = rounded(homophily(graph, graph.y))
    assert found == [0.81, 0.83, 0.77, 0.77, 0.59]  # Platonov et al. 2023


@needs("heterophilous/minesweeper.npz")
def test_minesweeper_as_published():
    graph = read_heterophilous(SHARED / "heterophilous" / "minesweeper.npz").graph
    assert rounded(homophily(graph, graph.y)) == [0.68, 0.68, 0.01, 0.01, 0.0]


@needs("heterophilous/texas.npz")
def test_texas_as_published():
    graph = read_heterophilous(SHARED / "heterophilous" / "texas.npz").graph
    assert rounded(homophily(graph, graph.y)) == [0.06, 0.06, 0.0, -0.29, 0.19]
