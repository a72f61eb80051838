"""The best that can be done on given labels: against trying all answers, and on graphs no network tells apart."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.diagnose import bound, bound_of
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.diagnose.pairs import ring_and_triangles
from tests.graph.cases import many

ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=8)


@many
@given(ROWS)
def test_no_answer_by_colour_is_better(rows):
    colors, labels = torch.tensor(rows).T
    answers = [torch.tensor(given_answer)[colors] for given_answer in product(range(3), repeat=3)]
    made = bound_of(colors, labels)
    assert made.accuracy == pytest.approx(max((answer == labels).double().mean().item() for answer in answers))
    numbers = bound_of(colors, labels.double())
    medians = min((answer - labels).abs().double().mean().item() for answer in answers)  # some median is a label
    assert numbers.absolute == pytest.approx(medians)
    means = torch.stack([labels[colors == color].double().mean() for color in colors])
    assert numbers.squared == pytest.approx(((labels - means) ** 2).mean().item(), abs=1e-12)
    alike = [int((colors == color).sum()) > 1 for color in colors]
    assert (made.num_classes, made.num_alike) == (len(colors.unique()), sum(alike))


def test_two_graphs_of_one_colour_and_two_classes():
    batch = Graph.batch(list(ring_and_triangles()))
    assert bound(batch, torch.tensor([0, 1])).accuracy == 0.5
    assert bound(batch, torch.tensor([0, 1]), "2-fwl").accuracy == 1.0
    found = bound(batch, torch.tensor([[0.0], [3.0]]))
    assert (found.squared, found.absolute) == (2.25, 1.5)
    assert bound(batch, torch.arange(12)).accuracy == pytest.approx(1 / 12)


def test_features_raise_the_bound():
    graph, labels = ring_and_triangles()[0], torch.tensor([0, 0, 0, 1, 1, 1])
    assert bound(graph, labels).accuracy == 0.5
    assert bound(graph.replace(x=torch.eye(6)), labels).accuracy == 1.0


def test_unknown_numbers_are_left_out():
    colors = torch.tensor([0, 0, 0, 1])
    found = bound_of(colors, torch.tensor([[1.0, float("nan")], [3.0, 5.0], [float("nan"), 5.0], [9.0, 5.0]]))
    assert (found.squared, found.absolute) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_without_labels_classes_are_counted():
    assert bound_of(torch.tensor([7, 7, 9])).num_alike == 2


def test_several_columns_are_averaged():
    labels = torch.tensor([[True, False], [False, False]])
    assert bound_of(torch.tensor([0, 0]), labels).accuracy == 0.75


def test_wrong_labels_are_named():
    graph = Graph([[0, 1], [1, 0]])
    with pytest.raises(InputError, match="got 3 for 2 nodes and 1 graphs"):
        bound(graph, torch.zeros(3))
    with pytest.raises(InputError, match="give level='node' or level='graph'"):
        bound(Graph([[0], [0]]), torch.zeros(1))
    with pytest.raises(InputError, match="a row for each of the 2 nodes"):
        bound(graph, torch.zeros(1), level="node")
    with pytest.raises(InputError, match="a row for each of the 3 colours"):
        bound_of(torch.tensor([0, 1, 1]), torch.zeros(2))
