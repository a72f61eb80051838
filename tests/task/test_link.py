"""Link prediction: negatives that are no edges, the same from the same seed, and one pass for a graph."""

import networkx as nx
import pytest
import torch

from grapevine.data.split import link_split
from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.non_edges import EdgeSet
from grapevine.nn import MLP
from grapevine.nn.head import PairHead
from grapevine.nn.network import Network
from grapevine.nn.pair import Dot
from grapevine.task import PARTS, Link, LinkTask, Negatives
from grapevine.task.negatives import common_neighbours, draw_negatives
from tests.task.cases import NUM_FEATURES, Counting, random, undirected

NUM_NODES = 40
KINDS = ("uniform", "degree", "hard")


def some_graph(directed: bool = False) -> Graph:
    edges = undirected(NUM_NODES, 120)
    edges = edges[:, : edges.shape[1] // 2] if directed else edges
    return Graph(edges, x=random(NUM_NODES, NUM_FEATURES))


def model() -> Counting:
    torch.manual_seed(0)
    return Counting(Network(MLP([NUM_FEATURES, 8], dropout=0.3), PairHead(Dot())))


@pytest.mark.parametrize("disjoint", [0.0, 0.4])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_negatives_are_never_edges(kind, directed, disjoint):
    split = link_split(some_graph(directed), val=0.1, test=0.2, disjoint_train=disjoint)
    task = LinkTask(split, negatives=Negatives(kind=kind, per_positive=2))
    links = split.pairs["train"]
    joined = {tuple(pair) for pair in torch.cat([split.graph.adj.edge_index, links], 1).T.tolist()}
    joined |= set() if directed else {(j, i) for i, j in joined}
    for seed in range(3):
        (batch,) = task.batches(seed)
        assert torch.equal(batch.items[:, batch.target == 1], links)
        negatives = batch.items[:, batch.target == 0].T.tolist()
        assert len(negatives) == 2 * links.shape[1]
        assert not joined & {tuple(pair) for pair in negatives}
        assert all(u != v for u, v in negatives)


@pytest.mark.parametrize("batch_size", [None, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_the_same_batches(kind, batch_size):
    split = link_split(some_graph())
    task = LinkTask(split, negatives=Negatives(kind=kind, per_positive=2), batch_size=batch_size)
    first, again, other = (list(task.batches(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(a.items, b.items) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a.items, b.items) for a, b in zip(first, other, strict=True))
    seen = torch.cat([batch.items[:, batch.target == 1] for batch in first], 1)
    assert sorted(seen.T.tolist()) == sorted(split.pairs["train"].T.tolist())
    assert all((batch.target == 0).sum() == 2 * (batch.target == 1).sum() for batch in first)


def test_one_graph_is_passed_over_once():
    split = link_split(some_graph())
    task, network = LinkTask(split), model()
    answers = task.answers(network, PARTS)
    assert network.calls == 1
    for part in PARTS:
        links = split.pairs[part]
        found = answers[part]
        assert torch.equal(found.items[:, found.target == 1], links)
        if part != "train":
            assert torch.equal(found.items[:, found.target == 0], split.negatives[part])
        alone = task.answers(network, [part])[part]
        torch.testing.assert_close(alone.output, found.output)
    seen = link_split(some_graph(), val_edges_in_test=True)
    network.calls = 0
    LinkTask(seen).answers(network, PARTS)
    assert network.calls == 2


def test_all_answers_say_the_part_of_each():
    split = link_split(some_graph())
    answers, part = LinkTask(split).all_answers(model())
    assert answers.items.shape == (2, len(part))
    for place, name in enumerate(PARTS):
        chosen = (part == place) & (answers.target == 1)
        assert torch.equal(answers.items[:, chosen], split.pairs[name])


def test_a_task_moves_with_its_graphs():
    task = LinkTask(link_split(some_graph()), Link(metric="mrr"), batch_size=5).to("cpu")
    assert task.split.graph is task.split.val_graph
    assert (task.objective.metric, task.batch_size) == ("mrr", 5)


def test_common_neighbours_are_those_of_networkx():
    edges = undirected(NUM_NODES, 120)
    graph = nx.Graph(edges.T.tolist())
    graph.add_nodes_from(range(NUM_NODES))
    pairs = torch.randint(NUM_NODES, (2, 200), generator=torch.Generator().manual_seed(0))
    pairs = pairs[:, pairs[0] != pairs[1]]
    expected = [len(list(nx.common_neighbors(graph, u, v))) for u, v in pairs.T.tolist()]
    assert common_neighbours(Adjacency(edges, NUM_NODES), pairs).tolist() == expected
    one_way = Adjacency(edges[:, : edges.shape[1] // 2], NUM_NODES)
    assert common_neighbours(one_way, pairs).tolist() == expected
    assert common_neighbours(one_way, pairs[:, :0]).tolist() == []


def test_hard_negatives_have_more_common_neighbours():
    edges = EdgeSet(some_graph().adj)
    links, generator = edges.pairs[:, :30], torch.Generator().manual_seed(0)
    hard, easy = (draw_negatives(Negatives(kind=kind), edges, links, generator) for kind in ("hard", "uniform"))
    mean = [common_neighbours(edges.adj, pairs).double().mean() for pairs in (hard, easy)]
    assert mean[0] > 2 * mean[1]


def test_hard_negatives_of_all_pairs_are_the_hardest():
    edges = EdgeSet(some_graph().adj)
    links = edges.pairs[:, :20]
    drawn = draw_negatives(Negatives(kind="hard", pool=10_000), edges, links, torch.Generator().manual_seed(0))
    every = torch.combinations(torch.arange(NUM_NODES)).T
    free = every[:, ~edges.contains(every)]
    hardest = common_neighbours(edges.adj, free).sort(descending=True).values[:20]
    assert sorted(common_neighbours(edges.adj, drawn).tolist()) == sorted(hardest.tolist())


def test_negatives_by_degree_follow_the_power():
    """On a star with a few extra nodes: every target's share is its weight's, given that the source may have it."""
    star = torch.tensor([[0] * 8 + [1] * 2, [*range(4, 12), 4, 5]])
    adj = Adjacency(torch.cat([star, star.flip(0)], 1), 16)
    links = torch.tensor([[2, 3], [2, 3]]).repeat(1, 4000)  # isolated nodes may have any target
    drawn = draw_negatives(Negatives(kind="degree"), EdgeSet(adj), links, torch.Generator().manual_seed(0))
    weight = adj.in_degree.double() ** 0.75
    shares = torch.bincount(drawn[1], minlength=16) / drawn.shape[1]
    torch.testing.assert_close(shares.double(), weight / weight.sum(), atol=0.02, rtol=0)


def test_wrong_input_is_named():
    split = link_split(some_graph())
    with pytest.raises(InputError, match="batch_size of 0"):
        LinkTask(split, batch_size=0)
    with pytest.raises(InputError, match="too dense"):
        list(LinkTask(split, negatives=Negatives(per_positive=100)).batches(0))
