"""Boosted trees learn from the training part alone, are scikit-learn's own, and are scored as the networks are."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import roc_auc_score

from grapevine.data.split import Split, link_split
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.baselines import fit_guess, fit_trees
from grapevine.task import EdgeTask, GraphTask, LinkTask, MultiLabel, NodeTask, Regression, SingleLabel


def random_graph(num_nodes: int = 300, channels: int = 4, **tensors) -> Graph:
    generator = torch.Generator().manual_seed(1)
    ends = torch.randint(num_nodes, (2, 2 * num_nodes), generator=generator)
    x = torch.randn(num_nodes, channels, generator=generator)
    return Graph(torch.cat([ends, ends.flip(0)], 1), x=x, num_nodes=num_nodes, **tensors)


def thirds(count: int) -> Split:
    part = torch.arange(count) % 3
    return Split(part == 0, part == 1, part == 2)


def test_classes_are_those_of_scikit_learn():
    graph = random_graph()
    y = (graph.x[:, 0] * graph.x[:, 1] > 0).long()
    split = thirds(len(y))
    found = fit_trees(NodeTask(graph.replace(y=y), split, SingleLabel(num_classes=2, metric="roc_auc")), seed=3)
    trees = HistGradientBoostingClassifier(min_samples_leaf=5, early_stopping=False, random_state=3)
    trees.fit(graph.x[split.train].numpy(), y[split.train].numpy())
    x = graph.x[split.test].numpy()
    assert found.scores["test"]["accuracy"] == pytest.approx(trees.score(x, y[split.test].numpy()))
    expected = roc_auc_score(y[split.test].numpy(), trees.predict_proba(x)[:, 1])
    assert found.scores["test"]["roc_auc"] == pytest.approx(expected)
    assert found.scores["test"]["accuracy"] > 0.85
    assert found.seconds > 0


def test_numbers_are_those_of_scikit_learn_in_the_users_units():
    graph = random_graph()
    y = 100 + 20 * graph.x[:, 2].square()
    y[::7] = torch.nan
    split, known = thirds(len(y)), ~y.isnan()
    found = fit_trees(NodeTask(graph.replace(y=y), split, Regression.of(y[split.train])))
    trees = HistGradientBoostingRegressor(min_samples_leaf=4, early_stopping=False, random_state=0)
    taught = split.train & known
    trees.fit(graph.x[taught].numpy(), y[taught].numpy().astype(float))
    asked = split.test & known
    expected = np.abs(trees.predict(graph.x[asked].numpy()) - y[asked].numpy()).mean()
    assert found.scores["test"]["mae"] == pytest.approx(expected, rel=1e-4)
    guess = fit_guess(NodeTask(graph.replace(y=y), split, Regression.of(y[split.train])))
    assert guess.scores["train"]["r2"] == pytest.approx(0, abs=1e-6)
    assert guess.scores["test"]["mae"] == pytest.approx((y[asked] - y[taught].mean()).abs().mean().item(), rel=1e-4)


def test_labels_one_by_one_and_the_unknown_ones_left_out():
    graph = random_graph()
    y = (graph.x[:, :2] > 0).float()
    y[::5, 1] = torch.nan
    found = fit_trees(NodeTask(graph.replace(y=y), thirds(len(y)), MultiLabel(num_labels=2)))
    assert found.scores["test"]["roc_auc"] > 0.95
    one_sided = y.clone()
    one_sided[:, 0] = 1
    task = NodeTask(graph.replace(y=one_sided), thirds(len(y)), MultiLabel(num_labels=2))
    assert fit_trees(task).scores["test"]["accuracy"] > 0.95


def test_a_class_that_nobody_teaches_is_never_said():
    graph = random_graph()
    y = (graph.x[:, 0] > 0).long() * 2
    y[2] = 1
    found = fit_trees(NodeTask(graph.replace(y=y), thirds(len(y)), SingleLabel(num_classes=4)))
    assert found.scores["train"]["accuracy"] == 1
    assert found.scores["test"]["accuracy"] > 0.9


def test_the_guess_is_the_largest_class_and_ranks_nothing():
    graph, split = random_graph(), thirds(300)
    y = (torch.arange(300) // 3 % 4 == 0).long()
    found = fit_guess(NodeTask(graph.replace(y=y), split, SingleLabel(num_classes=2, metric="roc_auc")))
    assert found.scores["test"]["accuracy"] == pytest.approx((y[split.test] == 0).float().mean().item())
    assert found.scores["test"]["roc_auc"] == 0.5


def test_many_and_sparse_features_become_directions():
    graph = random_graph(channels=100)
    y = (graph.x[:, 0] > 0).long()
    wide = graph.replace(x=graph.x + 5 * y.unsqueeze(1) * torch.ones(100), y=y)
    sparse = wide.replace(x=SparseMatrix.from_torch(wide.x.to_sparse()))
    for some in (wide, sparse):
        found = fit_trees(NodeTask(some, thirds(300), SingleLabel(num_classes=2)))
        assert found.scores["test"]["accuracy"] > 0.95
        assert found.about == "64 directions of the 100 features of the nodes"


def test_graphs_are_told_by_pooled_features_and_sizes():
    sizes = [3 + k % 5 for k in range(240)]
    paths = [torch.stack([torch.arange(n - 1), torch.arange(1, n)]) for n in sizes]
    graphs = [Graph(path, x=torch.randn(n, 2), num_nodes=n) for path, n in zip(paths, sizes, strict=True)]
    batch = Graph.batch(graphs)
    objective = SingleLabel(num_classes=2)
    by_size = batch.replace(graph={"y": torch.tensor([int(n > 5) for n in sizes])})
    assert fit_trees(GraphTask(by_size, thirds(240), objective)).scores["test"]["accuracy"] == 1
    largest = torch.tensor([int(graph.x[:, 1].max() > 1) for graph in graphs])
    by_feature = batch.replace(graph={"y": largest})
    assert fit_trees(GraphTask(by_feature, thirds(240), objective)).scores["test"]["accuracy"] > 0.9


def test_edges_are_told_by_both_ends_and_their_own_features():
    graph = random_graph()
    own = torch.randn(graph.num_edges, 1)
    src, dst = graph.adj.edge_index
    split, objective = thirds(graph.num_edges), SingleLabel(num_classes=2)
    by_source = (graph.x[src, 0] > graph.x[dst, 0]).long()
    task = EdgeTask(graph.replace(edge={"y": by_source}), split, objective, is_directed=True)
    assert fit_trees(task).scores["test"]["accuracy"] > 0.9
    by_own = graph.replace(edge={"y": (own[:, 0] > 0).long(), "edge_attr": own})
    assert fit_trees(EdgeTask(by_own, split, objective, is_directed=True)).scores["test"]["accuracy"] > 0.95


def test_links_are_refused():
    task = LinkTask(link_split(random_graph()))
    for fit in (fit_trees, fit_guess):
        with pytest.raises(InputError, match="pairs of nodes"):
            fit(task)
