"""OGB's raw folders: one that the test writes, read by pandas as the benchmark's own package does, and wrong ones."""

import gzip

import numpy as np
import pandas
import pytest
import torch

from grapevine.data.readers.ogb_csv import read_ogb_nodes
from grapevine.errors import InputError

N, E = 6, 8


def write(folder, **changed):
    generator = np.random.default_rng(0)
    files = {
        "raw/edge": generator.integers(0, N, (E, 2)),
        "raw/node-feat": generator.standard_normal((N, 3)).astype(np.float32),
        "raw/edge-feat": generator.standard_normal((E, 2)).astype(np.float32),
        "raw/node-label": np.array([[2], [0], [1], [1], [2], [0]]),
        "raw/node_year": np.arange(2001, 2001 + N)[:, None],
        "raw/num-node-list": np.array([[N]]),
        "raw/num-edge-list": np.array([[E]]),
        "split/time/train": np.array([[0], [5]]),
        "split/time/valid": np.array([[2]]),
        "split/time/test": np.array([[4], [3]]),
    } | changed
    for name, rows in files.items():
        if rows is not None:
            path = folder / f"{name}.csv.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            text = rows if isinstance(rows, str) else "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
            path.write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.mark.parametrize("add_reverse", [False, True])
def test_it_is_what_pandas_reads_as_the_benchmark_does(tmp_path, add_reverse):
    folder = write(tmp_path / "ogbn-small")

    def theirs(name):
        return pandas.read_csv(folder / "raw" / f"{name}.csv.gz", header=None).to_numpy()

    dataset = read_ogb_nodes(folder, add_reverse=add_reverse, extra=["node_year"])
    graph = dataset.graph
    np.testing.assert_allclose(graph.x, theirs("node-feat"), rtol=1e-6)
    np.testing.assert_array_equal(graph.node_year, theirs("node_year")[:, 0])
    expected = np.concatenate([theirs("edge"), theirs("edge-feat")], 1)
    if add_reverse:
        expected = np.concatenate([expected, expected[:, [1, 0, 2, 3]]])
    ours = np.concatenate([graph.adj.edge_index.T, graph.edge_attr], 1)
    np.testing.assert_allclose(ours[np.lexsort(ours.T)], expected[np.lexsort(expected.T)], rtol=1e-6)
    assert graph.y.tolist() == [2, 0, 1, 1, 2, 0]
    (split,) = dataset.splits
    parts = [mask.nonzero().flatten().tolist() for mask in (split.train, split.val, split.test)]
    assert parts == [[0, 5], [2], [3, 4]]
    assert dataset.name == "ogbn-small"


def test_missing_classes_several_answers_and_no_features(tmp_path):
    none = {"raw/node-feat": None, "raw/edge-feat": None}
    folder = write(tmp_path / "a", **{"raw/node-label": "1.0\nnan\n\n0.0\n2.0\n\n"}, **none)
    graph = read_ogb_nodes(folder).graph
    assert graph.y.tolist() == [1, -1, -1, 0, 2, -1]
    assert graph.levels == {"y": "node"}
    many = write(tmp_path / "b", **{"raw/node-label": "1,0\n0,\n1,1\n0,0\n1,0\n0,1\n"})
    y = read_ogb_nodes(many).graph.y
    assert torch.equal(y.isnan().nonzero(), torch.tensor([[1, 1]]))
    assert y[2].tolist() == [1, 1]
    numbers = write(tmp_path / "c", **{"raw/node-label": "0.5\n1\n2\n3\n4\n\n"})
    assert read_ogb_nodes(numbers).graph.y[:2].tolist() == [0.5, 1]


def test_one_of_several_splits_is_named(tmp_path):
    folder = write(
        tmp_path, **{f"split/other/{part}": np.array([[k]]) for k, part in enumerate(("train", "valid", "test"))}
    )
    with pytest.raises(InputError, match=r"name one of the splits .*: other, time"):
        read_ogb_nodes(folder)
    assert read_ogb_nodes(folder, split="other").splits[0].test.nonzero().item() == 2
    with pytest.raises(InputError, match="there is no split 'random'"):
        read_ogb_nodes(folder, split="random")


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("raw/edge", None, "there is no file"),
        ("raw/edge", "0,1\n1,6\n", r"line 2: edge \[1, 6\], expected nodes 0 \.\. 5"),
        ("raw/edge", "0,1\n1\n", "line 2: 1 fields, expected 2"),
        ("raw/edge", "0,one\n", "line 1: 'one' is no whole number"),
        ("raw/node-feat", "1,2\n", "has 1 lines, expected 6"),
        ("raw/edge-feat", "1,2\n", "has 1 lines, expected 8"),
        ("raw/node-label", "1\n", "has 1 lines, expected 6"),
        ("raw/node-label", "-1\n" * 6, "classes must be 0 or more"),
        ("raw/num-node-list", None, "there is no file"),
        ("raw/num-node-list", "3\n3\n", "has 2 lines, expected 1"),
        ("split/time/valid", "6\n", r"must name nodes in 0 \.\. 5"),
        ("split/time/valid", None, "there is no file"),
    ],
)
def test_wrong_files_are_named(tmp_path, name, rows, message):
    folder = write(tmp_path, **{name: rows})
    with pytest.raises(InputError, match=message) as caught:
        read_ogb_nodes(folder)
    assert f"{name}.csv.gz" in str(caught.value)


def test_a_file_that_is_cut_short_and_a_split_that_overlaps(tmp_path):
    folder = write(tmp_path, **{"split/time/test": "2\n"})
    with pytest.raises(InputError, match=r"the split in .*time is wrong"):
        read_ogb_nodes(folder)
    path = folder / "raw" / "edge.csv.gz"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"edge\.csv\.gz can not be read, it may be cut short"):
        read_ogb_nodes(folder)
