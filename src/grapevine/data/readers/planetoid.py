"""Reads the raw files of Planetoid: Cora, CiteSeer and PubMed with their public split.

A data set is eight files ind.NAME.*: x, y are the features and one-hot classes of the training nodes; allx, ally
those of the nodes 0 .. m - 1, the training nodes first; row k of tx, ty belongs to node test.index[k], at or beyond
m; graph lists each node's neighbours. A node beyond m that test.index leaves out has no features and no class.
Yang, Cohen & Salakhutdinov 2016, "Revisiting semi-supervised learning with graph embeddings".
"""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import scipy.sparse
import torch

from grapevine.data.readers.undirected import both_ways
from grapevine.data.readers.unpickle import unpickle
from grapevine.data.split import mask_of
from grapevine.errors import InputError, check
from grapevine.graph import Graph

PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
_NUM_VAL = 500


def file_names(name: str) -> list[str]:
    """The eight files of a data set.

    >>> file_names("cora")[-1]
    'ind.cora.test.index'
    """
    return [f"ind.{name}.{part}" for part in PARTS]


def read_planetoid(folder: Path, name: str) -> Graph:
    """The data set as an undirected graph without self-loops or repeated edges, and its public split.

    The features are sparse and each row sums to 1, as in Kipf & Welling 2017; y is -1 where the class is unknown.

    Raises:
        InputError: if a file is missing, is no plain pickle of numbers, or does not fit the others.
    """
    files = _read(folder, name)
    num_train, num_known = len(files.y), len(files.ally)
    num_nodes = max(num_known, int(files.test.max(initial=-1)) + 1)
    classes = np.full(num_nodes, -1)
    classes[:num_known], classes[files.test] = files.ally.argmax(1), files.ty.argmax(1)
    return Graph(
        torch.from_numpy(_undirected_edges(name, files.graph, num_nodes)),
        x=_features(files.allx, files.tx, files.test, num_nodes),
        y=torch.from_numpy(classes),
        train_mask=mask_of(torch.arange(num_train), num_nodes),
        val_mask=mask_of(torch.arange(num_train, min(num_train + _NUM_VAL, num_known)), num_nodes),
        test_mask=mask_of(torch.from_numpy(files.test), num_nodes),
    )


@dataclass(frozen=True)
class _Files:
    x: scipy.sparse.csr_matrix
    tx: scipy.sparse.csr_matrix
    allx: scipy.sparse.csr_matrix
    y: np.ndarray
    ty: np.ndarray
    ally: np.ndarray
    graph: dict
    test: np.ndarray


def _read(folder: Path, name: str) -> _Files:
    """The eight files, known to fit one another."""
    path = {part: folder / f"ind.{name}.{part}" for part in PARTS}
    x, tx, allx = (unpickle(path[part], scipy.sparse.csr_matrix) for part in ("x", "tx", "allx"))
    y, ty, ally = (unpickle(path[part], np.ndarray) for part in ("y", "ty", "ally"))
    files = _Files(x, tx, allx, y, ty, ally, unpickle(path["graph"], dict), _read_index(path["test.index"]))
    for part, features, labels in (("x", x, y), ("tx", tx, ty), ("allx", allx, ally)):
        is_fit = labels.ndim == 2 and len(labels) == features.get_shape()[0]
        check(is_fit, f"ind.{name}.{part} and ind.{name}.{part.replace('x', 'y')} must have a row for each node")
    check(tx.get_shape()[1] == allx.get_shape()[1], f"ind.{name}.tx and ind.{name}.allx must have the same columns")
    check(ty.shape[1] == ally.shape[1], f"ind.{name}.ty and ind.{name}.ally must have the same columns")
    is_fit = len(np.unique(files.test[files.test >= len(ally)])) == len(files.test) == len(ty)
    wanted = f"{len(ty)} different nodes, all at or beyond {len(ally)}"
    check(is_fit, f"ind.{name}.test.index must name {wanted}; it has {len(files.test)} numbers")
    return files


def _read_index(path: Path) -> np.ndarray:
    try:
        return np.array([int(word) for word in path.read_text().split()], np.int64)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"{path} must hold one node number a line: {error}") from error


def _features(allx, tx, test: np.ndarray, num_nodes: int) -> scipy.sparse.csr_matrix:
    """[num_nodes, c] the rows of allx, those of tx at the test nodes, each divided by its sum."""
    known, tested = allx.tocoo(), tx.tocoo()
    values = np.concatenate([known.data, tested.data]).astype(np.float32)
    rows = np.concatenate([known.row, test[tested.row]])
    cols = np.concatenate([known.col, tested.col])
    sums = np.bincount(rows, values, num_nodes)
    sums[sums == 0] = 1
    return scipy.sparse.csr_matrix((values / sums[rows], (rows, cols)), (num_nodes, allx.get_shape()[1]), np.float32)


def _undirected_edges(name: str, neighbours: dict, num_nodes: int) -> np.ndarray:
    """[2, e] each edge in both directions, once."""
    try:
        src = np.repeat(np.array(list(neighbours), np.int64), [len(nodes) for nodes in neighbours.values()])
        dst = np.fromiter(chain.from_iterable(neighbours.values()), np.int64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"ind.{name}.graph must hold lists of node numbers: {error}") from error
    ends = np.concatenate([src, dst])
    is_inside = ends.min(initial=0) >= 0 and ends.max(initial=-1) < num_nodes
    check(is_inside, f"ind.{name}.graph must name nodes in 0 .. {num_nodes - 1}")
    return both_ways(src, dst, num_nodes)
