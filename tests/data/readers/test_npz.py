"""The npz files of the GNN benchmark and of the heterophilous graphs: real ones, and small ones that are wrong."""

import numpy as np
import pytest
import scipy.sparse
import torch

from grapevine.data.readers.gnn_benchmark_npz import read_gnn_benchmark, write_gnn_benchmark
from grapevine.data.readers.heterophilous_npz import read_heterophilous, write_heterophilous
from grapevine.errors import InputError
from grapevine.ops.sparse import SparseMatrix
from tests.data.files import SHARED, needs


def benchmark(**changed):
    adj = scipy.sparse.csr_array(np.array([[0, 1, 0], [1, 1, 1], [0, 0, 0]], np.float32))
    attr = scipy.sparse.csr_array(np.eye(3, 12, dtype=np.float32) * 2)
    arrays = {
        f"{name}_{part}": np.asarray(getattr(matrix, part))
        for name, matrix in (("adj", adj), ("attr", attr))
        for part in ("data", "indices", "indptr", "shape")
    }
    arrays |= {"labels": np.array([1, 0, 1])} | changed
    return {name: array for name, array in arrays.items() if array is not None}


def heterophilous(**changed):
    masks = np.eye(3, dtype=bool)
    arrays = {
        "node_features": np.ones((3, 2), np.float32), "node_labels": np.array([0, 1, 0]),
        "edges": np.array([[0, 1], [2, 1]]), "train_masks": masks,
        "val_masks": np.roll(masks, 1, 1), "test_masks": np.roll(masks, 2, 1),
    } | changed  # fmt: skip
    return {name: array for name, array in arrays.items() if array is not None}


@needs("npz")
def test_amazon_photo_is_as_published_and_as_another_library_reads_it():
    read_npz = pytest.importorskip("torch_geometric.io").read_npz
    path = SHARED / "npz" / "amazon_photo.npz"
    dataset, other = read_gnn_benchmark(path), read_npz(str(path))
    graph = dataset.graph
    assert (graph.num_nodes, graph.num_edges, graph.x.shape, len(graph.y.unique())) == (
        7650,
        2 * 119081,
        (7650, 745),
        8,
    )
    assert torch.equal(graph.x, other.x)
    assert torch.equal(graph.y, other.y)
    theirs = other.edge_index[:, (other.edge_index[1] * 7650 + other.edge_index[0]).argsort()]
    assert torch.equal(graph.adj.edge_index, theirs)


