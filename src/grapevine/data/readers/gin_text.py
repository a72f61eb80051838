"""Reads and writes the one-file text format of graph collections that the GIN paper uses, and its ten folds.

The first line is the number of graphs. A graph is a line "n l" (nodes, label) and n lines "t m j_1 ... j_m a_1 ... a_k"
(tag, number of neighbours, the neighbours, counted from 0 in the graph, and attributes, if any). Fold k is two files,
10fold_idx/train_idx-k.txt and test_idx-k.txt, a graph's number a line.
Xu, Hu, Leskovec & Jegelka 2019, "How powerful are graph neural networks?"; Zhang, Cui, Neumann & Chen 2018.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.readers.numbers import read_bytes, read_numbers
from grapevine.data.readers.one_hot import one_hot
from grapevine.data.readers.undirected import both_ways
from grapevine.data.split import Split, mask_of
from grapevine.errors import InputError, check
from grapevine.ops.sparse import SparseMatrix

FOLDS = "10fold_idx"


def read_gin_text(path: Path) -> Dataset:
    """The graphs of a file, or of a folder NAME with NAME.txt, and the folds that stand beside the file.

    `x` are the attributes, if any, and then the tags one-hot, a column for each in the order in which they first
    appear, as in the paper's own program. `y` are the classes in the order of the labels, which `class_names` has.
    Edges run both ways, once, without self-loops. A fold is a Split of train and test; its val is empty, as none was
    published: the paper chooses its epoch on the test part.

    Raises:
        InputError: if a file is missing, cut short, or does not hold what it should, with the line.
    """
    path = Path(path)
    path = path / f"{path.name}.txt" if path.is_dir() else path
    lines = _Lines.of(path)
    head = _heads(path, lines)
    sizes, labels = lines.value[lines.start[head]], lines.value[lines.start[head] + 1]
    is_node = np.ones(len(lines.start), bool)
    is_node[[0, *head]] = False
    edge_index, x = _nodes(path, lines, is_node.nonzero()[0], sizes.astype(np.int64))
    values, classes = np.unique(labels.astype(np.int64), return_inverse=True)
    graph = collection(edge_index, sizes.astype(np.int64), node={"x": x}, graph={"y": torch.from_numpy(classes)})
    names = tuple(str(value) for value in values)
    splits = _folds(path.parent / FOLDS, len(head))
    return Dataset(path.stem, graph, "graph", splits, class_names=names, metric="accuracy")


def write_gin_text(dataset: Dataset, path: Path) -> None:
    """Write the graphs into the file, one-hot features as tags and others as attributes, and the splits as folds.

    The nodes of a split's val go with those of train, as the format has two parts only.

    Raises:
        InputError: if the graphs have no classes, or an edge does not run both ways.
    """
    graph, path = dataset.graph, Path(path)
    has_classes = dataset.level == "graph" and not graph.y.is_floating_point() and graph.y.ndim == 1
    check(has_classes, f"the format holds a class of each graph, which {dataset.name} does not have")
    check(graph.adj.is_symmetric(), "the format holds undirected graphs, but an edge does not run both ways")
    x = graph.x.to_dense() if isinstance(graph.x, SparseMatrix) else graph.x
    is_tag = bool(((x == 0) | (x == 1)).all() and (x.sum(1) == 1).all())
    tags = iter((x.argmax(1) if is_tag else torch.zeros(len(x), dtype=torch.int64)).tolist())
    attributes = iter([[]] * len(x) if is_tag else x.tolist())
    text = [str(graph.num_graphs)]
    for part, y in zip(graph.unbatch(), graph.y.tolist(), strict=True):
        text.append(f"{part.num_nodes} {dataset.class_names[y] if dataset.class_names else y}")
        for near in part.adj.src.split(part.adj.in_degree.tolist()):
            text.append(" ".join(map(str, [next(tags), len(near), *near.tolist(), *next(attributes)])))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(text) + "\n")
    for k, split in enumerate(dataset.splits, 1):
        (path.parent / FOLDS).mkdir(exist_ok=True)
        for part, mask in (("train", split.train | split.val), ("test", split.test)):
            numbers = "".join(f"{i}\n" for i in mask.nonzero().flatten().tolist())
            (path.parent / FOLDS / f"{part}_idx-{k}.txt").write_text(numbers)


@dataclass(frozen=True)
class _Lines:
    """The numbers of a file one after another, and of each line that has any: its first one, their count, its place."""

    value: np.ndarray
    start: np.ndarray
    count: np.ndarray
    number: np.ndarray

    @classmethod
    def of(cls, path: Path) -> "_Lines":
        data = read_bytes(path)
        try:
            value = np.array(data.split()).astype(np.float64) if data.strip() else np.zeros(0)
        except ValueError as error:
            raise InputError(f"{path} must hold numbers: {error}") from None
        letters = np.frombuffer(data, np.uint8)
        is_blank = np.isin(letters, np.frombuffer(b" \t\r\n\v\f", np.uint8))
        begins = (~is_blank & np.concatenate([[True], is_blank[:-1]])).nonzero()[0]
        line_of = np.concatenate([[0], np.cumsum(letters == 10)])[begins]
        number, start, count = np.unique(line_of, return_index=True, return_counts=True)
        return cls(value, start, count, number + 1)


def _heads(path: Path, lines: _Lines) -> np.ndarray:
    """[g] which lines begin a graph."""
    check(len(lines.start) > 0 and lines.count[0] == 1, f"{path}, line 1: expected the number of graphs alone")
    num_graphs, heads, line = int(lines.value[0]), [], 1
    for k in range(num_graphs):
        check(line < len(lines.start), f"{path} ends before graph {k} of {num_graphs}: it is cut short")
        start, where = lines.start[line], f"{path}, line {lines.number[line]}"
        check(lines.count[line] == 2, f"{where}: expected the number of nodes and the label of graph {k}")
        size = float(lines.value[start])
        check(size >= 0 and size == int(size), f"{where}: {size:g} is no number of nodes")
        heads.append(line)
        line += int(size) + 1
    check(line <= len(lines.start), f"{path} ends within graph {num_graphs - 1} of {num_graphs}: it is cut short")
    extra = lines.number[line] if line < len(lines.start) else 0
    check(line == len(lines.start), f"{path}, line {extra}: there is more than the {num_graphs} graphs of line 1")
    return np.array(heads, np.int64)


def _nodes(path: Path, lines: _Lines, at: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, torch.Tensor]:
    """The edges, nodes counted over all graphs, and the features of the nodes, whose lines are `at`."""
    start, count, number = lines.start[at], lines.count[at], lines.number[at]

    def refuse(is_wrong: np.ndarray, message: str) -> None:
        if is_wrong.any():
            raise InputError(f"{path}, line {number[is_wrong.argmax()]}: {message}")

    refuse(count < 2, "expected a tag, the number of neighbours and the neighbours")
    degree = lines.value[start + 1]
    refuse((degree < 0) | (degree > count - 2) | (degree != np.floor(degree)), "it has fewer neighbours than it says")
    degree = degree.astype(np.int64)
    num_attributes = count - 2 - degree
    refuse(num_attributes != num_attributes[:1], f"expected {num_attributes[:1]} attributes, as before")
    dst = np.repeat(np.arange(len(at)), degree)
    offset = np.arange(len(dst)) - np.repeat(np.cumsum(degree) - degree, degree)
    near = lines.value[start[dst] + 2 + offset]
    is_wrong = (near < 0) | (near >= np.repeat(sizes, sizes)[dst]) | (near != np.floor(near))
    refuse(np.bincount(dst[is_wrong], minlength=len(at)) > 0, "a neighbour is no node of the graph")
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    edges = both_ways(near.astype(np.int64) + first[dst], dst, len(at))
    attributes = start[:, None] + 2 + degree[:, None] + np.arange(num_attributes[0] if len(at) else 0)
    tags, _ = one_hot(lines.value[start], by_first=True)
    return edges, torch.from_numpy(np.concatenate([lines.value[attributes].astype(np.float32), tags], 1))


def _folds(folder: Path, num_graphs: int) -> tuple[Split, ...]:
    """A Split for each pair of files, in the order of their numbers."""
    numbers = {part: _fold_numbers(folder, part) for part in ("train", "test")}
    odd = sorted(set(numbers["train"]) ^ set(numbers["test"]))
    check(not odd, f"folds {odd} in {folder} have only one of the two files train_idx-k.txt and test_idx-k.txt")
    splits = []
    for k in numbers["train"]:
        masks = []
        for part in ("train", "test"):
            path = folder / f"{part}_idx-{k}.txt"
            items = read_numbers(path, "int", columns=1)[:, 0]
            is_inside = items.min(initial=0) >= 0 and items.max(initial=-1) < num_graphs
            check(is_inside, f"{path} must name graphs in 0 .. {num_graphs - 1}")
            masks.append(mask_of(torch.from_numpy(items), num_graphs))
        shared = int((masks[0] & masks[1]).sum())
        check(shared == 0, f"{shared} graphs of fold {k} in {folder} are in both of its parts")
        splits.append(Split(masks[0], torch.zeros(num_graphs, dtype=torch.bool), masks[1]))
    return tuple(splits)


def _fold_numbers(folder: Path, part: str) -> list[int]:
    matches = (re.fullmatch(rf"{part}_idx-(\d+)\.txt", path.name) for path in folder.glob(f"{part}_idx-*.txt"))
    return sorted(int(match[1]) for match in matches if match)
