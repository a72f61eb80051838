"""Reads and writes the npz files of the heterophilous graphs, with their ten splits.

node_features [n, c], node_labels [n], edges [e, 2] (each once), and train_masks, val_masks and test_masks [k, n].
Platonov, Kuznedelev, Diskin, Babenko & Prokhorenkova 2023, "A critical look at the evaluation of GNNs under
heterophily: are we really making progress?"
"""

from pathlib import Path

import numpy as np
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.readers.npz import check_shape, read_npz
from grapevine.data.readers.undirected import both_ways
from grapevine.data.split import Split
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix

_MASKS = ("train_masks", "val_masks", "test_masks")


def read_heterophilous(path: Path, *, is_directed: bool = False) -> Dataset:
    """The graph and its splits; every edge in both directions, once, unless the file is one of directed edges.

    The metric is that of the paper: ROC-AUC where there are two classes, accuracy where there are more.

    Raises:
        InputError: if the file is missing or broken, or its arrays do not fit one another.
    """
    path = Path(path)
    arrays = read_npz(path, ["node_features", "node_labels", "edges", *_MASKS])
    features, labels, edges = (arrays[name] for name in ("node_features", "node_labels", "edges"))
    num_nodes = len(labels) if labels.ndim else 0
    check_shape(path, "node_labels", labels, (num_nodes,), "iu")
    check_shape(path, "node_features", features, (num_nodes, None), "biuf")
    check_shape(path, "edges", edges, (None, 2), "iu")
    wrong = np.flatnonzero(((edges < 0) | (edges >= num_nodes)).any(1))
    check(len(wrong) == 0, f"{path}: edges, row {wrong[:1]}: nodes must be in 0 .. {num_nodes - 1}")
    for name in _MASKS:
        check_shape(path, name, arrays[name], (len(arrays[_MASKS[0]]), num_nodes), "b")
    masks = (torch.from_numpy(arrays[name]) for name in _MASKS)
    splits = tuple(Split(*parts) for parts in zip(*masks, strict=True))
    src, dst = edges.T
    index = np.stack([src, dst]).astype(np.int64) if is_directed else both_ways(src, dst, num_nodes, keep_loops=True)
    x, y = torch.from_numpy(features.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))
    graph = Graph(torch.from_numpy(index), num_nodes=num_nodes, x=x, node={"y": y})
    metric = "roc_auc" if len(np.unique(labels[labels >= 0])) == 2 else "accuracy"
    return Dataset(path.stem, graph, "node", splits, metric=metric)


def write_heterophilous(dataset: Dataset, path: Path) -> None:
    """Write the graph and its splits as a file that `read_heterophilous` reads, each edge once.

    Raises:
        InputError: if the nodes have no features or no classes, or an edge does not run both ways.
    """
    graph = dataset.graph
    has_classes = dataset.level == "node" and "x" in graph.node and not graph.y.is_floating_point()
    check(has_classes, f"the format holds features and a class of each node, which {dataset.name} does not have")
    check(graph.adj.is_symmetric(), "the format holds undirected edges, but one does not run both ways")
    edges = graph.adj.edge_index.T.numpy()
    masks = [np.stack([getattr(split, part).numpy() for split in dataset.splits]) if dataset.splits
             else np.zeros((0, graph.num_nodes), bool) for part in ("train", "val", "test")]  # fmt: skip
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            node_features=(graph.x.to_dense() if isinstance(graph.x, SparseMatrix) else graph.x).numpy(),
            node_labels=graph.y.numpy(),
            edges=edges[edges[:, 0] <= edges[:, 1]],
            **dict(zip(_MASKS, masks, strict=True)),
        )
