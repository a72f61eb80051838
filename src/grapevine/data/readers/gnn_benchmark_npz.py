"""Reads and writes the npz files of the GNN benchmark: Amazon Photo and Computers, Coauthor CS and Physics, and others.

adj_data, adj_indices, adj_indptr and adj_shape are the adjacency matrix in compressed rows; attr_data, ... the features
in the same way, or attr_matrix the features as they are; labels the classes; node_names and class_names may be there.
Shchur, Mumme, Bojchevski & Günnemann 2018, "Pitfalls of graph neural network evaluation".
"""

from pathlib import Path

import numpy as np
import scipy.sparse
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.readers.npz import check_shape, read_npz
from grapevine.data.readers.undirected import both_ways
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix

_PARTS = ("data", "indices", "indptr", "shape")
_DENSE = 0.25  # filled to more than this, features are kept dense, which is then smaller and quicker


def read_gnn_benchmark(path: Path) -> Dataset:
    """The graph with every edge in both directions, once, without self-loops; the features as the file has them.

    Features that are filled to a quarter or less stay sparse. No split was published with the files.

    Raises:
        InputError: if the file is missing or broken, an array is missing or holds Python objects, or they do not fit.
    """
    path = Path(path)
    names = [f"attr_{part}" for part in _PARTS]
    needed = [*(f"adj_{part}" for part in _PARTS), "labels"]
    arrays = read_npz(path, needed, [*names, "attr_matrix", "class_names", "node_names"])
    matrix = _csr(path, "adj", arrays)
    num_nodes = matrix.get_shape()[0]
    check(matrix.get_shape()[1] == num_nodes, f"{path}: the adjacency matrix must be square, got {matrix.get_shape()}")
    check_shape(path, "labels", arrays["labels"], (num_nodes,), "iu")
    src = np.repeat(np.arange(num_nodes), np.diff(matrix.indptr))
    graph = Graph(
        torch.from_numpy(both_ways(src, matrix.indices, num_nodes)),
        num_nodes=num_nodes,
        x=_features(path, arrays, num_nodes),
        node={"y": torch.from_numpy(arrays["labels"].astype(np.int64))},
    )
    ids = _names(path, "node_names", arrays, num_nodes)
    classes = _names(path, "class_names", arrays, None)
    num_classes = int(arrays["labels"].max(initial=-1)) + 1
    is_fit = classes is None or len(classes) >= num_classes
    check(is_fit, f"{path}: class_names has fewer than the {num_classes} classes of labels")
    class_names = None if classes is None else tuple(str(name) for name in classes)
    return Dataset(path.stem, graph, "node", ids=ids, class_names=class_names, metric="accuracy")


def write_gnn_benchmark(dataset: Dataset, path: Path) -> None:
    """Write the graph, its features and its classes as a file that `read_gnn_benchmark` reads.

    Raises:
        InputError: if the nodes have no classes.
    """
    graph = dataset.graph
    y = graph.node.get("y")
    check(
        isinstance(y, torch.Tensor) and y.ndim == 1 and not y.is_floating_point(),
        f"the format holds a class of each node, which {dataset.name} does not have",
    )
    ends = graph.adj.edge_index.numpy()
    shape = (graph.num_nodes, graph.num_nodes)
    matrices = {"adj": scipy.sparse.csr_array((np.ones(ends.shape[1], np.float32), tuple(ends)), shape)}
    arrays: dict[str, np.ndarray] = {"labels": graph.y.numpy()}
    if "x" in graph.node and isinstance(graph.x, SparseMatrix):
        matrices["attr"] = graph.x.to_scipy()
    elif "x" in graph.node:
        arrays["attr_matrix"] = graph.x.numpy()
    for name, matrix in matrices.items():
        arrays |= {f"{name}_{part}": np.asarray(getattr(matrix, part)) for part in _PARTS}
    if dataset.class_names is not None:
        arrays["class_names"] = np.array(dataset.class_names)
    if dataset.ids is not None:
        arrays["node_names"] = dataset.ids.astype(str)
    with Path(path).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _csr(path: Path, name: str, arrays: dict[str, np.ndarray]) -> scipy.sparse.csr_matrix:
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in _PARTS)
    check_shape(path, f"{name}_shape", shape, (2,), "iu")
    try:
        matrix = scipy.sparse.csr_matrix((data, indices, indptr), shape=tuple(shape.tolist()))
        matrix.check_format(full_check=True)  # the indices come from the file
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"{path}: {name}_data, {name}_indices and {name}_indptr are no matrix: {error}") from None
    return matrix


def _features(path: Path, arrays: dict[str, np.ndarray], num_nodes: int) -> torch.Tensor | SparseMatrix | None:
    if "attr_matrix" in arrays:
        check_shape(path, "attr_matrix", arrays["attr_matrix"], (num_nodes, None), "biuf")
        return torch.from_numpy(arrays["attr_matrix"].astype(np.float32))
    held = [f"attr_{part}" for part in _PARTS if f"attr_{part}" in arrays]
    if not held:
        return None
    check(len(held) == len(_PARTS), f"{path} has of the features only {', '.join(held)}")
    matrix = _csr(path, "attr", arrays)
    rows, columns = matrix.get_shape()
    check(rows == num_nodes, f"{path}: the features have {rows} rows, the graph {num_nodes} nodes")
    if matrix.nnz > _DENSE * rows * columns:
        return torch.from_numpy(matrix.toarray().astype(np.float32))
    matrix.sum_duplicates()
    matrix.data = matrix.data.astype(np.float32)
    return SparseMatrix.from_scipy(matrix)


def _names(path: Path, name: str, arrays: dict[str, np.ndarray], size: int | None) -> np.ndarray | None:
    if name not in arrays:
        return None
    check_shape(path, name, arrays[name], (size,), "iuUS")
    return arrays[name].astype(str) if arrays[name].dtype.kind == "S" else arrays[name]
