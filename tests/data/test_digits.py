"""The digits as a graph: who is joined to whom, and the split."""

import torch

from grapevine.data.datasets import load_dataset


def test_digits_are_joined_where_they_are_alike():
    graph = load_dataset("digits").graph
    assert (graph.num_nodes, graph.x.shape[1]) == (1797, 64)
    assert graph.adj.is_symmetric()
    assert int(graph.adj.in_degree.min()) >= 5
    assert not (graph.adj.src == graph.adj.dst).any()
    assert graph.y[graph.train_mask].bincount().tolist() == [20] * 10
    assert 0 <= graph.x.min() < graph.x.max() == 1
    assert torch.equal(graph.train_mask, load_dataset("digits").graph.train_mask)


def test_neighbours_are_the_nearest_images():
    graph = load_dataset("digits").graph
    distances = torch.cdist(graph.x, graph.x, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    fifth = distances.kthvalue(5).values
    length = distances[graph.adj.src, graph.adj.dst]
    assert (length <= torch.maximum(fifth[graph.adj.src], fifth[graph.adj.dst]) + 1e-6).all()
    is_joined = torch.zeros_like(distances, dtype=torch.bool)
    is_joined[graph.adj.dst, graph.adj.src] = True
    assert is_joined[distances < fifth.unsqueeze(1) - 1e-6].all()
