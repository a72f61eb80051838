"""The subtree kernel: against colours counted in a dict, and on graphs that 1-WL does not tell apart."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.diagnose import subtree_kernel
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.diagnose.pairs import ring_and_triangles
from tests.diagnose.test_wl import few, some_graphs


def counted(graph: Graph, rounds: int) -> Counter:
    """How often each pattern occurs, a pattern written out as nested tuples."""
    colors: list = [("start", label) for label in graph.z.tolist()]
    counts: Counter = Counter()
    for t in range(rounds + 1):
        counts.update((t, color) for color in colors)
        heard: list[list] = [[] for _ in colors]
        for j, i, kind in zip(*graph.adj.edge_index.tolist(), graph.kind.tolist(), strict=True):
            heard[i].append((kind, repr(colors[j])))
        colors = [repr((color, sorted(some))) for color, some in zip(colors, heard, strict=True)]
    return counts


@few
@given(st.lists(some_graphs(directed=True), min_size=1, max_size=3), st.integers(0, 3))
def test_the_kernel_counts_common_patterns(graphs, rounds):
    patterns = [counted(graph, rounds) for graph in graphs]
    expected = [[sum(a[key] * b[key] for key in a) for b in patterns] for a in patterns]
    made = subtree_kernel(Graph.batch(graphs), rounds=rounds, edge=["kind"])
    assert made.tolist() == expected


def test_graphs_of_one_colour_have_one_kernel():
    made = subtree_kernel(Graph.batch(list(ring_and_triangles())), rounds=5)
    assert made.tolist() == [[216.0, 216.0], [216.0, 216.0]]
    unit = subtree_kernel(Graph.batch(list(ring_and_triangles())), normalize=True)
    assert torch.allclose(unit, torch.ones(2, 2, dtype=torch.float64))


def test_wrong_rounds_are_named():
    with pytest.raises(InputError, match="rounds must be a whole number"):
        subtree_kernel(Graph([[0], [1]]), rounds=-1)
