"""The audit: planted leaks are found with their examples, and clean data gives none."""

import json
from dataclasses import replace
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.data.audit import AuditReport, audit
from grapevine.data.dataset import Dataset
from grapevine.data.datasets import load_dataset
from grapevine.data.split import SplitRule, k_fold, link_split, make_split, mask_of, random_split, stratified_split
from grapevine.errors import InputError
from grapevine.graph import Graph, from_networkx
from tests.data.cases import CORA, needs_cora
from tests.graph.mutag import needs_mutag, read_mutag

PHOTO = Path(__file__).parents[2].parent / "shared" / "data" / "npz" / "amazon_photo.npz"
NODES = 200
SPLIT = random_split(NODES, seed=0)
TRAIN, VAL, TEST = (part.nonzero().squeeze(1).tolist() for part in (SPLIT.train, SPLIT.val, SPLIT.test))


def clean(seed: int = 0, **tensors) -> Dataset:
    """A random undirected graph of 200 people with 5 random features and 3 classes."""
    generator = torch.Generator().manual_seed(seed)
    edges = torch.randint(NODES, (2, 400), generator=generator)
    edges = edges[:, edges[0] != edges[1]]
    node = {
        "x": torch.randn(NODES, 5, generator=generator), "y": torch.randint(3, (NODES,), generator=generator)
    } | tensors  # fmt: skip
    ids = np.array([f"p{k}" for k in range(NODES)], dtype=object)
    graph = Graph(torch.cat([edges, edges.flip(0)], 1), num_nodes=NODES, node=node)
    return Dataset("people", graph, splits=(SPLIT,), ids=ids)


def found(report: AuditReport, kind: str):
    return next((finding for finding in report.findings if finding.kind == kind), None)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_clean_data_has_no_leak(seed):
    dataset = clean(seed)
    assert not audit(dataset).leaks
    assert not {f.severity for f in audit(dataset).findings} & {"warning"}
    assert not audit(link_split(dataset.graph, seed=seed, val=0.1, disjoint_train=0.3)).findings
    numbers = clean(seed, y=torch.randn(NODES))
    assert not audit(numbers).leaks


@needs_cora
def test_cora_has_no_leak_and_two_papers_twice():
    dataset = load_dataset("cora", CORA)
    report = audit(dataset)
    assert not report.leaks
    assert not found(report, "telling_feature")
    twins = found(report, "twin_node")
    x, adj = dataset.graph.x.to_scipy(), dataset.graph.adj
    for test, _, val, _ in twins.examples:  # the data set does hold these papers twice
        assert (x[[test]] != x[[val]]).nnz == 0
        assert set(adj.src[adj.dst == test].tolist()) == set(adj.src[adj.dst == val].tolist())
    assert not audit(link_split(dataset.graph)).findings


@pytest.mark.skipif(not PHOTO.is_file(), reason=f"Amazon Photo is not in {PHOTO}")
def test_photo_has_no_leak():
    file = np.load(PHOTO)
    x = scipy.sparse.csr_array(
        (file["attr_data"], file["attr_indices"], file["attr_indptr"]), shape=tuple(file["attr_shape"])
    )
    rows = np.repeat(np.arange(len(x.indptr) - 1), np.diff(file["adj_indptr"]))
    edges = torch.from_numpy(np.stack([rows, file["adj_indices"]]).astype(np.int64))
    y = torch.from_numpy(file["labels"].astype(np.int64))
    graph = Graph(torch.cat([edges, edges.flip(0)], 1), x=torch.from_numpy(x.toarray()), y=y)
    report = audit(Dataset("photo", graph, splits=(stratified_split(y),)))
    assert not report.leaks
    assert not found(report, "telling_feature")


@needs_mutag
def test_mutag_holds_graphs_repeatedly():
    graphs = read_mutag()
    batch = Graph.batch(graphs)
    split = k_fold(batch.y)[0]
    finding = found(audit(Dataset("mutag", batch, level="graph", splits=(split,))), "duplicate_graph")
    networks = []
    for graph in graphs:
        network = networkx.Graph(graph.adj.edge_index.T.tolist())
        networkx.set_node_attributes(network, dict(enumerate(graph.z.tolist())), "z")
        networks.append(network)
    match = networkx.isomorphism.categorical_node_match("z", 0)
    trains = split.train.nonzero().squeeze(1).tolist()
    expected = [
        test for test in split.test.nonzero().squeeze(1).tolist()
        if any(networkx.faster_could_be_isomorphic(networks[test], networks[k]) and
               networkx.is_isomorphic(networks[test], networks[k], node_match=match) for k in trains)
    ]  # fmt: skip
    assert finding.count == len(expected) > 0
    assert [example[0] for example in finding.examples] == expected[: len(finding.examples)]
    assert {example[4] for example in finding.examples} == {"isomorphic"}
    assert "do not prove" in finding.sentence


