"""Link splits: by brute force, no evaluated edge is in a message graph, and no negative is an edge."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from grapevine.data.datasets import load_dataset
from grapevine.data.split import LinkSplit, link_split
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.data.cases import CORA, needs_cora
from tests.graph.cases import index_of, many


def edges_of(graph: Graph) -> list[tuple[int, int]]:
    return list(map(tuple, graph.adj.edge_index.T.tolist()))


def pairs_of(pairs: torch.Tensor) -> list[tuple[int, int]]:
    return list(map(tuple, pairs.T.tolist()))


def check_definition(whole: Graph, split: LinkSplit) -> None:
    """What holds of every link split of the graph, looked at pair by pair."""
    found = {part: pairs_of(pairs) for part, pairs in split.pairs.items()}
    every = [frozenset(pair) for pairs in found.values() for pair in pairs]
    by_part = {part: {frozenset(pair) for pair in pairs} for part, pairs in found.items()}
    assert all(len(pair) == 2 for pair in every)
    assert sum(map(len, by_part.values())) == len(set(every))  # both directions of a pair are in one part
    if split.is_directed:
        listed = [pair for pairs in found.values() for pair in pairs]
        assert len(listed) == len(set(listed))
        assert set(listed) == {edge for edge in edges_of(whole) if frozenset(edge) in set(every)}
    else:
        assert len(every) == len(set(every))
        assert all(j < i for pairs in found.values() for j, i in pairs)
    heard = {frozenset(edge) for edge in edges_of(split.val_graph)}
    assert not heard & (by_part["val"] | by_part["test"])
    assert not {frozenset(edge) for edge in edges_of(split.test_graph)} & by_part["test"]
    assert set(edges_of(split.graph)) <= set(edges_of(split.val_graph)) <= set(edges_of(whole))
    edges, seen = set(edges_of(whole)), set()
    for part, drawn in split.negatives.items():
        assert drawn.shape == split.pairs[part].shape
        for j, i in pairs_of(drawn):
            assert j != i
            assert (j, i) not in edges
            key = (j, i) if split.is_directed else frozenset((j, i))
            assert key not in seen
            seen.add(key)


def some_whole(num_nodes: int, listed: list[tuple[int, int]], *, is_undirected: bool) -> Graph:
    edges = listed + [(i, j) for j, i in listed] if is_undirected else listed
    place = torch.arange(len(edges))
    return Graph(
        index_of(edges), x=torch.rand(num_nodes, 2), edge={"place": place, "time": place % max(len(listed), 1)}
    )


node = st.integers(0, 11)


@many
@given(
    st.lists(st.tuples(node, node), min_size=6, max_size=25),
    st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0.0, 0.5]), st.integers(0, 3),
)  # fmt: skip
def test_the_definition(listed, is_undirected, is_timed, hears_val, disjoint, seed):
    whole = some_whole(12, listed, is_undirected=is_undirected)
    num_pairs = len({frozenset(edge) for edge in listed if edge[0] != edge[1]})
    assume(num_pairs >= 5)
    split = link_split(
        whole, val=0.2, test=0.2, seed=seed, disjoint_train=disjoint, val_edges_in_test=hears_val,
        time="time" if is_timed else None,
    )  # fmt: skip
    check_definition(whole, split)
    counts = {part: len({frozenset(pair) for pair in pairs_of(pairs)}) for part, pairs in split.pairs.items()}
    if not is_timed:
        assert (counts["val"], counts["test"]) == (int(0.2 * num_pairs + 1e-9),) * 2
    train = {frozenset(pair) for pair in pairs_of(split.pairs["train"])}
    heard = {frozenset(edge) for edge in edges_of(split.graph)}
    assert (train <= heard) if disjoint == 0 else not (train & heard)
    if disjoint == 0:
        assert split.graph is split.val_graph
        assert sum(counts.values()) == num_pairs
    for graph in (split.graph, split.val_graph, split.test_graph):  # the tensors go with their edges
        assert torch.equal(graph.place, whole.place[graph.adj.edge_id])
        assert torch.equal(graph.adj.edge_index, whole.adj.edge_index[:, graph.adj.edge_id])
        assert graph.x is whole.x
    if is_timed:
        assert split.times["train"].max() < split.times["val"].min()
        assert split.times["val"].max() < split.times["test"].min()
        if split.val_graph.num_edges:
            assert split.val_graph.time.max() < split.times["val"].min()
        if split.test_graph.num_edges:
            assert split.test_graph.time.max() < split.times["test" if hears_val else "val"].min()
    again = link_split(whole, val=0.2, test=0.2, seed=seed, disjoint_train=disjoint, time="time" if is_timed else None)
    assert torch.equal(split.pairs["train"], again.pairs["train"])
    assert torch.equal(split.negatives["test"], again.negatives["test"])


def test_an_edge_that_comes_back_later_carries_no_message():
    edges = [(0, 1), (2, 3), (4, 5), (0, 1), (1, 2), (3, 4), (0, 1)]  # 0 -> 1 at times 0, 3 and 6
    whole = Graph(index_of(edges), num_nodes=8, edge={"time": torch.arange(7)})
    split = link_split(whole, val=0.2, test=0.2, time="time")
    assert pairs_of(split.pairs["train"]) == [(0, 1), (2, 3), (4, 5)]
    assert (pairs_of(split.pairs["val"]), pairs_of(split.pairs["test"])) == ([(1, 2)], [(3, 4)])
    assert sorted(split.graph.time.tolist()) == sorted(split.test_graph.time.tolist()) == [0, 1, 2, 3]
    with_val = link_split(whole, val=0.2, test=0.2, time="time", val_edges_in_test=True)
    assert sorted(with_val.val_graph.time.tolist()) == [0, 1, 2, 3]
    assert sorted(with_val.test_graph.time.tolist()) == [0, 1, 2, 3, 4]


@needs_cora
def test_cora_as_in_the_paper():
    graph = load_dataset("cora", CORA).graph
    split = link_split(graph, seed=3)
    check_definition(graph, split)
    assert [pairs.shape[1] for pairs in split.pairs.values()] == [4488, 263, 527]
    assert split.graph.num_edges == 2 * 4488
    assert split.graph.adj.is_symmetric()
    with_val = link_split(graph, seed=3, val_edges_in_test=True)
    assert with_val.test_graph.num_edges == 2 * (4488 + 263)
    assert with_val.val_graph.num_edges == 2 * 4488
    other = link_split(graph, seed=4)
    assert not torch.equal(split.pairs["test"], other.pairs["test"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"val": 0.6, "test": 0.4}, "with a sum below 1, got 0.6 and 0.4"),
        ({"val": 0.01}, "a share of 0.01 of 10 joined pairs is none"),
        ({"disjoint_train": 1.0}, "disjoint_train must be a share"),
        ({"val": 0.1, "test": 0.1, "disjoint_train": 0.01}, "a disjoint_train of 0.01 of 8 training pairs is none"),
        ({"time": "when"}, "no edge tensor 'when' to split by, it has late"),
        ({"time": "late", "val": 0.2, "test": 0.2}, "late must be known for every edge, 1 are NaN"),
        ({"val": 0.1, "test": 0.1}, "too dense: 2 pairs without an edge are asked for, there are 0"),
    ],
)
def test_wrong_input_is_refused(options, message):
    edges = [(j, i) for j in range(5) for i in range(5) if j != i]  # complete
    late = torch.ones(20).index_fill(0, torch.tensor([3]), float("nan"))
    with pytest.raises(InputError, match=message):
        link_split(Graph(index_of(edges), edge={"late": late}), **options)
    with pytest.raises(InputError, match="takes one graph, got a batch of 2"):
        link_split(Graph.batch([Graph([[0], [1]])] * 2))
    with pytest.raises(InputError, match="no edge to predict"):
        link_split(Graph([[0], [0]]))
