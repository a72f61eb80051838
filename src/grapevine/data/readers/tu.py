"""Reads and writes the text files of the TU collection: graphs of molecules, proteins and social networks.

A folder NAME holds NAME_A.txt (a line "i, j" for each edge i -> j, nodes counted from 1 over all graphs) and
NAME_graph_indicator.txt (the graph of each node); NAME_graph_labels.txt or NAME_graph_attributes.txt are the answers,
classes or numbers; NAME_node_labels.txt, NAME_node_attributes.txt, NAME_edge_labels.txt and NAME_edge_attributes.txt
are there or not. Morris, Kriege, Bause, Kersting, Mutzel & Neumann 2020, "TUDataset: A collection of benchmark
datasets for learning with graphs".
"""

from pathlib import Path

import numpy as np
import polars
import torch

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.readers.numbers import read_numbers
from grapevine.data.readers.one_hot import one_hot
from grapevine.errors import check
from grapevine.ops.sparse import SparseMatrix


def read_tu(folder: Path, name: str | None = None) -> Dataset:
    """The graphs of `folder`, whose files are called `name`_A.txt and so on (by default as the folder is).

    `x` and `edge_attr` are the attributes and then, one-hot, the labels, a column for each that occurs. `y` are the
    attributes of the graphs where there are any (what to predict is then numbers, [g] or [g, k], and classes beside
    them are kept as the tensor `label`), or else their classes from 0 in the order of the labels in the file, which
    `class_names` has. Edges are kept as they stand; a set without labels and attributes of nodes has no `x`.

    Raises:
        InputError: if a file is missing or cut short, or one holds no numbers or does not fit the others.
    """
    folder = Path(folder)
    name = folder.name if name is None else name

    def path(part: str) -> Path:
        return folder / f"{name}_{part}.txt"

    owner = read_numbers(path("graph_indicator"), "int", columns=1)[:, 0]
    edges = read_numbers(path("A"), "int", columns=2)
    answers, class_names, num_graphs = _answers(path)
    by_graph, sizes = _owners(path("graph_indicator"), owner, num_graphs)
    edges = _edges(path("A"), edges, owner)
    place = np.empty_like(by_graph)
    place[by_graph] = np.arange(len(by_graph))
    x = _features(path("node_attributes"), path("node_labels"), len(owner))
    edge_attr = _features(path("edge_attributes"), path("edge_labels"), len(edges))
    graph = collection(
        place[edges.T],
        sizes,
        node={} if x is None else {"x": torch.from_numpy(x[by_graph])},
        edge={} if edge_attr is None else {"edge_attr": torch.from_numpy(edge_attr)},
        graph=answers,
    )
    metric = None if class_names is None or answers["y"].is_floating_point() else "accuracy"
    return Dataset(name, graph, "graph", class_names=None if metric is None else class_names, metric=metric)


def write_tu(dataset: Dataset, folder: Path) -> None:
    """Write the graphs into the folder as files that `read_tu` reads, named as the folder is.

    Features are written as attributes, so the labels among them come back in the same columns, as numbers.

    Raises:
        InputError: if what is to be predicted is not of the graphs.
    """
    check(
        dataset.level == "graph", f"the TU format holds answers of graphs, {dataset.name} has those of {dataset.level}s"
    )
    graph = dataset.graph
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def write(part: str, rows: np.ndarray) -> None:
        polars.DataFrame(rows.reshape(len(rows), -1)).write_csv(
            folder / f"{folder.name}_{part}.txt", include_header=False
        )

    write("A", graph.adj.edge_index.T.numpy() + 1)
    write("graph_indicator", graph.graph_id.numpy() + 1)
    y = graph.y.numpy()
    if graph.y.is_floating_point():
        write("graph_attributes", y)
    else:
        write("graph_labels", _labels(y, dataset.class_names))
    if "x" in graph.node:
        write("node_attributes", (graph.x.to_dense() if isinstance(graph.x, SparseMatrix) else graph.x).float().numpy())
    if "edge_attr" in graph.edge:
        write("edge_attributes", graph.edge_attr.float().numpy())


def _labels(y: np.ndarray, class_names: tuple[str, ...] | None) -> np.ndarray:
    """The names of the classes where they are whole numbers, or else the numbers of the classes."""
    is_whole = class_names is not None and all(name.lstrip("-").isdecimal() for name in class_names)
    return np.array([int(name) for name in class_names])[y] if class_names is not None and is_whole else y


def _answers(path) -> tuple[dict[str, torch.Tensor], tuple[str, ...] | None, int]:
    """What is to be predicted by name, the names of the classes, and the number of graphs."""
    answers, class_names, count = {}, None, None
    if path("graph_attributes").is_file():
        y = read_numbers(path("graph_attributes"), "float")
        answers["y"], count = torch.from_numpy(y[:, 0].copy() if y.shape[1] == 1 else y), len(y)
    if count is None or path("graph_labels").is_file():
        labels = read_numbers(path("graph_labels"), "int", columns=1, rows=count)[:, 0]
        values, classes = np.unique(labels, return_inverse=True)
        answers["label" if answers else "y"] = torch.from_numpy(classes.astype(np.int64))
        class_names, count = tuple(str(value) for value in values), len(labels)
    return answers, class_names, count


def _owners(path: Path, owner: np.ndarray, num_graphs: int) -> tuple[np.ndarray, np.ndarray]:
    """The nodes in the order of their graphs, and how many each graph has."""
    wrong = ((owner < 1) | (owner > num_graphs)).nonzero()[0]
    if len(wrong):
        line = wrong[0]
        check(False, f"{path}, line {line + 1}: graph {owner[line]}, expected 1 .. {num_graphs}, as there are answers")
    return np.argsort(owner, kind="stable"), np.bincount(owner - 1, minlength=num_graphs)


def _edges(path: Path, edges: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """The edges with nodes from 0, each known to be within one graph."""
    wrong = np.flatnonzero(((edges < 1) | (edges > len(owner))).any(1))
    if len(wrong):
        line = wrong[0]
        check(False, f"{path}, line {line + 1}: edge {edges[line].tolist()}, expected nodes 1 .. {len(owner)}")
    edges = edges - 1
    crossing = (owner[edges[:, 0]] != owner[edges[:, 1]]).nonzero()[0]
    if len(crossing):
        line = crossing[0]
        check(False, f"{path}, line {line + 1}: edge {(edges[line] + 1).tolist()} joins nodes of two graphs")
    return edges


def _features(attributes: Path, labels: Path, rows: int) -> np.ndarray | None:
    """[rows, c] the attributes, then the labels of each column one-hot; None where there are neither."""
    parts = []
    if attributes.is_file():
        parts.append(read_numbers(attributes, "float", rows=rows))
    if labels.is_file():
        parts += [one_hot(column)[0] for column in read_numbers(labels, "int", rows=rows).T]
    return np.concatenate(parts, 1) if parts else None
