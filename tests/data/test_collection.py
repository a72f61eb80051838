"""A collection made at once is what batching its graphs gives."""

import numpy as np
import pytest
import torch

from grapevine.data.collection import collection
from grapevine.errors import InputError
from grapevine.graph import Graph


def test_it_is_the_batch_of_its_graphs():
    generator = np.random.default_rng(0)
    sizes = np.array([3, 0, 5, 1, 4])
    parts, edges, weights, first = [], [], [], 0
    for k, size in enumerate(sizes.tolist()):
        arcs = generator.integers(0, max(size, 1), (2, 3 * size))
        weight = torch.from_numpy(generator.random(3 * size))
        x = torch.from_numpy(generator.random((size, 2)))
        parts.append(Graph(arcs, x=x, edge_weight=weight, graph={"y": torch.tensor([k])}, num_nodes=size))
        edges.append(arcs + first)
        weights.append(weight)
        first += size
    batch = Graph.batch(parts)
    shuffled = torch.from_numpy(generator.permutation(sum(len(weight) for weight in weights)))
    for order in (torch.arange(len(shuffled)), shuffled):
        made = collection(
            np.concatenate(edges, 1)[:, order],
            sizes,
            node={"x": batch.x},
            edge={"edge_weight": torch.cat(weights)[order]},
            graph={"y": batch.y},
        )
        assert repr(made) == repr(batch)
        for one, two in zip(made.unbatch(), batch.unbatch(), strict=True):
            assert torch.equal(one.x, two.x)
            assert sorted(zip(*one.adj.edge_index.tolist(), one.edge_weight.tolist(), strict=True)) == sorted(
                zip(*two.adj.edge_index.tolist(), two.edge_weight.tolist(), strict=True)
            )
            assert sorted(one.adj.edge_id.tolist()) == list(range(one.num_edges))


@pytest.mark.parametrize("edges", [[[0], [2]], [[0], [3]], [[-1], [0]]])
def test_an_edge_between_graphs_or_to_no_node_is_refused(edges):
    with pytest.raises(InputError):
        collection(np.array(edges), np.array([2, 1]))