def test_1_wl_equal_graphs_that_are_not_isomorphic_are_no_leak():
    ring, triangles = networkx.cycle_graph(6), networkx.disjoint_union(*[networkx.cycle_graph(3)] * 2)
    batch = Graph.batch([from_networkx(one).replace(graph={"y": torch.tensor([0])}) for one in (ring, triangles)])
    dataset = Dataset("rings", batch, level="graph")
    report = audit(dataset, split={"train": torch.tensor([0]), "test": torch.tensor([1])})
    assert found(report, "duplicate_graph").examples == ((1, "test", 0, "train", "not isomorphic"),)
    assert not report.leaks


@pytest.mark.parametrize("part", ["train", "val"])
def test_edge_features_tell_graphs_apart(part):
    def molecule(bond: float) -> Graph:
        return Graph([[0, 1], [1, 0]], edge_attr=torch.full((2, 1), bond), graph={"y": torch.tensor([1.0])})

    dataset = Dataset("bonds", Graph.batch([molecule(1), molecule(2), molecule(1)]), level="graph")
    report = audit(dataset, split={part: torch.tensor([0]), "test": torch.tensor([1, 2])})
    assert found(report, "duplicate_graph").examples == ((2, "test", 0, part, "isomorphic"),)


def test_a_node_in_two_parts():
    masks = {"train": SPLIT.train, "val": SPLIT.val, "test": SPLIT.test | mask_of(torch.tensor(TRAIN[:2]), NODES)}
    finding = found(audit(clean(), split=masks), "shared_item")
    assert finding.examples == tuple((f"p{k}", "train", "test") for k in TRAIN[:2])
    dataset = clean()
    dataset.ids[TEST[0]] = f"p{TRAIN[3]}"
    finding = found(audit(dataset), "shared_id")
    assert (finding.severity, finding.count) == ("leak", 1)
    assert finding.examples == ((f"p{TRAIN[3]}", "test", f"p{TRAIN[3]}", "train"),)


def test_the_same_node_in_data_sets_by_part():
    def people(names: list[str], seed: int) -> Dataset:
        x = torch.randn(len(names), 3, generator=torch.Generator().manual_seed(seed))
        return Dataset("people", Graph([[0], [1]], x=x), ids=np.array(names))

    report = audit({"train": people(["ann", "bob", "cem"], 0), "test": people(["dora", "bob"], 1)})
    assert found(report, "shared_id").examples == (("bob", "test", "bob", "train"),)
    assert not audit({"train": people(["ann", "bob"], 0), "test": people(["dora", "eve"], 1)}).leaks


def test_a_copied_node():
    dataset = clean()
    graph, copy, of = dataset.graph, TEST[0], TRAIN[0]
    src, dst = graph.adj.edge_index
    is_free = (src != copy) & (dst != copy)
    back = graph.adj.src[graph.adj.dst == of]
    edges = torch.cat([graph.adj.edge_index[:, is_free & (src != copy)]], 1)
    back = back[back != copy]
    new = torch.stack([torch.full_like(back, copy), back])
    x = graph.x.clone()
    x[copy] = x[of]
    copied = Graph(torch.cat([edges, new, new.flip(0)], 1), x=x, y=graph.y)
    report = audit(replace(dataset, graph=copied))
    assert [finding.kind for finding in report.leaks] == ["twin_node"]
    assert report.leaks[0].examples == ((f"p{copy}", "test", f"p{of}", "train"),)
    report = audit(replace(dataset, graph=graph.replace(x=x)))  # the same features elsewhere
    assert not report.leaks
    assert found(report, "same_features").examples == ((f"p{copy}", "test", f"p{of}", "train"),)


def telling(kind: str) -> tuple[Dataset, set]:
    """Data whose features give the answer away, and the columns that do."""
    dataset = clean()
    x, y, noise = dataset.graph.x, dataset.graph.y, torch.rand(NODES)
    if kind == "one column":
        return clean(x=torch.cat([x, (y * 10 + noise).unsqueeze(1)], 1)), {5}
    if kind == "a category for each class":
        return clean(x=torch.cat([torch.nn.functional.one_hot(y, 3).float(), x], 1)), {0, 1, 2}
    if kind == "two classes":
        return clean(y=y % 2, x=torch.cat([x, (y % 2 * -3.0 + noise).unsqueeze(1)], 1)), {5}
    target = torch.randn(NODES)
    if kind == "other units":
        return clean(y=target, x=torch.cat([x, (target * 1.8 + 32).unsqueeze(1)], 1)), {5}
    if kind == "logarithm":
        return clean(y=target.exp(), x=torch.cat([x, -target.unsqueeze(1)], 1)), {5}
    several = torch.stack([y % 2, torch.randint(2, (NODES,))], 1)
    several[:20] = -1
    return clean(y=several, x=torch.cat([x, (y % 2).unsqueeze(1).float()], 1)), {5}


