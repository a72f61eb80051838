"""Tasks of whole graphs: batches that come back from their seed, and answers that are those of each graph alone."""

import pytest
import torch

from grapevine.data.split import Split
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import MLP, Readout
from grapevine.nn.head import GraphHead
from grapevine.nn.network import Network
from grapevine.task import PARTS, GraphTask, Regression, SingleLabel
from tests.task.cases import NUM_FEATURES, Counting, random, split_in_three

NUM_GRAPHS = 41


def parts() -> list[Graph]:
    sizes = torch.randint(1, 6, (NUM_GRAPHS,), generator=torch.Generator().manual_seed(0)).tolist()
    return [
        Graph(
            torch.randint(size, (2, 2 * size), generator=torch.Generator().manual_seed(k)),
            x=random(size, NUM_FEATURES, seed=k),
            graph={"y": torch.tensor([k % 3])},
        )
        for k, size in enumerate(sizes)
    ]


def task(**options) -> GraphTask:
    return GraphTask(Graph.batch(parts()), split_in_three(NUM_GRAPHS), SingleLabel(num_classes=3), **options)


def model() -> Counting:
    torch.manual_seed(0)
    return Counting(Network(MLP([NUM_FEATURES, 8, 3], dropout=0.5), GraphHead(Readout())))


def drawn(one: GraphTask, seed: int) -> list[list[float]]:
    """The first feature of each batch's first nodes, which tells the graphs apart."""
    return [batch.graph.x[batch.graph.ptr[:-1], 0].tolist() for batch in one.batches(seed)]


def test_an_epoch_has_every_training_graph_once():
    one, graphs = task(batch_size=4), parts()
    seen = [value for batch in drawn(one, seed=3) for value in batch]
    assert sorted(seen) == sorted(graphs[k].x[0, 0].item() for k in range(1, NUM_GRAPHS, 4))
    for batch in one.batches(seed=3):
        assert torch.equal(batch.target, batch.graph.y)
        assert batch.items is None


def test_a_seed_draws_the_same_batches():
    one = task(batch_size=3)
    assert drawn(one, 1) == drawn(task(batch_size=3), 1)
    assert drawn(one, 1) != drawn(one, 2)
    assert drawn(task(batch_size=3, num_batches=5), 1) == drawn(task(batch_size=3, num_batches=5), 1)


def test_no_batch_has_a_single_graph():
    assert len(task().items["train"]) == 10
    assert [batch.graph.num_graphs for batch in task(batch_size=3).batches(0)] == [3, 3, 4]
    assert [batch.graph.num_graphs for batch in task(batch_size=4, num_batches=6).batches(0)] == [4] * 6


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_answers_are_those_of_each_graph_alone(batch_size):
    one, network, graphs = task(batch_size=batch_size), model(), parts()
    for part, answers in one.answers(network, PARTS).items():
        items = getattr(one.split, part).nonzero().squeeze(1)
        assert torch.equal(answers.items, items)
        alone = torch.cat([network(graphs[k], None) for k in items.tolist()])
        torch.testing.assert_close(answers.output, alone)
        assert answers.target.tolist() == [k % 3 for k in items.tolist()]
    assert not network.training


def test_evaluation_batches_are_kept():
    one, network = task(batch_size=32), model()
    first = one.answers(network, ["val"])["val"]
    graph = one._judged["val"][0]
    assert torch.equal(one.answers(network, ["val"])["val"].output, first.output)
    assert one._judged["val"][0] is graph
    assert network.calls == 2


def test_all_answers_say_the_part_of_each():
    answers, part = task(batch_size=4).all_answers(model())
    assert answers.items.tolist() == list(range(NUM_GRAPHS))
    assert part.tolist() == [k % 4 - 1 for k in range(NUM_GRAPHS)]
    assert answers.output.shape == (NUM_GRAPHS, 3)


def test_graphs_of_unknown_answer_do_not_teach():
    y = torch.arange(NUM_GRAPHS).float()
    y[torch.arange(NUM_GRAPHS) % 8 == 1] = float("nan")
    graph = Graph.batch(parts()).replace(y=y)
    one = GraphTask(graph, split_in_three(NUM_GRAPHS), Regression.of(y), batch_size=2)
    assert sorted(k for batch in one.batches(0) for k in batch.target.flatten().tolist()) == [5, 13, 21, 29, 37]
    assert GraphTask(graph, one.split, Regression.of(y)).to("cpu").graph.num_graphs == NUM_GRAPHS


def test_an_empty_part_has_no_answers():
    none = torch.zeros(NUM_GRAPHS, dtype=torch.bool)
    one = GraphTask(Graph.batch(parts()), Split(~none, none, none), SingleLabel(num_classes=3))
    assert one.answers(model(), ["val"])["val"].output.shape == (0, 3)


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="batch_size of 0"):
        task(batch_size=0)
    with pytest.raises(InputError, match="an epoch must have a batch, got 0"):
        task(num_batches=0)
    with pytest.raises(InputError, match="answers y of its graphs: it holds none"):
        GraphTask(Graph([[0], [1]]), split_in_three(1), Regression())
