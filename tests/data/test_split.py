"""Splits: sizes, classes, the seed, and what is refused."""

import networkx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.data.dataset import Dataset
from grapevine.data.split import (
    Split,
    SplitRule,
    component_split,
    k_fold,
    make_split,
    mask_of,
    per_class,
    random_split,
    stratified_split,
    time_split,
)
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.graph.cases import index_of, many, square_edges

Y = torch.tensor([0, 1, 2] * 10 + [-1] * 5)


def parts(split: Split) -> list[torch.Tensor]:
    return [split.train, split.val, split.test]


def sizes(split: Split) -> list[int]:
    return [int(part.sum()) for part in parts(split)]


def assert_same(left: Split, right: Split) -> None:
    assert all(torch.equal(a, b) for a, b in zip(parts(left), parts(right), strict=True))


def test_each_class_teaches_equally_and_no_node_is_shared():
    split = per_class(Y, num_train=3, num_val=5, seed=1)
    assert Y[split.train].bincount().tolist() == [3, 3, 3]
    assert (int(split.val.sum()), int(split.test.sum())) == (5, 30 - 9 - 5)
    assert not (split.train | split.val | split.test)[Y < 0].any()
    assert ((split.train.int() + split.val.int() + split.test.int()) <= 1).all()


DRAWN = {
    "per_class": lambda seed: per_class(Y, num_train=3, num_val=5, seed=seed),
    "random": lambda seed: random_split(Y, seed=seed),
    "stratified": lambda seed: stratified_split(Y, seed=seed),
    "k_fold": lambda seed: k_fold(Y, folds=3, val=0.2, seed=seed)[1],
    "component": lambda seed: component_split(Graph([[], []], num_nodes=len(Y)), seed=seed, y=Y),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_the_seed_decides_and_items_without_a_label_are_left_out(draw):
    first, again, other = draw(1), draw(1), draw(2)
    assert_same(first, again)
    assert not torch.equal(first.train, other.train)
    assert torch.equal(torch.stack(parts(first)).any(0), Y >= 0)


@given(st.integers(3, 60), st.floats(0.05, 0.9), st.floats(0, 0.5), st.integers(0, 3))
def test_random_shares(num_items, train, val, seed):
    if train + val > 1:
        with pytest.raises(InputError, match="their sum at most 1"):
            random_split(num_items, train=train, val=val)
        return
    found = sizes(random_split(num_items, train=train, val=val, seed=seed))
    wanted = [share * num_items for share in (train, val, 1 - train - val)]
    assert sum(found) == num_items
    for size, want, share in zip(found, wanted, (train, val, 1 - train - val), strict=True):
        assert size > 0 or share < 1e-6
        assert abs(size - want) < 2 or size == 1


@given(st.lists(st.integers(-1, 3), min_size=3, max_size=40), st.integers(0, 3))
def test_every_class_is_in_every_part_where_it_can_be(labels, seed):
    y = torch.tensor(labels)
    counts = y[y >= 0].bincount()
    if counts.numel() == 0 or counts.max() < 3:
        with pytest.raises(InputError):
            stratified_split(y, seed=seed)
        return
    split = stratified_split(y, seed=seed)
    for c, count in enumerate(counts.tolist()):
        found = [int((y[part] == c).sum()) for part in parts(split)]
        assert sum(found) == count
        assert min(found) >= 1 or count < 3
        assert found[0] >= 1 or count == 0
        if count >= 5:
            assert all(abs(size - share * count) < 1 for size, share in zip(found, (0.6, 0.2, 0.2), strict=True))


@pytest.mark.parametrize("val", [0.0, 0.1])
def test_every_item_judges_in_one_fold(val):
    folds = k_fold(Y, folds=4, val=val, seed=3)
    assert torch.equal(torch.stack([fold.test for fold in folds]).sum(0), (Y >= 0).long())
    for fold in folds:
        by_class = Y[fold.test].bincount(minlength=3)
        assert by_class.max() - by_class.min() <= 1
        assert int(fold.test.sum()) in (7, 8)
        assert sizes(fold)[1] == (0 if val == 0 else pytest.approx(3, abs=1))
        assert torch.equal(torch.stack(parts(fold)).sum(0), (Y >= 0).long())
    for with_val, without in zip(folds, k_fold(Y, folds=4, seed=3), strict=True):
        assert torch.equal(with_val.test, without.test)
    assert sorted(sizes(fold)[2] for fold in k_fold(10, folds=4)) == [2, 2, 3, 3]


@given(st.lists(st.integers(0, 6), min_size=3, max_size=30))
def test_earlier_items_teach_and_ties_never_straddle(times):
    time = torch.tensor(times)
    if len(set(times)) < 3:
        with pytest.raises(InputError, match="too few for 3 parts"):
            time_split(time)
        return
    split = time_split(time)
    assert time[split.train].max() < time[split.val].min()
    assert time[split.val].max() < time[split.test].min()
    assert sum(sizes(split)) == len(times)
    different = sorted(set(times))
    cuts = [sum(t <= cut for t in times) / len(times) for cut in different[:-2]]
    assert abs(sizes(split)[0] / len(times) - 0.6) <= min(abs(cut - 0.6) for cut in cuts) + 1e-9


def test_times_that_are_not_known_and_shares_of_none():
    time = torch.tensor([3.0, 1.0, float("nan"), 2.0])
    split = time_split(time, train=0.5, val=0, y=torch.tensor([0, 1, 1, -1]))
    assert [part.tolist() for part in parts(split)] == [
        [False, True, False, False], [False] * 4, [True, False, False, False]
    ]  # fmt: skip
    assert sizes(time_split(torch.arange(5), train=0.8, val=0.2)) == [4, 1, 0]
    assert sizes(time_split(torch.zeros(5), train=1.0, val=0)) == [5, 0, 0]


@many
@given(square_edges(), st.integers(0, 3))
def test_components_stay_whole(case, seed):
    edges, num_nodes = case
    graph = Graph(index_of(edges), num_nodes=num_nodes)
    network = networkx.Graph(edges)
    network.add_nodes_from(range(num_nodes))
    if networkx.number_connected_components(network) < 3:
        with pytest.raises(InputError, match="too few for 3 parts"):
            component_split(graph, seed=seed)
        return
    split = component_split(graph, seed=seed)
    assert torch.equal(torch.stack(parts(split)).sum(0), torch.ones(num_nodes, dtype=torch.long))
    assert min(sizes(split)) >= 1
    for part in parts(split):
        assert all(part[j] == part[i] for j, i in edges)


def test_shares_of_many_components_are_met():
    chains = torch.arange(300)[torch.arange(300) % 3 != 2]
    split = component_split(Graph(torch.stack([chains, chains + 1]), num_nodes=300))
    assert sizes(split) == [180, 60, 60]


def data(**tensors) -> Dataset:
    nodes = torch.arange(12)
    edges = torch.stack([nodes, (nodes + 3) % 12])
    return Dataset("ring", Graph(edges, num_nodes=12, **tensors))


def test_a_rule_makes_the_split_it_names():
    y = torch.tensor([0, 1] * 6)
    own = (random_split(12, seed=7), random_split(12, seed=8))
    plain = data(y=y, node={"year": torch.arange(12)})
    dataset = Dataset("ring", plain.graph, splits=own)
    pairs = [
        (SplitRule(kind="public", fold=1), own[1]),
        (SplitRule(kind="random", seed=2), random_split(y, seed=2)),
        (SplitRule(kind="stratified", train=0.5, val=0.3), stratified_split(y, train=0.5, val=0.3)),
        (SplitRule(kind="per_class", num_train=2, num_val=3), per_class(y, num_train=2, num_val=3)),
        (SplitRule(kind="k_fold", folds=3, fold=2, val=0.25), k_fold(y, folds=3, val=0.25)[2]),
        (SplitRule(kind="time", time="year"), time_split(torch.arange(12))),
        (SplitRule(kind="component"), component_split(dataset.graph)),
    ]
    for rule, split in pairs:
        assert_same(make_split(rule, dataset), split)
        assert_same(make_split(SplitRule.model_validate_json(rule.model_dump_json()), dataset), split)
    assert sizes(make_split(SplitRule(kind="random"), data())) == sizes(random_split(12))


def test_edges_between_two_nodes_are_in_one_part():
    nodes = torch.arange(12)
    there = torch.stack([nodes, (nodes + 1) % 12])
    graph = Graph(torch.cat([there, there.flip(0), there[:, :2]], 1), num_nodes=12)
    y = (graph.adj.src + graph.adj.dst) % 2
    y[0] = -1
    dataset = Dataset("ring", graph.replace(edge={"y": y}), level="edge")
    for kind in ("random", "stratified", "k_fold"):
        if kind == "stratified":
            dataset = Dataset("ring", graph.replace(edge={"y": graph.adj.src.minimum(graph.adj.dst) % 2}), level="edge")
        split = make_split(SplitRule(kind=kind, folds=4), dataset)
        known = dataset.graph.y >= 0
        assert torch.equal(torch.stack(parts(split)).any(0), known)
        for part in parts(split):
            ends = {frozenset(pair) for pair in graph.adj.edge_index[:, part].T.tolist()}
            others = {frozenset(pair) for pair in graph.adj.edge_index[:, ~part & known].T.tolist()}
            assert not ends & others


def test_rules_that_do_not_fit_the_data_are_refused():
    refused = [
        (SplitRule(kind="public"), data(), "has no public split; there are random"),
        (SplitRule(kind="stratified"), data(), "must hold the classes y"),
        (SplitRule(kind="stratified"), data(y=torch.rand(12)), "dtype int64 with one class an item.*use random_split"),
        (SplitRule(kind="stratified"), data(y=torch.ones(12, 2)), r"got \(12, 2\) of float32: use random_split"),
        (SplitRule(kind="time"), data(x=torch.ones(12, 1)), "holds no 'time' of its nodes, it holds x"),
        (SplitRule(kind="time", time="at"), data(edge={"at": torch.ones(12)}), "at belongs to the edges"),
        (SplitRule(kind="k_fold", fold=10), data(), "fold must be in 0 .. 9"),
        (SplitRule(kind="random"), Dataset("pairs", data().graph, level="link"), "split by link_split"),
        (SplitRule(kind="component"), Dataset("many", data().graph, level="graph"), "components already"),
    ]
    for rule, dataset, message in refused:
        with pytest.raises(InputError, match=message):
            make_split(rule, dataset)
    numbers = data(y=torch.rand(12, 2))
    assert sum(sizes(make_split(SplitRule(kind="k_fold", folds=3), numbers))) == 12


@pytest.mark.parametrize(("num_train", "num_val"), [(11, 1), (10, 1), (3, 21)])
def test_too_few_nodes_are_refused(num_train, num_val):
    with pytest.raises(InputError):
        per_class(Y, num_train=num_train, num_val=num_val)


def test_wrong_labels_shares_and_masks_are_refused():
    with pytest.raises(InputError, match="y must"):
        per_class(torch.full((4,), -1), num_train=1, num_val=1)
    with pytest.raises(InputError, match="y must be of dtype"):
        per_class(torch.rand(4), num_train=1, num_val=1)
    with pytest.raises(InputError, match="2 items are too few for 3 parts"):
        random_split(2)
    with pytest.raises(InputError, match="number of items or their answers"):
        random_split("twelve")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match=r"folds must be in 2 \.\. 5"):
        k_fold(5, folds=6)
    with pytest.raises(InputError, match="use stratified=False"):
        k_fold(torch.rand(9), folds=3)
    with pytest.raises(InputError, match="time must be of dtype"):
        time_split(torch.ones(3, dtype=torch.bool))
    mask = mask_of(torch.tensor([0]), 3)
    with pytest.raises(InputError, match="share no item"):
        Split(mask, mask, ~mask)
    with pytest.raises(InputError, match="val must be of dtype bool"):
        Split(mask, torch.zeros(3), ~mask)
