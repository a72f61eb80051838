"""Tasks of edges: an undirected edge is asked for once, and its two directions are never torn apart."""

import pytest
import torch

from grapevine.data.split import Split
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import MLP
from grapevine.nn.head import EdgeHead
from grapevine.nn.network import Network
from grapevine.nn.pair import PairMLP
from grapevine.task import PARTS, EdgeTask, Regression, SingleLabel
from tests.task.cases import NUM_FEATURES, Counting, random, undirected

NUM_NODES = 30


def case(edge_index: torch.Tensor | None = None, y: torch.Tensor | None = None) -> tuple[Graph, Split]:
    """A graph whose edges have the answer and the part of the pair of nodes they join."""
    edge_index = undirected() if edge_index is None else edge_index
    pair = edge_index.amin(0) * NUM_NODES + edge_index.amax(0)
    y = pair % 3 if y is None else y
    graph = Graph(edge_index, x=random(NUM_NODES, NUM_FEATURES), edge={"y": y, "pair": pair})
    place = graph.pair // 3 % 4
    return graph, Split(place == 1, place == 2, place == 3)


def model(symmetric: bool = True) -> Counting:
    torch.manual_seed(0)
    head = EdgeHead(PairMLP([8, 8, 3], symmetric=symmetric))
    return Counting(Network(MLP([NUM_FEATURES, 8]), head))


def test_an_undirected_edge_is_asked_for_once():
    graph, split = case()
    task, network = EdgeTask(graph, split, SingleLabel(num_classes=3)), model()
    assert not task.is_directed
    answers = task.answers(network, PARTS)
    assert network.calls == 1
    for part, found in answers.items():
        pairs = graph.pair[getattr(split, part)]
        assert sorted(graph.pair[found.items].tolist()) == sorted(set(pairs.tolist()))
        assert torch.equal(found.target, graph.edge["y"][found.items])
    everything, part = task.all_answers(network)
    assert len(everything.items) == graph.num_edges // 2
    assert (graph.adj.edge_id[everything.items] < graph.num_edges // 2).all()  # as they came in
    assert (graph.pair[everything.items] // 3 % 4 - 1).tolist() == part.tolist()


def test_symmetric_answers_do_not_depend_on_the_direction():
    graph, split = case()
    task = EdgeTask(graph, split, SingleLabel(num_classes=3))
    again = EdgeTask(*case(undirected().flip(0)), SingleLabel(num_classes=3))
    assert torch.equal(task.graph.pair[task.asked].sort()[0], again.graph.pair[again.asked].sort()[0])

    def by_pair(one: EdgeTask, network: Counting) -> dict[int, list[float]]:
        answers, _ = one.all_answers(network)
        return dict(zip(one.graph.pair[answers.items].tolist(), answers.output.tolist(), strict=True))

    assert by_pair(task, model()) == by_pair(again, model())
    assert by_pair(task, model(symmetric=False)) != by_pair(again, model(symmetric=False))


def test_directed_edges_are_asked_for_each():
    edge_index = undirected()
    y = torch.arange(edge_index.shape[1]) % 3
    graph, _ = case(edge_index, y)
    place = graph.adj.edge_id % 4
    split = Split(place == 1, place == 2, place == 3)
    task = EdgeTask(graph, split, SingleLabel(num_classes=3), is_directed=True)
    assert torch.equal(task.items["train"], split.train.nonzero().squeeze(1))
    assert len(task.all_answers(model())[0].items) == graph.num_edges
    one_way = case(edge_index[:, : edge_index.shape[1] // 2])
    assert EdgeTask(*one_way, SingleLabel(num_classes=3)).is_directed


def test_only_training_edges_teach():
    graph, split = case()
    task = EdgeTask(graph, split, SingleLabel(num_classes=3))
    (batch,) = task.batches(0)
    assert split.train[batch.items].all()
    assert torch.equal(batch.target, graph.edge["y"][batch.items])
    output = torch.zeros(graph.num_edges, 3, requires_grad=True)
    task.objective.loss(output[batch.items], batch.target).backward()
    assert not (output.grad[~split.train] != 0).any()


def test_repeated_edges_are_paired_in_order():
    """Three edges between two nodes, each there and back, with answers of their own."""
    edge_index = torch.tensor([[0, 0, 0, 1, 1, 1, 2, 2], [1, 1, 1, 0, 0, 0, 2, 2]])
    y = torch.tensor([0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 5.0, 6.0])
    graph = Graph(edge_index, num_nodes=3, edge={"y": y})
    all_train = torch.ones(8, dtype=torch.bool)
    task = EdgeTask(graph, Split(all_train, ~all_train, ~all_train), Regression())
    assert sorted(graph.adj.edge_id[task.asked].tolist()) == [0, 1, 2, 6, 7]


def test_the_direction_of_known_answer_is_asked_for():
    edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    y = torch.tensor([-1, 1, 0, -1])
    graph = Graph(edge_index, num_nodes=3, edge={"y": y})
    known = graph.edge["y"] >= 0
    task = EdgeTask(graph, Split(known, ~known & False, ~known & False), SingleLabel(num_classes=2))
    assert sorted(graph.adj.edge_id[task.items["train"]].tolist()) == [1, 2]


def test_wrong_input_is_named():
    graph, split = case()
    objective = SingleLabel(num_classes=3)
    place = graph.adj.edge_id % 4
    with pytest.raises(InputError, match="all edges between two nodes must be in one part"):
        EdgeTask(graph, Split(place == 1, place == 2, place == 3), objective)
    different = graph.replace(edge={"y": graph.adj.edge_id % 3})
    with pytest.raises(InputError, match=r"must have one answer, and of .* differ: say is_directed=True"):
        EdgeTask(different, split, objective)
    with pytest.raises(InputError, match="answers y of its edges: it holds none"):
        EdgeTask(Graph(graph.adj), split, objective)
    with pytest.raises(InputError, match="a row for each"):
        EdgeTask(graph, Split(*(torch.ones(2) > k for k in (0, 1, 1))), objective)