@pytest.mark.parametrize(
    "kind", ["one column", "a category for each class", "two classes", "other units", "logarithm", "several answers"]
)
@pytest.mark.parametrize("is_sparse", [True, False])
def test_a_feature_that_gives_the_answer_away(kind, is_sparse):
    dataset, columns = telling(kind)
    if is_sparse:
        graph = dataset.graph
        dataset = replace(dataset, graph=Graph(graph.adj, x=graph.x.to_sparse(), y=graph.y))
    names = [f"column {k}" for k in range(20)]
    finding = found(audit(dataset, feature_names=names), "telling_feature")
    assert finding.severity == "leak"
    assert {example[0] for example in finding.examples} == {f"column {k}" for k in columns}
    assert {example[0] for example in found(audit(dataset), "telling_feature").examples} == columns


def test_one_class_of_several_is_a_warning():
    x = torch.cat([clean().graph.x, (clean().graph.y == 1).unsqueeze(1).float()], 1)
    y = clean().graph.y + 3 * (torch.arange(NODES) % 2) * (clean().graph.y != 1)  # classes 0, 1, 2, 3, 5
    finding = found(audit(clean(x=x, y=y)), "telling_feature")
    assert (finding.severity, finding.examples[0][:2]) == ("warning", (5, 1))


def test_order_of_time():
    time = torch.zeros(NODES)
    time[TRAIN], time[VAL], time[TEST] = 1.0, 2.0, 3.0
    assert not audit(clean(time=time), time="time").leaks
    time[TRAIN[4]] = 9.0
    report = audit(clean(time=time), time="time")
    assert {finding.kind for finding in report.leaks} == {"time_train_val", "time_train_test"}
    assert all(finding.examples == ((f"p{TRAIN[4]}", 9.0),) for finding in report.leaks)
    with pytest.raises(InputError, match="'when' is of none"):
        audit(clean(), time="when")


def test_missing_classes_and_lonely_nodes():
    y = torch.zeros(NODES, dtype=torch.long)
    y[VAL + TEST] = torch.arange(len(VAL + TEST)) % 2
    report = audit(replace(clean(y=y), class_names=("cat", "dog")))
    assert (found(report, "class_not_in_train").severity, found(report, "class_not_in_train").examples) == (
        "warning", ("dog",)
    )  # fmt: skip
    lonely = Graph([[TRAIN[0]], [TEST[0]]], num_nodes=NODES)
    report = audit(replace(clean(), graph=lonely))
    assert found(report, "isolated").count == len(TEST) - 1
    assert found(report, "shared_component").examples == (f"p{TEST[0]}",)


def test_repeated_and_reverse_edges_as_items():
    edges = torch.tensor([[0, 1, 2, 3, 0, 4], [1, 0, 3, 4, 1, 5]])
    graph = Graph(edges, edge={"y": torch.arange(6) % 2})
    place = {int(k): p for p, k in enumerate(graph.adj.edge_id)}  # items are in the adjacency's order

    def report_of(train: list[int], test: list[int]) -> AuditReport:
        items = {"train": torch.tensor([place[k] for k in train]), "test": torch.tensor([place[k] for k in test])}
        return audit(Dataset("edges", graph, level="edge", ids=np.array(list("abcdef"))), split=items)

    report = report_of([0, 2], [4, 1, 3])
    assert found(report, "shared_edge").examples == ((("a", "b"), "test", ("a", "b"), "train"),)
    assert found(report, "reverse_edge").examples == ((("b", "a"), "test", ("a", "b"), "train"),)
    assert found(report, "reverse_edge").severity == "warning"  # a directed graph
    assert not report_of([0, 1, 4], [2, 3, 5]).leaks
    both = Graph(torch.cat([edges, edges.flip(0)], 1), edge={"y": torch.arange(12) % 2})
    dataset = Dataset("edges", both, level="edge")
    assert found(audit(dataset, split=random_split(12)), "reverse_edge").severity == "leak"
    assert not audit(dataset, split=make_split(SplitRule(kind="random"), dataset)).leaks


def links(**options):
    return link_split(clean().graph, val=0.1, test=0.1, **options)


def pair(split, part: str, k: int = 0) -> tuple[int, int]:
    return tuple(split.pairs[part][:, k].tolist())


