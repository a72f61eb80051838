"""Where the other direction of every edge stands."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.reverse import reverse_edges

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=20)


def by_loops(adj: Adjacency) -> list[int]:
    """The k-th copy of i -> j for the k-th copy of j -> i, found by looking at every edge."""
    edges = adj.edge_index.T.tolist()
    copy = [edges[:p].count(edge) for p, edge in enumerate(edges)]
    return [
        next(q for q, other in enumerate(edges) if other == edge[::-1] and copy[q] == copy[p])
        for p, edge in enumerate(edges)
    ]


@settings(deadline=None)
@given(pairs, st.randoms())
def test_it_is_what_a_search_finds(edges, random):
    both = edges + [(i, j) for j, i in edges if i != j]
    random.shuffle(both)
    adj = Adjacency(torch.tensor(both, dtype=torch.int64).reshape(-1, 2).T, num_nodes=7)
    reverse = reverse_edges(adj)
    assert reverse.tolist() == by_loops(adj)
    assert torch.equal(reverse[reverse], torch.arange(adj.num_edges, dtype=reverse.dtype))


@settings(deadline=None)
@given(pairs)
def test_an_edge_without_its_other_direction_is_named(edges):
    count = {edge: edges.count(edge) for edge in edges}
    lacking = {edge for edge in edges if count[edge] > count.get(edge[::-1], 0)}
    adj = Adjacency(torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T, num_nodes=6)
    if not lacking:
        reverse_edges(adj)
        return
    with pytest.raises(InputError, match="lacks its other direction") as raised:
        reverse_edges(adj)
    words = str(raised.value).split()
    assert (int(words[1]), int(words[3])) in lacking


def test_a_batch_has_those_of_its_graphs():
    parts = [Graph([[0, 1, 1, 2], [1, 0, 2, 1]]), Graph([[], []], num_nodes=1), Graph([[1, 0], [0, 1]])]
    alone = [reverse_edges(part.adj).tolist() for part in parts]
    assert reverse_edges(Graph.batch(parts).adj).tolist() == [
        place + before for before, part in zip((0, 4, 4), alone, strict=True) for place in part
    ]


def test_it_is_made_once():
    adj = Adjacency([[0, 1], [1, 0]])
    assert reverse_edges(adj) is reverse_edges(adj)


def test_two_sets_of_nodes_have_no_other_direction():
    with pytest.raises(InputError, match="one set of nodes"):
        reverse_edges(Adjacency([[0], [1]], size=(2, 3)))
