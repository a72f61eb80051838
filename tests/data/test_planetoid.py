"""Planetoid's files: the real ones of Cora, and small ones that a test writes."""

import pickle

import numpy as np
import pytest

from grapevine.data.datasets import load_dataset
from grapevine.data.readers.planetoid import read_planetoid
from grapevine.errors import InputError
from tests.data.cases import CORA, GRAPH, NUM_KNOWN, NUM_TRAIN, TEST, needs_cora, write_planetoid


@needs_cora
def test_cora_is_as_published():
    graph = load_dataset("cora", CORA).graph
    assert (graph.num_nodes, graph.num_edges, graph.x.shape) == (2708, 2 * 5278, (2708, 1433))
    assert graph.adj.is_symmetric()
    assert not (graph.adj.src == graph.adj.dst).any()
    assert len(graph.adj.edge_index.unique(dim=1).T) == graph.num_edges
    assert [int(mask.sum()) for mask in (graph.train_mask, graph.val_mask, graph.test_mask)] == [140, 500, 1000]
    assert graph.y[graph.train_mask].bincount().tolist() == [20] * 7
    assert graph.x.pattern.num_entries == 49216
    np.testing.assert_allclose(graph.x.to_scipy().sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("protocol", [2, 4])
def test_test_nodes_and_nodes_left_out_stand_where_they_should(tmp_path, protocol):
    parts = write_planetoid(tmp_path, protocol=protocol)
    graph = read_planetoid(tmp_path, "citeseer")
    expected, classes = np.zeros((13, 6), np.float32), np.full(13, -1)
    expected[:NUM_KNOWN], classes[:NUM_KNOWN] = parts["allx"].toarray(), parts["ally"].argmax(1)
    for k, node in enumerate(TEST):
        expected[node], classes[node] = parts["tx"].toarray()[k], parts["ty"][k].argmax()
    expected /= np.maximum(expected.sum(1, keepdims=True), 1)
    np.testing.assert_allclose(graph.x.to_dense(), expected, rtol=1e-6)
    assert graph.y.tolist() == classes.tolist()
    assert graph.train_mask.nonzero().flatten().tolist() == list(range(NUM_TRAIN))
    assert graph.val_mask.nonzero().flatten().tolist() == list(range(NUM_TRAIN, NUM_KNOWN))
    assert graph.test_mask.nonzero().flatten().tolist() == sorted(TEST)


def test_edges_run_both_ways_once_and_never_to_oneself(tmp_path):
    write_planetoid(tmp_path)
    edges = read_planetoid(tmp_path, "citeseer").adj.edge_index
    expected = {(i, j) for i, nodes in GRAPH.items() for j in nodes if i != j}
    assert sorted(map(tuple, edges.T.tolist())) == sorted(expected | {(j, i) for i, j in expected})


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("y", np.eye(3)),
        ("tx", np.eye(3)),
        ("ty", np.eye(3)),
        ("allx", {}),
        ("graph", {0: [99]}),
        ("graph", {0: ["one"]}),
        ("graph", {-1: [0]}),
        ("graph", np.eye(3)),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path, part, content):
    write_planetoid(tmp_path)
    (tmp_path / f"ind.citeseer.{part}").write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(InputError, match=rf"ind\.citeseer\.{part} "):
        read_planetoid(tmp_path, "citeseer")


@pytest.mark.parametrize("text", ["10\n8\n", "10\n8\n8\n", "10\n8\n3\n", "ten\n", "", "10\n8\n12.5\n"])
def test_a_wrong_test_index_is_refused(tmp_path, text):
    write_planetoid(tmp_path)
    (tmp_path / "ind.citeseer.test.index").write_text(text)
    with pytest.raises(InputError, match=r"ind\.citeseer\.test\.index"):
        read_planetoid(tmp_path, "citeseer")
