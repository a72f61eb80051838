"""CSL and EXP: what they are said to be, against NetworkX and the tests of expressive power."""

import networkx
import numpy as np
import pytest
import torch

from grapevine.data.datasets import csl, load_dataset
from grapevine.data.datasets.exp import read_exp
from grapevine.diagnose.wl import graph_colors
from grapevine.errors import InputError
from grapevine.graph import to_networkx
from tests.data.files import SHARED, needs


def test_the_kinds_of_csl_are_circulant_graphs_in_any_order():
    dataset = load_dataset("csl")
    parts = dataset.graph.unbatch()
    for kind, skip in enumerate(csl.SKIPS):
        expected = networkx.circulant_graph(41, [1, skip])
        first, last = parts[15 * kind], parts[15 * kind + 14]
        assert not torch.equal(first.adj.edge_index, last.adj.edge_index)
        for part in (first, last):
            assert int(part.y) == kind
            assert networkx.faster_could_be_isomorphic(to_networkx(part).to_undirected(), expected)
    assert len(set(graph_colors(dataset.graph).tolist())) == 1
    assert len(set(graph_colors(dataset.graph, "random-walk").tolist())) == 10
    judged = torch.stack([split.test for split in dataset.splits])
    assert bool((judged.sum(0) == 1).all())
    for split in dataset.splits:
        assert [int(mask.sum()) for mask in (split.train, split.val, split.test)] == [90, 30, 30]
        assert dataset.graph.y[split.test].bincount().tolist() == [3] * 10


@needs("expressiveness")
def test_exp_is_pairs_that_1_wl_does_not_split():
    dataset = load_dataset("exp", SHARED)
    colors = graph_colors(dataset.graph).reshape(-1, 2)
    assert torch.equal(colors[:, 0], colors[:, 1])
    assert dataset.graph.y.reshape(-1, 2).sum(1).unique().tolist() == [1]
    assert len(dataset.splits) == 10
    for split in dataset.splits:
        assert [int(mask.sum()) for mask in (split.train, split.val, split.test)] == [972, 108, 120]
        assert torch.equal(split.test[::2], split.test[1::2])
        assert torch.equal(split.val[::2], split.val[1::2])


def test_exp_says_what_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"there is no exp.npz in .*pickle"):
        load_dataset("exp", tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("x", [[0], [2], [1]], "0 .a literal. or 1"),
        ("num_nodes", [3, 1], "x must have shape"),
        ("edge_index", [[0, 2], [1, 0]], "name the nodes of its graph"),
        ("y", [1], "y must have shape"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, name, value, told):
    good = {"num_nodes": [2, 1], "num_edges": [2, 0], "x": [[0], [1], [1]], "edge_index": [[0, 1], [1, 0]], "y": [1, 0]}
    path = tmp_path / "exp.npz"
    np.savez(path, **{name: np.array(value) for name, value in (good | {name: value}).items()})
    with pytest.raises(InputError, match=told):
        read_exp(path)
