"""The benchmark of over-squashing: trees that share what they can are separate trees, and trainings go on."""

import json

import pytest
import torch
from benchmarks import squashing
from benchmarks.squashing_levels import Batch, answers_of
from benchmarks.squashing_shared import SharedTrees
from benchmarks.squashing_training import train
from benchmarks.squashing_trees import MODELS, Examples, SeparateTrees, TreeNetwork

from grapevine.data.datasets.tree_neighbors_match import load
from grapevine.rewire import parse


def gradients(network: TreeNetwork, said: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    network.zero_grad()
    torch.nn.functional.cross_entropy(said, answers).backward()
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("model", MODELS)
def test_shared_trees_are_separate_trees(model, depth):
    network, examples = TreeNetwork(model, depth).double(), Examples(depth)
    orders = torch.tensor([1, 0, 5])
    batch = Batch(examples.values[orders], *examples.is_taught[orders].nonzero().unbind(1))
    ours = answers_of(network, batch)
    shared = gradients(network, ours, batch.answers)
    network.count(None)
    trees = SeparateTrees(examples, len(batch.order))
    x, answers = trees.batch(orders[batch.order] * examples.leaves + batch.key)
    plain = network(x.double(), trees.edges, trees.roots)
    assert torch.equal(answers, batch.answers)
    assert torch.allclose(ours, plain, atol=1e-12)
    assert torch.allclose(shared, gradients(network, plain, answers), atol=1e-12)


@pytest.mark.parametrize("fully_adjacent", [False, True])
def test_shared_roots_are_those_of_separate_trees(fully_adjacent):
    network, examples = TreeNetwork("gatv2", 3).double(), Examples(3)
    forest, orders = SharedTrees(examples, 2, fully_adjacent=fully_adjacent), torch.tensor([7, 3])
    x, roots, answers = forest.batch(orders)
    ours = network(x.double(), forest.edges, roots)
    shared = gradients(network, ours, answers)
    order, key = examples.is_taught[orders].nonzero().unbind(1)
    trees = SeparateTrees(examples, len(order), fully_adjacent=fully_adjacent)
    x, wanted = trees.batch(orders[order] * 8 + key)
    plain = network(x.double(), trees.edges, trees.roots)
    assert torch.equal(answers, wanted)
    assert torch.allclose(ours, plain, atol=1e-12)
    assert torch.allclose(shared, gradients(network, plain, answers), atol=1e-12)


def test_the_trees_are_those_of_the_data_set():
    examples, data = Examples(3), load(3)
    trees = SeparateTrees(examples, 4)
    x, answers = trees.batch(torch.tensor([0, 9, 100, 7999]))
    parts = data.graph.unbatch()
    for k, number in enumerate((0, 9, 100, 7999)):
        assert torch.equal(x[15 * k : 15 * (k + 1)], parts[number].x.to_dense())
        assert answers[k] == parts[number].y[0]
    edges = trees.edges[0].without_self_loops().edge_index
    assert torch.equal(edges[:, :14], parts[0].adj.edge_index)
    assert torch.equal(examples.is_taught.flatten(), data.splits[0].train[data.graph.ptr[:-1]])


def test_a_training_goes_on_where_it_ended(tmp_path, monkeypatch):
    def passes(network):
        data = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
        answers = (data.sum(1) > 0).long()

        def epoch(generator):
            order = torch.randperm(64, generator=generator)
            yield network(data[order]), answers[order]

        return epoch

    monkeypatch.setattr("benchmarks.squashing_training.ROUND", 1)
    ends = []
    for calls in (1, 2):
        torch.manual_seed(0)
        network = torch.nn.Linear(4, 2)
        path = tmp_path / f"{calls}.pt"
        for k in range(calls):
            ticks = iter(range(10_000))
            monkeypatch.setattr(
                "benchmarks.squashing_training.time.process_time", lambda ticks=ticks: 60.0 * next(ticks)
            )
            done = train(network, passes(network), 6 if calls == 1 else 3 * (k + 1), path, num_epochs=1)
        ends.append((done.epochs, done.accuracy, network.weight.detach().clone()))
    assert ends[0][0] == ends[1][0] == 6
    assert ends[0][1] == ends[1][1]
    assert torch.equal(ends[0][2], ends[1][2])


def test_cells_are_kept_beside_each_other(tmp_path):
    path = tmp_path / "kept.json"
    for cell in ("gin-2+virtual-node", "gcn-2"):
        done = squashing.run(cell, 0.001, tmp_path)
        squashing.keep(path, cell, {**vars(done), **squashing.measures(cell), "day": "today", "environment": {}})
    kept = json.loads(path.read_text())
    assert set(kept) == {"gcn-2", "gin-2+virtual-node"}
    assert 0 < kept["gcn-2"]["accuracy"] <= 1
    assert "gin-2+virtual-node" in path.with_suffix(".md").read_text()


def test_what_the_root_hears_of_the_leaves():
    """Less from depth to depth, and more with a virtual node, which widens the gap."""
    found = [squashing.measures(cell) for cell in ("gcn-2", "gcn-4", "gcn-4+virtual-node")]
    assert found[0]["of_leaf"] > 2 * found[1]["of_leaf"] > 0
    assert found[1]["gap"] < 0.1 < found[2]["gap"]
    assert found[2]["of_leaf"] > 0
    assert [squashing.parts_of(cell) for cell in ("gin-5+virtual-node", "gcn-4")] == [
        ("gin", 5, "virtual-node"),
        ("gcn", 4, ""),
    ]
    specs = {squashing.parts_of(cell)[2] for cell in squashing.CELLS} - {"", squashing.FULLY_ADJACENT}
    assert all(parse(spec) for spec in specs)
