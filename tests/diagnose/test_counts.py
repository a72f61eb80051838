"""Exact counts that are known of graphs made to be hard: how many pairs or graphs each test tells apart.

Wang & Zhang 2024, "An empirical study of realized GNN expressiveness" (BREC); Abboud et al. 2021 (EXP); Murphy et al.
2019 (CSL). Graphs that are told apart are not isomorphic, so no count can be too high but by an error.
"""

import pytest

from grapevine.diagnose import bound_of, graph_colors, separates
from grapevine.graph import Graph
from tests.diagnose.pairs import (
    CSL_SKIPS,
    brec_pairs,
    csl,
    exp_graphs,
    needs_graphs,
    ring_and_triangles,
    rook_and_shrikhande,
    strongly_regular,
)

KINDS = ("basic", "regular", "strongly_regular")
COUNTS = {  # of 60 basic, 50 regular and 50 strongly regular pairs
    "1-wl": (0, 0, 0),
    "oblivious-2-wl": (0, 0, 0),
    "distance-wl": (16, 14, 0),
    "resistance-wl": (60, 50, 0),
    "random-walk": (60, 50, 0),
    "node-marking": (60, 50, 0),
    "oblivious-3-wl": (60, 50, 0),
    "2-fwl": (60, 50, 0),
    "root-and-neighbour-marking": (60, 50, 50),
    "3-fwl": (60, 50, 50),
}
EXP = {"distance-wl": 600, "resistance-wl": 600, "random-walk": 600, "node-marking": 600}  # of 600 pairs
SLOW = {("root-and-neighbour-marking", "strongly_regular"), ("3-fwl", "strongly_regular")}
CASES = [
    pytest.param(test, kind, count, marks=[pytest.mark.slow] if (test, kind) in SLOW else [])
    for test, counts in COUNTS.items()
    for kind, count in zip(KINDS, counts, strict=True)
]


def num_classes(graphs: list[Graph], test) -> int:
    return len(graph_colors(Graph.batch(graphs), test).unique())


@needs_graphs
@pytest.mark.parametrize(("test", "kind", "count"), CASES)
def test_brec(test, kind, count):
    assert sum(separates(*pair, test) for pair in brec_pairs(kind)) == count


@needs_graphs
@pytest.mark.parametrize("test", ["3-fwl", "root-and-neighbour-marking"])
def test_the_first_strongly_regular_pair_is_told_apart(test):
    assert separates(*brec_pairs("strongly_regular")[0], test)


@pytest.mark.parametrize("test", COUNTS)
def test_c6_and_two_triangles(test):
    assert separates(*ring_and_triangles(), test) == (test not in ("1-wl", "oblivious-2-wl"))


@pytest.mark.parametrize("test", COUNTS)
def test_the_4_x_4_rooks_graph_and_the_shrikhande_graph(test):
    assert separates(*rook_and_shrikhande(), test) == (test in ("3-fwl", "root-and-neighbour-marking"))


@needs_graphs
@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("1-wl", 1),
        ("distance-wl", 1),
        ("resistance-wl", 1),
        ("node-marking", 1),
        ("2-fwl", 1),
        ("oblivious-3-wl", 1),
        pytest.param("3-fwl", 15, marks=pytest.mark.slow),
        pytest.param("root-and-neighbour-marking", 15, marks=pytest.mark.slow),
    ],
)
def test_strongly_regular_graphs_of_25_nodes(test, count):
    assert num_classes(strongly_regular(), test) == count


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("1-wl", 1),
        ("oblivious-2-wl", 1),
        ("distance-wl", 9),  # skips 2 .. 16 differ in their distances, but for one pair of them
        ("resistance-wl", 10),
        ("random-walk", 10),
        ("node-marking", 10),
        ("2-fwl", 10),
    ],
)
def test_rings_with_chords(test, count):
    assert num_classes([csl(skip) for skip in CSL_SKIPS], test) == count


@needs_graphs
def test_exp_is_a_coin_for_1_wl():
    batch = Graph.batch(exp_graphs())
    colors = graph_colors(batch)
    assert bool((colors[::2] == colors[1::2]).all())
    assert bound_of(colors, batch.y).accuracy == 0.5


@needs_graphs
@pytest.mark.slow
@pytest.mark.parametrize("test", EXP)
def test_exp(test):
    batch = Graph.batch(exp_graphs())
    colors = graph_colors(batch, test)
    assert int((colors[::2] != colors[1::2]).sum()) == EXP[test]
