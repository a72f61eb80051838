"""Colour refinement: against plain Python, whatever the order of the nodes, and with hashes that meet."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.ops.color_refinement import color_refinement, cpu, reference
from grapevine.ops.pattern import Pattern
from tests.graph.cases import index_of, many, square_edges

INTEGERS = st.integers(-2, 2)


def classes(colors: torch.Tensor) -> list[int]:
    """The classes, numbered as they first appear."""
    seen: dict[int, int] = {}
    return [seen.setdefault(color, len(seen)) for color in colors.tolist()]


@st.composite
def labelled(draw, num_nodes: int = 6):
    """A pattern with labels of its nodes and entries; with few labels, so that classes part slowly."""
    edges, n = draw(square_edges())
    adj = Adjacency(index_of(edges), num_nodes=n)
    labels = [draw(st.lists(INTEGERS, min_size=k, max_size=k)) for k in (n, len(edges))]
    node, edge = (torch.tensor(some, dtype=torch.int64) for some in labels)
    return adj.pattern, draw(st.sampled_from([None, node])), draw(st.sampled_from([None, edge]))


def views(adj: Adjacency, label: np.ndarray) -> list[tuple]:
    """Whom each node hears, and who hears it."""
    turned = adj.pattern.transposed
    labels = label, label[turned.entry.numpy()]
    both = zip((adj.pattern, turned), labels, strict=True)
    return [(pattern.indptr.numpy(), pattern.indices.numpy(), some) for pattern, some in both]


@many
@given(labelled(), st.sampled_from([None, 0, 1, 2]))
def test_the_classes_are_the_references(given_graph, max_rounds):
    pattern, node, edge = given_graph
    made = color_refinement(pattern, node, edge, max_rounds=max_rounds)
    start = torch.zeros(pattern.num_rows, dtype=torch.int64) if node is None else node
    colors, num_rounds = reference.refine(pattern.view, start, edge, max_rounds)
    assert classes(made.colors) == classes(colors)
    assert made.num_rounds == num_rounds
    assert sorted(set(made.colors.tolist())) == list(range(int(colors.max()) + 1))


@many
@given(labelled(), st.randoms())
def test_the_order_of_the_nodes_has_no_part_in_it(given_graph, random):
    pattern, node, edge = given_graph
    n = pattern.num_rows
    to = torch.tensor(random.sample(range(n), n))
    turned = Adjacency(torch.stack([to[pattern.indices.long()], to[pattern.row_of.long()]]), num_nodes=n)
    placed = None if node is None else torch.empty_like(node).index_copy(0, to, node)
    carried = None if edge is None else edge[turned.edge_id]
    ours, theirs = color_refinement(pattern, node, edge), color_refinement(turned.pattern, placed, carried)
    assert torch.equal(ours.colors, theirs.colors[to])


@pytest.mark.parametrize("bits", [0, 1, 7])
@pytest.mark.parametrize("num_labels", [1, 3])
def test_multisets_of_one_hash_are_told_apart(bits, num_labels):
    generator = np.random.default_rng(0)
    for _ in range(20):
        n = 40
        adj = Adjacency(generator.integers(0, n, (2, 60)), num_nodes=n)
        start, label = generator.integers(0, 2, n), generator.integers(0, num_labels, 60)
        start[:2], start[-2:] = (0, 1), (1, 0)  # both are in use
        colors, turned = start.copy(), start[::-1].copy()
        cpu.refine(*views(adj, label), colors, -1, hash_bits=bits)
        expected, _ = reference.refine(adj.pattern.view, torch.from_numpy(start), torch.from_numpy(label), None)
        assert classes(torch.from_numpy(colors)) == classes(expected)
        back = Adjacency(n - 1 - adj.edge_index, num_nodes=n)
        cpu.refine(*views(back, label[back.edge_id.numpy()]), turned, -1, hash_bits=bits)
        assert np.array_equal(colors, turned[::-1])


def test_a_long_path_takes_many_rounds_and_little_time():
    n = 20_001
    i = torch.arange(n - 1)
    adj = Adjacency(torch.stack([torch.cat([i, i + 1]), torch.cat([i + 1, i])]), num_nodes=n)
    made = color_refinement(adj.pattern)
    assert made.num_rounds == n // 2 - 1 + n % 2
    assert len(made.colors.unique()) == n // 2 + 1
    assert torch.equal(made.colors, made.colors.flip(0))


def test_a_large_random_graph_falls_apart():
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(3_000, (2, 30_000), generator=generator)
    pattern = Adjacency(torch.cat([edges, edges.flip(0)], 1), num_nodes=3_000).pattern
    made = color_refinement(pattern)
    expected, num_rounds = reference.refine(pattern.view, torch.zeros(3_000, dtype=torch.int64), None, None)
    assert (classes(made.colors), made.num_rounds) == (classes(expected), num_rounds)


def test_no_nodes_and_no_edges():
    empty = torch.zeros(0, dtype=torch.int64)
    assert color_refinement(Pattern(torch.tensor([0]), empty, 0)).colors.tolist() == []
    bare = Pattern(torch.zeros(4, dtype=torch.int64), empty, 3)
    assert color_refinement(bare, torch.tensor([7, -9, 7])).colors.tolist() == [1, 0, 1]
    assert color_refinement(bare).num_rounds == 0


def test_labels_are_left_as_they_are():
    pattern, labels = Adjacency([[0], [1]], num_nodes=3).pattern, torch.tensor([0, 0, 0])
    color_refinement(pattern, labels)
    assert labels.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("given_labels", "message"),
    [
        ({"node_labels": torch.zeros(2, dtype=torch.int64)}, "a row for each of the 3 nodes"),
        ({"edge_labels": torch.zeros(1)}, "edge_labels must be of dtype"),
        ({"max_rounds": -1}, "max_rounds must not be negative"),
    ],
)
def test_wrong_input_is_named(given_labels, message):
    pattern = Adjacency([[0], [1]], num_nodes=3).pattern
    with pytest.raises(InputError, match=message):
        color_refinement(pattern, **given_labels)


def test_a_bipartite_pattern_is_refused():
    with pytest.raises(InputError, match="must be square"):
        color_refinement(Pattern(torch.tensor([0, 1]), torch.tensor([1]), 2))
