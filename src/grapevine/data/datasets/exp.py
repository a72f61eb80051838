"""EXP: formulas as graphs, in pairs that 1-WL does not tell apart, of which one can be satisfied and the other not.

Abboud, Ceylan, Grohe & Lukasiewicz 2021, "The surprising power of graph neural networks with random node
initialization". The authors publish it as a pickle, which is not opened here, as it could run any program: it is read
from exp.npz with the arrays num_nodes [g], num_edges [g], x [n, 1] (0: a literal, 1: a clause), edge_index [2, e]
(the nodes of each graph from 0 on) and y [g].
"""

from pathlib import Path

import numpy as np
import torch

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.datasets.fetch import folders_of
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.readers.npz import check_shape, read_npz
from grapevine.data.split import Split, k_fold
from grapevine.errors import InputError, check

FILE = "exp.npz"
INFO = DatasetInfo(
    "exp",
    "formulas as graphs, in pairs that 1-WL does not tell apart; can it be satisfied?",
    level="graph",
    task="classification",
    metric="accuracy",
    split="ten folds of pairs: 81 % teach, 9 % choose, 10 % judge",
    num_nodes=53336,
    num_edges=66130,
    num_graphs=1200,
    num_features=2,
    num_classes=2,
    licence="MIT",
    citation='Abboud, Ceylan, Grohe & Lukasiewicz 2021, "The surprising power of graph neural networks with random '
    'node initialization", IJCAI',
    folder="expressiveness",
)


def load(root: Path | None = None) -> Dataset:
    """The 1,200 graphs from exp.npz in `root` or its folder expressiveness; graphs 2 k and 2 k + 1 are a pair.

    Raises:
        InputError: if the file is not there, or holds something else.
    """
    folders = folders_of(INFO, root)
    path = next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)
    if path is None:
        told = "its authors publish a pickle, which could run any program and is not opened; put the arrays num_nodes, "
        raise InputError(f"exp: there is no {FILE} in {folders[0]}: {told}num_edges, x, edge_index and y there")
    return read_exp(path)


def read_exp(path: Path) -> Dataset:
    """The data set from its file.

    Raises:
        InputError: if the file is broken, or its arrays do not fit one another.
    """
    arrays = read_npz(path, ["num_nodes", "num_edges", "x", "edge_index", "y"])
    sizes, counts, x, edges, y = (arrays[name] for name in ("num_nodes", "num_edges", "x", "edge_index", "y"))
    for name, array in (("num_nodes", sizes), ("num_edges", counts), ("y", y)):
        check_shape(path, name, array, (len(sizes),), "iu")
    check(len(sizes) % 2 == 0, f"{path}: the graphs must come in pairs, got {len(sizes)}")
    is_fit = bool((sizes >= 0).all() and (counts >= 0).all())
    check(is_fit, f"{path}: num_nodes and num_edges must not be negative")
    check_shape(path, "x", x, (int(sizes.sum()), 1), "iu")
    check_shape(path, "edge_index", edges, (2, int(counts.sum())), "iu")
    check(bool(((x == 0) | (x == 1)).all()), f"{path}: x must be 0 (a literal) or 1 (a clause)")
    owner = np.repeat(np.arange(len(sizes)), counts)
    is_inside = (edges >= 0).all() and (edges < sizes[owner]).all()
    check(bool(is_inside), f"{path}: edge_index must name the nodes of its graph, from 0 on")
    index = edges.astype(np.int64) + (sizes.cumsum() - sizes)[owner]
    classes = torch.from_numpy(y.astype(np.int64))
    kinds = torch.eye(2)[torch.from_numpy(x[:, 0].astype(np.int64))]
    graph = collection(index, sizes.astype(np.int64), node={"x": kinds}, graph={"y": classes})
    return Dataset("exp", graph, "graph", _folds(len(sizes)), class_names=("no", "yes"), metric="accuracy")


def _folds(num_graphs: int) -> tuple[Split, ...]:
    """Both graphs of a pair in one part: else a network that knows one's answer is wrong about the other."""
    drawn = k_fold(num_graphs // 2, folds=10, val=0.1, stratified=False)
    return tuple(Split(*(mask.repeat_interleave(2) for mask in (one.train, one.val, one.test))) for one in drawn)
