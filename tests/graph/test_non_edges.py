"""Non-edges: against every pair of small graphs, and by how often each one is drawn."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.non_edges import EdgeSet, sample_non_edges
from tests.graph.cases import bipartite_edges, index_of, many, square_edges


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def free_pairs(edges: set[tuple[int, int]], num_nodes: int, *, is_directed: bool) -> set[tuple[int, int]]:
    """Every pair without an edge; unordered ones as (smaller, larger)."""
    pairs = {(j, i) for j in range(num_nodes) for i in range(num_nodes) if j != i and (j, i) not in edges}
    return pairs if is_directed else {(j, i) for j, i in pairs if j < i}


@many
@given(square_edges(), st.booleans())
def test_all_that_there_are_can_be_drawn_and_no_more(case, is_undirected):
    listed, num_nodes = case
    listed = listed + [(i, j) for j, i in listed] if is_undirected else listed
    edges = EdgeSet(Adjacency(index_of(listed), num_nodes))
    assert edges.is_directed == any((i, j) not in listed for j, i in listed)
    free = free_pairs(set(listed), num_nodes, is_directed=edges.is_directed)
    for count in {0, min(1, len(free)), len(free)}:
        drawn = sample_non_edges(edges, count, generator=seeded()).T.tolist()
        drawn = {(j, i) if edges.is_directed else (min(j, i), max(j, i)) for j, i in drawn}
        assert len(drawn) == count
        assert drawn <= free
    with pytest.raises(InputError, match=f"too dense: {len(free) + 1} pairs .* there are {len(free)}"):
        sample_non_edges(edges, len(free) + 1, generator=seeded())


@many
@given(bipartite_edges())
def test_contains(case):
    listed, num_src, num_dst = case
    edges = EdgeSet(Adjacency(index_of(listed), size=(num_src, num_dst)))
    pairs = torch.cartesian_prod(torch.arange(num_src), torch.arange(num_dst)).T
    assert edges.contains(pairs).tolist() == [(j, i) in listed for j, i in pairs.T.tolist()]
    assert list(map(tuple, edges.pairs.T.tolist())) == sorted(set(listed))


def test_two_sets_of_nodes_may_share_numbers():
    edges = EdgeSet(Adjacency([[0], [1]], size=(2, 3)))
    drawn = sample_non_edges(edges, 5, generator=seeded())
    assert sorted(map(tuple, drawn.T.tolist())) == [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)]


def sparse_ring(num_nodes: int) -> EdgeSet:
    nodes = torch.arange(num_nodes)
    there = torch.stack([nodes, (nodes + 1) % num_nodes])
    return EdgeSet(Adjacency(torch.cat([there, there.flip(0)], 1), num_nodes))


@pytest.mark.parametrize("num_nodes", [4, 12])  # drawn from a list, and by throwing edges away
def test_each_is_as_likely(num_nodes):
    edges, generator, count = sparse_ring(num_nodes), seeded(), 4000
    free = edges.num_pairs - edges.num_joined
    drawn = [sample_non_edges(edges, 1, generator=generator).sort(0).values.flatten().tolist() for _ in range(count)]
    times = Counter(map(tuple, drawn))
    assert len(times) == free == num_nodes * (num_nodes - 3) / 2
    assert sum((n - count / free) ** 2 / (count / free) for n in times.values()) < free + 4 * (2 * free) ** 0.5 + 4


def test_targets_are_as_likely_as_their_weights():
    edges = EdgeSet(Adjacency([[], []], num_nodes=5))
    weights = torch.tensor([0.0, 1.0, 2.0, 3.0, 0.0])
    drawn = sample_non_edges(edges, 60000, generator=seeded(), sources=torch.full((60000,), 4), target_weights=weights)
    shares = drawn[1].bincount(minlength=5) / 60000
    torch.testing.assert_close(shares, weights / 6, atol=0.01, rtol=0)
    with pytest.raises(InputError, match=r"only 12 pairs .* weight > 0, not 13"):  # 4 for each of the three targets
        sample_non_edges(EdgeSet(Adjacency([[0], [4]], 5)), 13, generator=seeded(), target_weights=weights)


def test_a_hub_gets_what_is_left_for_it():
    num_nodes, hub = 2000, 7
    targets = torch.tensor([i for i in range(num_nodes) if i not in (hub, 55)])
    edges = EdgeSet(Adjacency(torch.stack([torch.full_like(targets, hub), targets]), num_nodes))
    drawn = sample_non_edges(edges, 5, generator=seeded(), sources=torch.full((5,), hub))
    assert drawn.tolist() == [[hub] * 5, [55] * 5]
    full = EdgeSet(Adjacency([[0, 0], [1, 2]], 3))
    with pytest.raises(InputError, match="node 0 has an edge to every node"):
        sample_non_edges(full, 1, generator=seeded(), sources=torch.tensor([0]))


def test_the_generator_decides():
    edges = sparse_ring(100)
    first, again, other = (sample_non_edges(edges, 50, generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert not edges.contains(first).any()
    assert len({frozenset(pair) for pair in first.T.tolist()}) == 50


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"count": -1}, "count must not be negative"),
        ({"count": 2, "sources": torch.tensor([0])}, "count must be the number of sources, 1, got 2"),
        ({"count": 1, "sources": torch.tensor([9])}, "sources must lie in 0"),
        ({"count": 1, "target_weights": torch.ones(3)}, "target_weights must have a row for each of the 4 targets"),
        ({"count": 1, "target_weights": torch.zeros(4)}, "not all 0"),
        ({"count": 1, "target_weights": torch.tensor([1.0, -1.0, 1.0, float("nan")])}, "not negative"),
    ],
)
def test_wrong_input_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        sample_non_edges(sparse_ring(4), **given, generator=seeded())
    with pytest.raises(InputError, match="pairs must have shape"):
        sparse_ring(4).contains(torch.zeros(3, 2, dtype=torch.int64))
    with pytest.raises(InputError, match="made of an Adjacency"):
        EdgeSet(torch.zeros(2, 0, dtype=torch.int64))
