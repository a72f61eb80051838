"""Pairs of nodes up to a distance, against NetworkX."""

import networkx
import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.pairs import pairs_within


def some_batch() -> Graph:
    ring = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    directed = torch.tensor([[0, 1, 1, 2, 2], [1, 2, 2, 2, 3]])  # an edge twice, and a loop
    parts = [torch.cat([ring, ring.flip(0)], 1), directed, torch.empty(2, 0, dtype=torch.int64)]
    return Graph.batch([Graph(edges, num_nodes=7) for edges in parts])


def by_networkx(adj: Adjacency, distance: int) -> dict[tuple[int, int], int]:
    """The distance of each pair (target, source)."""
    network = networkx.DiGraph()
    network.add_nodes_from(range(adj.num_nodes))
    network.add_edges_from(adj.edge_index.T.tolist())
    lengths = networkx.all_pairs_shortest_path_length(network, cutoff=distance)
    return {(i, j): length for j, ends in lengths for i, length in ends.items() if i != j}


@pytest.mark.parametrize("distance", [1, 2, 3, 20])
def test_distances_are_those_of_networkx(distance):
    adj = some_batch().adj
    pairs = pairs_within(adj, distance)
    found = list(zip(pairs.adj.dst.tolist(), pairs.adj.src.tolist(), strict=True))
    assert found == sorted(found)
    assert dict(zip(found, pairs.distance.tolist(), strict=True)) == by_networkx(adj, distance)


def test_features_are_the_distance_and_the_edge():
    adj = some_batch().adj
    edge = torch.randn(adj.num_edges, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pairs = pairs_within(adj, 3)
    ends = list(zip(adj.dst.tolist(), adj.src.tolist(), strict=True))
    for row, i, j, d in zip(pairs.features(edge), pairs.adj.dst, pairs.adj.src, pairs.distance, strict=True):
        own = [edge[p] for p, pair in enumerate(ends) if pair == (int(i), int(j))]
        distance = [float(k == d) for k in (1, 2, 3)]
        wanted = torch.cat([torch.tensor(distance, dtype=torch.float64), sum(own, torch.zeros(2, dtype=torch.float64))])
        torch.testing.assert_close(row, wanted)
    assert torch.equal(pairs.features(), pairs.features(edge)[:, :3].float())


def test_they_are_made_once():
    adj = some_batch().adj
    assert pairs_within(adj, 2) is pairs_within(adj, 2)


def test_wrong_input():
    with pytest.raises(InputError, match="from 1 on, got 0"):
        pairs_within(some_batch().adj, 0)
    with pytest.raises(InputError, match="one set of nodes"):
        pairs_within(Adjacency([[0], [1]], size=(2, 3)), 2)
    with pytest.raises(InputError, match="each of the 17 edges"):
        pairs_within(some_batch().adj, 2).features(torch.ones(3, 2))
