"""The task of a data set: what is inferred, what is told, and what is refused."""

import numpy as np
import pytest
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.datasets import load_dataset
from grapevine.data.split import LinkSplit, Split, SplitRule
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.recipes.config import LinkRule, TaskConfig
from grapevine.recipes.plan import plan
from grapevine.recipes.problem import pose
from grapevine.task import EdgeTask, GraphTask, Link, LinkTask, MultiLabel, NodeTask, Regression, SingleLabel


def path(num_nodes: int) -> torch.Tensor:
    here = torch.arange(num_nodes - 1)
    return torch.cat([torch.stack([here, here + 1]), torch.stack([here + 1, here])], 1)


def nodes(y: torch.Tensor, **more) -> Dataset:
    return Dataset("path", Graph(path(len(y)), x=torch.randn(len(y), 3), node={"y": y}), "node", **more)


def test_classes_are_inferred_and_drawn_class_by_class():
    problem = pose(nodes(torch.arange(50) % 5))
    assert isinstance(problem.task, NodeTask)
    assert isinstance(problem.task.objective, SingleLabel)
    assert problem.task.objective.num_classes == 5
    assert problem.config.split == SplitRule(kind="stratified", train=0.6, val=0.2)
    assert problem.config.level == "node"
    assert "60%/20%/20% drawn at random from each class" in problem.notes[-1]
    again = pose(problem.dataset, problem.config)  # what was inferred, told: the same task without a word
    assert torch.equal(again.split.test, problem.split.test)
    assert len(again.notes) == 1


def test_numbers_are_scaled_by_the_training_part_alone():
    y = torch.randn(40) * 7 + 100
    problem = pose(nodes(y))
    assert isinstance(problem.task.objective, Regression)
    assert problem.task.objective.mean == pytest.approx((y[problem.split.train].mean().item(),), rel=1e-5)


def test_several_columns_are_labels():
    problem = pose(nodes((torch.rand(40, 3) > 0.5).float()))
    assert isinstance(problem.task.objective, MultiLabel)


def test_what_is_told_is_done():
    y = torch.tensor([0.0, 1.0] * 20)
    config = TaskConfig(kind="numbers", metric="rmse", split=SplitRule(kind="random", train=0.5, val=0.25))
    problem = pose(nodes(y), config)
    assert isinstance(problem.task.objective, Regression)
    assert problem.task.objective.metric == "rmse"
    assert problem.split.train.sum() == 20


def test_balanced_classes_weigh_alike():
    y = (torch.arange(60) % 6 == 0).long()
    problem = pose(nodes(y), TaskConfig(balanced=True))
    weights = problem.task.objective.class_weights
    train = y[problem.split.train]
    assert weights[0] * (train == 0).sum() == pytest.approx(weights[1] * (train == 1).sum().item())
    with pytest.raises(InputError, match="only classes are balanced"):
        pose(nodes(torch.randn(20)), TaskConfig(balanced=True))


def test_a_split_without_validation_gets_one_from_its_training_part():
    y = torch.arange(100) % 2
    train = torch.arange(100) < 80
    split = Split(train, torch.zeros(100, dtype=torch.bool), ~train)
    problem = pose(nodes(y, splits=(split,)))
    assert problem.split.val.sum() == 8
    assert not bool((problem.split.val & problem.split.test).any())
    assert torch.equal(problem.split.train | problem.split.val, train)
    assert "no validation part" in problem.notes[1]


def test_graphs_and_edges_have_their_tasks():
    graphs = Graph.batch([Graph(path(4), x=torch.ones(4, 1), graph={"y": torch.tensor([k % 2])}) for k in range(20)])
    assert isinstance(pose(Dataset("paths", graphs, "graph")).task, GraphTask)
    graph = Graph(path(30), x=torch.ones(30, 1))
    y = (graph.adj.src + graph.adj.dst) % 3  # the same both ways
    assert isinstance(pose(Dataset("path", graph.replace(edge={"y": y}), "edge")).task, EdgeTask)


def test_links_need_no_answers():
    problem = pose(load_dataset("karate"), TaskConfig(level="link", links=LinkRule(val=0.1, test=0.2)))
    assert isinstance(problem.task, LinkTask)
    assert isinstance(problem.task.objective, Link)
    assert isinstance(problem.split, LinkSplit)
    assert problem.graph is problem.split.graph
    assert problem.graph.num_edges < problem.dataset.graph.num_edges


def test_nodes_without_features_get_ones():
    dataset = Dataset("bare", Graph(path(20), node={"y": torch.arange(20) % 2}), "node")
    assert torch.equal(pose(dataset).dataset.graph.x, torch.ones(20, 1))


@pytest.mark.parametrize(
    ("dataset", "config", "message"),
    [
        (Dataset("bare", Graph(path(5), x=torch.ones(5, 1))), TaskConfig(), "holds no answers to learn from"),
        (nodes(torch.arange(20) % 2), TaskConfig(level="graph"), "are of each node, not graph"),
        (nodes(torch.arange(20) % 2), TaskConfig(metric="hits"), "metric"),
        (nodes(torch.full((20,), -1)), TaskConfig(), "all are missing"),
        (nodes(torch.arange(20) % 2), TaskConfig(level="link", metric="cosine"), "this is no objective: link.metric"),
    ],
)
def test_what_can_not_be_asked_is_refused(dataset, config, message):
    with pytest.raises(InputError, match=message):
        pose(dataset, config)


def test_names_of_classes_say_how_many_there_are():
    problem = pose(nodes(torch.arange(40) % 2, class_names=("a", "b", "c"), ids=np.arange(40)))
    assert problem.task.objective.num_classes == 3


def test_the_published_steps_are_taken_where_nothing_else_is_told():
    published = plan("tu:MUTAG", "gin").task
    assert (published.batch_size, published.num_batches) == (32, 50)
    told = plan("tu:MUTAG", "gin", task=TaskConfig(num_batches=5)).task
    assert (told.batch_size, told.num_batches) == (32, 5)
    assert plan("tu:ENZYMES", "gin").task.num_batches is None
    assert plan("tu:MUTAG", "gcn").task.num_batches is None
