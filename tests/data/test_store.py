"""Saved data sets come back equal, and what is no saved data set is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import torch
from safetensors.torch import save_file

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.data.store import load_saved, save_dataset, saved_note
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix


def _rich() -> Dataset:
    """Everything a data set can hold, with shared and partial memory among the tensors."""
    edges = torch.tensor([[0, 1, 2, 2, 3], [1, 0, 1, 1, 3]])
    both = torch.randn(4, 6)
    parts = [
        Graph(
            edges,
            x=scipy.sparse.random_array((4, 5), density=0.4, rng=k, dtype=np.float32),
            edge_attr=torch.arange(10.0).reshape(5, 2) + k,
            node={"left": both[:, :3], "right": both[:, 3:], "half": both[:, 0].bfloat16(), "same": both},
            graph={"y": torch.tensor([float(k), float("nan")])[None]},
        )
        for k in range(3)
    ]
    graph = Graph.batch(parts)
    mask = torch.tensor([True, False, False])
    splits = (Split(mask, mask.roll(1), mask.roll(2)), Split(mask, torch.zeros(3, dtype=torch.bool), ~mask))
    ids = np.array(["one", "zwei", "трі"])
    return Dataset("rich", graph, "graph", splits, ids, ("no", "yes"), "mae", {"citation": "a book", "years": [1, 2]})


def assert_equal(a: Dataset, b: Dataset) -> None:
    assert (a.name, a.level, a.metric, a.class_names, dict(a.about)) == (
        b.name,
        b.level,
        b.metric,
        b.class_names,
        b.about,
    )
    assert repr(a.graph) == repr(b.graph)
    assert a.graph.levels == b.graph.levels
    pairs = [(a.graph.ptr, b.graph.ptr), (a.graph.adj.edge_index, b.graph.adj.edge_index)]
    pairs.append((a.graph.adj.edge_id, b.graph.adj.edge_id))
    for name in a.graph.levels:
        one, two = getattr(a.graph, name), getattr(b.graph, name)
        assert type(one) is type(two)
        pairs.append((one.to_dense(), two.to_dense()) if isinstance(one, SparseMatrix) else (one, two))
    assert len(a.splits) == len(b.splits)
    for one, two in zip(a.splits, b.splits, strict=True):
        pairs += [(one.train, two.train), (one.val, two.val), (one.test, two.test)]
    for one, two in pairs:
        torch.testing.assert_close(one, two, rtol=0, atol=0, equal_nan=True)
    if a.ids is None:
        assert b.ids is None
    else:
        assert a.ids.dtype == b.ids.dtype
        assert a.ids.tolist() == b.ids.tolist()


def test_all_of_it_comes_back(tmp_path):
    dataset = _rich()
    save_dataset(dataset, tmp_path / "new" / "a.safetensors", note={"size": 3})
    loaded = load_saved(tmp_path / "new" / "a.safetensors")
    assert_equal(dataset, loaded)
    assert saved_note(tmp_path / "new" / "a.safetensors")["size"] == 3
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.safetensors"]
    for one, two in zip(dataset.graph.unbatch(), loaded.graph.unbatch(), strict=True):
        assert torch.equal(one.adj.edge_id, two.adj.edge_id)


@pytest.mark.parametrize(
    "ids",
    [None, np.arange(3) * 10, np.array([1.5, 2.5, 3.5]), np.array(["a", "", "ü"]), np.array(["a", 7, None], object)],
)
def test_ids_of_any_kind_come_back(tmp_path, ids):
    dataset = replace(_rich(), ids=ids)
    save_dataset(dataset, tmp_path / "a")
    assert_equal(dataset, load_saved(tmp_path / "a"))


def test_an_empty_graph_comes_back(tmp_path):
    dataset = Dataset("empty", Graph(torch.zeros(2, 0, dtype=torch.int64), x=torch.zeros(0, 3), num_nodes=0))
    save_dataset(dataset, tmp_path / "a")
    assert_equal(dataset, load_saved(tmp_path / "a"))


def test_what_json_does_not_know_is_refused(tmp_path):
    with pytest.raises(InputError, match="about of rich"):
        save_dataset(replace(_rich(), about={"a": object()}), tmp_path / "a")
    with pytest.raises(InputError, match="ids must be"):
        save_dataset(replace(_rich(), ids=np.array([object()], object)), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_saved_data_set_is_refused(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(InputError, match="there is no file"):
        load_saved(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="no saved data set"):
        load_saved(path)
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="no data set"):
        load_saved(path)
    save_dataset(_rich(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="no saved data set"):
        load_saved(path)


def test_indices_out_of_range_are_refused(tmp_path):
    path = tmp_path / "a"
    save_dataset(Dataset("pair", Graph([[0], [1]], num_nodes=2)), path)
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    start, end = json.loads(data[8 : 8 + size])["indices"]["data_offsets"]
    begin = 8 + size + start
    path.write_bytes(data[:begin] + b"\x7f" * (end - start) + data[begin + end - start :])
    with pytest.raises(InputError, match="no saved data set, or broken"):
        load_saved(path)