LINK_LEAKS = {
    "the whole graph": (
        lambda s: replace(s, graph=clean().graph),
        {"test_edge_in_messages": "test", "val_edge_in_messages": "val"},
    ),
    "the whole graph in the test": (
        lambda s: replace(s, test_graph=clean().graph), {"test_edge_in_messages": "test"}
    ),
    "an edge in two parts": (
        lambda s: replace(s, pairs={**s.pairs, "train": torch.cat([s.pairs["test"][:, :1], s.pairs["train"]], 1)}),
        {"shared_edge": "test"},
    ),
    "a reverse edge": (
        lambda s: replace(
            s, pairs={**s.pairs, "train": torch.cat([s.pairs["test"][:, :1].flip(0), s.pairs["train"]], 1)}
        ),
        {"reverse_edge": "test"},
    ),
    "one way in the messages": (
        lambda s: replace(
            s, graph=Graph(torch.cat([s.graph.adj.edge_index, s.pairs["val"][:, :1].flip(0)], 1), num_nodes=NODES)
        ),
        {"reverse_val_edge_in_messages": "val"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plant", "kinds"), LINK_LEAKS.values(), ids=LINK_LEAKS)
def test_leaks_of_link_splits(plant, kinds):
    split = links()
    report = audit(plant(split), ids=[f"p{k}" for k in range(NODES)])
    assert {finding.kind for finding in report.leaks} == set(kinds)
    for kind, part in kinds.items():
        assert found(report, kind).examples[0] == tuple(f"p{k}" for k in pair(split, part))


def test_negatives_of_link_splits():
    split = links()
    negatives = split.negatives["test"].clone()
    negatives[:, 0] = split.pairs["train"][:, 7].flip(0)
    negatives[:, 1] = 4
    negatives[:, 3] = negatives[:, 2].flip(0)
    report = audit(replace(split, negatives={**split.negatives, "test": negatives}))
    assert report.kinds() == {"negative_is_edge", "negative_loop", "negative_repeated"}
    assert found(report, "negative_is_edge").examples == (pair(split, "train", 7)[::-1],)
    assert found(report, "negative_loop").examples == ((4, 4),)
    assert found(report, "negative_repeated").count == 1


def test_time_of_link_splits():
    graph = clean().graph
    time = torch.minimum(graph.adj.src, graph.adj.dst) * NODES + torch.maximum(graph.adj.src, graph.adj.dst)
    graph = Graph(graph.adj, edge={"time": time})
    split = link_split(graph, val=0.2, test=0.2, time="time")
    assert not audit(split).leaks
    drawn = link_split(graph, val=0.2, test=0.2)
    times = {part: pairs[0] * NODES + pairs[1] for part, pairs in drawn.pairs.items()}
    report = audit(replace(drawn, time="time", times=times))
    assert {finding.kind for finding in report.leaks} == {"newer_edge", "time_train_val", "time_train_test"}
    example = found(report, "time_train_test").examples[0]
    assert example[0] * NODES + example[1] >= times["test"].min()


def test_the_report_as_text_and_json():
    masks = {"train": SPLIT.train, "test": SPLIT.train}
    report = audit(clean(), split=masks)
    assert str(report).startswith("people: 1 leak, ")
    assert f"120 nodes in more than one of train, val and test. [shared_item]\n      p{TRAIN[0]}, train, test" in str(
        report
    )
    assert "... 115 more" in str(report)
    content = json.loads(report.to_json())
    assert content["findings"][0]["examples"][0] == [f"p{TRAIN[0]}", "train", "test"]
    assert report.findings[0].severity == "leak"


def test_without_a_split_only_features_are_looked_at():
    dataset, _ = telling("one column")
    report = audit(replace(dataset, splits=()))
    assert report.kinds() == {"telling_feature", "no_split"}
    masks = Graph(dataset.graph.adj, x=dataset.graph.x, train_mask=SPLIT.train, test_mask=SPLIT.train)
    assert found(audit(Dataset("masks", masks)), "shared_item").count == len(TRAIN)


def test_wrong_input_is_refused():
    refused = [
        ((3,), {}, "audit takes a Dataset, a LinkSplit or data sets by part, got int"),
        ((clean(),), {"split": {"dev": SPLIT.val}}, "map train, val, test to items"),
        ((clean(),), {"split": {"val": SPLIT.val[:5]}}, "val must have a row for each of the 200 items"),
        ((clean(),), {"split": {"val": torch.tensor([200])}}, r"numbers of items in 0 \.\. 199"),
        ((clean(),), {"ids": [1]}, "ids are those of a link split"),
        (({"all": clean()},), {}, "data sets by the names train, val, test, got all"),
        ((links(),), {"ids": [1]}, "ids must name the 200 nodes, got 1"),
        ((Dataset("pairs", clean().graph, level="link"),), {}, "audited as a LinkSplit"),
    ]
    for arguments, options, message in refused:
        with pytest.raises(InputError, match=message):
            audit(*arguments, **options)