@pytest.mark.parametrize(("name", "sizes"), [("minesweeper", (10000, 39402, 7, 2)), ("texas", (183, 279, 1703, 5))])
@needs("heterophilous")
def test_a_heterophilous_graph_is_as_published(name, sizes):
    path = SHARED / "heterophilous" / f"{name}.npz"
    dataset = read_heterophilous(path)
    graph = dataset.graph
    assert (graph.num_nodes, graph.num_edges // 2, graph.x.shape[1], len(graph.y.unique())) == sizes
    assert graph.adj.is_symmetric()
    assert dataset.metric == ("roc_auc" if sizes[3] == 2 else "accuracy")
    raw = np.load(path)
    assert len(dataset.splits) == 10
    for k, split in enumerate(dataset.splits):
        assert split.train.tolist() == raw["train_masks"][k].tolist()
        assert bool((split.train | split.val | split.test).all())
    once = {tuple(sorted(edge)) for edge in raw["edges"].tolist()}
    assert {tuple(edge) for edge in graph.adj.edge_index.T.tolist()} == once | {(j, i) for i, j in once}


def test_the_small_file_and_what_is_written_of_it(tmp_path):
    np.savez(tmp_path / "a.npz", **benchmark(class_names=np.array(["x", "y"]), node_names=np.array(["a", "b", "c"])))
    first = read_gnn_benchmark(tmp_path / "a.npz")
    assert sorted(first.graph.adj.edge_index.T.tolist()) == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert isinstance(first.graph.x, SparseMatrix)
    assert torch.equal(first.graph.x.to_dense(), 2 * torch.eye(3, 12))
    write_gnn_benchmark(first, tmp_path / "b.npz")
    again = read_gnn_benchmark(tmp_path / "b.npz")
    assert torch.equal(first.graph.adj.edge_index, again.graph.adj.edge_index)
    assert torch.equal(first.graph.x.to_dense(), again.graph.x.to_dense())
    assert first.graph.y.tolist() == again.graph.y.tolist() == [1, 0, 1]
    assert again.ids.tolist() == ["a", "b", "c"]
    assert again.class_names == ("x", "y")


def test_heterophilous_files_are_written_and_kept_directed_if_asked(tmp_path):
    np.savez(tmp_path / "a.npz", **heterophilous())
    first = read_heterophilous(tmp_path / "a.npz")
    assert sorted(first.graph.adj.edge_index.T.tolist()) == [[0, 1], [1, 0], [1, 2], [2, 1]]
    directed = read_heterophilous(tmp_path / "a.npz", is_directed=True)
    assert sorted(directed.graph.adj.edge_index.T.tolist()) == [[0, 1], [2, 1]]
    write_heterophilous(first, tmp_path / "b.npz")
    again = read_heterophilous(tmp_path / "b.npz")
    assert torch.equal(first.graph.adj.edge_index, again.graph.adj.edge_index)
    assert [split.val.tolist() for split in first.splits] == [split.val.tolist() for split in again.splits]
    with pytest.raises(InputError, match="does not run both ways"):
        write_heterophilous(directed, tmp_path / "c.npz")


class _Trap:
    """Would write a file if anybody unpickled it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_python_objects_are_never_made(tmp_path):
    trap = np.array([_Trap(tmp_path / "sprung")] * 3, object)
    np.savez(tmp_path / "a.npz", allow_pickle=True, **benchmark(labels=trap))
    with pytest.raises(InputError, match=r"a\.npz is refused at labels: it holds Python objects"):
        read_gnn_benchmark(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", allow_pickle=True, **benchmark(class_names=trap))
    assert read_gnn_benchmark(tmp_path / "b.npz").class_names is None
    np.savez(tmp_path / "c.npz", allow_pickle=True, **heterophilous(edges=trap))
    with pytest.raises(InputError, match="refused at edges"):
        read_heterophilous(tmp_path / "c.npz")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"adj_indices": np.array([1, 0, 1, 3])}, "adj_data, adj_indices and adj_indptr are no matrix"),
        ({"adj_indptr": np.array([0, 1])}, "are no matrix"),
        ({"adj_shape": np.array([3, 4])}, "must be square"),
        ({"adj_data": None}, "has no array adj_data"),
        ({"labels": None}, "has no array labels"),
        ({"labels": np.array([1, 0])}, r"labels must have shape \[3\], got \[2\]"),
        ({"labels": np.array([0.5, 1, 2])}, "labels holds float64"),
        ({"attr_shape": np.array([2, 12])}, "attr_data, attr_indices and attr_indptr are no matrix"),
        ({"attr_data": None}, "has of the features only"),
        ({"class_names": np.array(["x"])}, "fewer than the 2 classes"),
    ],
)
def test_benchmark_arrays_that_do_not_fit_are_refused(tmp_path, changed, message):
    np.savez(tmp_path / "a.npz", **benchmark(**changed))
    with pytest.raises(InputError, match=rf"a\.npz.*{message}"):
        read_gnn_benchmark(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"edges": np.array([[0, 1], [1, 3]])}, r"edges, row \[1\]"),
        ({"edges": np.array([0, 1])}, r"edges must have shape \[any, 2\]"),
        ({"node_features": np.ones((2, 2))}, r"node_features must have shape \[3, any\]"),
        ({"val_masks": np.eye(2, 3, dtype=bool)}, r"val_masks must have shape \[3, 3\]"),
        ({"train_masks": np.eye(3)}, "train_masks holds float64"),
        ({"test_masks": None}, "has no array test_masks"),
    ],
)
def test_heterophilous_arrays_that_do_not_fit_are_refused(tmp_path, changed, message):
    np.savez(tmp_path / "a.npz", **heterophilous(**changed))
    with pytest.raises(InputError, match=rf"a\.npz.*{message}"):
        read_heterophilous(tmp_path / "a.npz")


@pytest.mark.parametrize(("read", "make"), [(read_gnn_benchmark, benchmark), (read_heterophilous, heterophilous)])
def test_missing_and_broken_files_are_refused(tmp_path, read, make):
    path = tmp_path / "a.npz"
    with pytest.raises(InputError, match=r"there is no file .*a\.npz"):
        read(path)
    np.savez(path, **make())
    whole = path.read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], whole[:100] + b"\0\0\0\0" + whole[104:]):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npz"):
            read(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"a\.npz"):
        read(path)
