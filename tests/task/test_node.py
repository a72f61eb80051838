"""Tasks of nodes: who teaches, who is judged, and how often the model is asked."""

import pytest
import torch

from grapevine.data.split import Split
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import MLP, GCNConv
from grapevine.nn.head import NodeHead
from grapevine.nn.network import Network
from grapevine.task import PARTS, MultiLabel, NodeTask, Regression, SingleLabel
from tests.task.cases import NUM_FEATURES, Counting, random, split_in_three, undirected

NUM_NODES = 30


def labelled(y: torch.Tensor | None = None) -> Graph:
    y = torch.arange(NUM_NODES) % 3 if y is None else y
    return Graph(undirected(), x=random(NUM_NODES, NUM_FEATURES), y=y)


def model(out_channels: int = 3) -> Counting:
    torch.manual_seed(0)
    return Counting(Network(MLP([NUM_FEATURES, 8, out_channels], dropout=0.5), NodeHead()))


def test_one_pass_answers_all_parts():
    graph, split, network = labelled(), split_in_three(NUM_NODES), model()
    task = NodeTask(graph, split, SingleLabel(num_classes=3))
    answers = task.answers(network, PARTS)
    assert network.calls == 1
    assert not network.training
    everything = network(graph, None)
    for part in PARTS:
        items = getattr(split, part).nonzero().squeeze(1)
        assert torch.equal(answers[part].items, items)
        assert torch.equal(answers[part].target, graph.y[items])
        torch.testing.assert_close(answers[part].output, everything[items])
        assert not answers[part].output.requires_grad
        torch.testing.assert_close(task.answers(network, [part])[part].output, answers[part].output)


def test_all_answers_say_the_part_of_each():
    graph, split = labelled(), split_in_three(NUM_NODES)
    answers, part = NodeTask(graph, split, SingleLabel(num_classes=3)).all_answers(model())
    assert answers.items.tolist() == list(range(NUM_NODES))
    assert part.tolist() == [k % 4 - 1 for k in range(NUM_NODES)]
    assert answers.output.shape == (NUM_NODES, 3)


def test_only_training_nodes_teach():
    y = (torch.arange(NUM_NODES) % 3).where(torch.arange(NUM_NODES) % 8 != 1, -1)
    task = NodeTask(labelled(y), split_in_three(NUM_NODES), SingleLabel(num_classes=3))
    (batch,) = task.batches(seed=0)
    output = torch.zeros(NUM_NODES, 3, requires_grad=True)
    task.objective.loss(output[batch.items], batch.target).backward()
    taught = (output.grad != 0).any(1).nonzero().squeeze(1).tolist()
    assert taught == [k for k in range(NUM_NODES) if k % 8 == 5]


def test_unknown_answers_are_in_no_part():
    y = torch.arange(NUM_NODES).float().where(torch.arange(NUM_NODES) > 10, float("nan"))
    task = NodeTask(labelled(y), split_in_three(NUM_NODES), Regression())
    for answers in task.answers(model(1), PARTS).values():
        assert answers.items.min() > 10
        assert not answers.target.isnan().any()
    labels = torch.stack([y, torch.ones(NUM_NODES)], 1).clamp(max=1)
    graph = labelled(labels)
    assert len(NodeTask(graph, split_in_three(NUM_NODES), MultiLabel(num_labels=2)).items["train"]) == 8


def test_a_task_learns():
    torch.manual_seed(0)
    y = torch.arange(NUM_NODES) % 2
    graph = Graph(undirected(), x=random(NUM_NODES, NUM_FEATURES) + 2.0 * y.unsqueeze(1), y=y)
    task = NodeTask(graph, split_in_three(NUM_NODES), SingleLabel(num_classes=2))
    network = Network(GCNConv(NUM_FEATURES, 2), NodeHead())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    losses = []
    for epoch in range(30):
        for batch in task.batches(epoch):
            loss = task.objective.loss(network(batch.graph, batch.items), batch.target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_an_empty_part_has_no_answers():
    none = torch.zeros(NUM_NODES, dtype=torch.bool)
    task = NodeTask(labelled(), Split(~none, none, none), SingleLabel(num_classes=3))
    answers = task.answers(model(), ["val"])["val"]
    assert (answers.output.shape, answers.target.shape) == ((0, 3), (0,))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_a_known_answer(part):
    y = (torch.arange(NUM_NODES) % 3).where(~getattr(split_in_three(NUM_NODES), part), -1)
    with pytest.raises(InputError, match=f"the {part} part must hold a node whose answer is known"):
        NodeTask(labelled(y), split_in_three(NUM_NODES), SingleLabel(num_classes=3))


def test_graphs_and_splits_that_do_not_fit():
    split, objective = split_in_three(NUM_NODES), SingleLabel(num_classes=3)
    with pytest.raises(InputError, match="answers y of its nodes: it holds none"):
        NodeTask(Graph(undirected(), num_nodes=NUM_NODES), split, objective)
    with pytest.raises(InputError, match="its y belongs to the graphs"):
        NodeTask(Graph(undirected(), num_nodes=NUM_NODES, y=torch.tensor([1])), split, objective)
    with pytest.raises(InputError, match="the split is one of 4 items, and there are 30 nodes"):
        NodeTask(labelled(), split_in_three(4), objective)
    with pytest.raises(InputError, match=r"y must lie in 0 .. 1"):
        NodeTask(labelled(), split, SingleLabel(num_classes=2))


def test_a_task_moves():
    task = NodeTask(labelled(), split_in_three(NUM_NODES), SingleLabel(num_classes=3)).to("cpu")
    assert task.answers(model(), ["val"])["val"].target.device.type == "cpu"
