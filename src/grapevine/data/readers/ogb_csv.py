"""Reads the raw folder of an Open Graph Benchmark set for node property prediction: packed CSV files without a header.

raw/ holds edge.csv.gz ("source,target"), node-feat.csv.gz, node-label.csv.gz, num-node-list.csv.gz and, where edges
have features, edge-feat.csv.gz; split/NAME/ holds train.csv.gz, valid.csv.gz and test.csv.gz, the numbers of nodes.
Hu, Fey, Zitnik, Dong, Ren, Liu, Catasta & Leskovec 2020, "Open Graph Benchmark: datasets for machine learning on
graphs".
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.readers.numbers import read_numbers
from grapevine.data.split import Split, mask_of
from grapevine.errors import InputError, check
from grapevine.graph import Graph


def read_ogb_nodes(
    folder: Path, *, split: str | None = None, add_reverse: bool = False, extra: Sequence[str] = ()
) -> Dataset:
    """The graph of a set's folder (the one that holds raw/ and split/) and its split.

    One column of whole numbers as the answer is a class, -1 where it is missing (an empty or `nan` field); several
    columns are many yes-or-no answers and numbers with a point a quantity, both float with NaN where missing.

    Args:
        split: the folder in split/; needed only if there are several.
        add_reverse: store every edge in the other direction too, as the benchmark does with its undirected sets.
        extra: more files of a row for each node, as "node_year": kept as node tensors of these names.

    Raises:
        InputError: if a file is missing or cut short, holds anything but numbers, or does not fit the others.
    """
    folder = Path(folder)
    raw = folder / "raw"
    num_nodes = int(read_numbers(raw / "num-node-list.csv.gz", "int", columns=1, rows=1)[0, 0])
    edges = _edges(raw / "edge.csv.gz", num_nodes)
    y = _answers(raw / "node-label.csv.gz", num_nodes)
    node = {"y": y} | {name: torch.from_numpy(_values(raw / f"{name}.csv.gz", num_nodes)) for name in extra}
    edge = {}
    if (raw / "edge-feat.csv.gz").is_file():
        edge["edge_attr"] = torch.from_numpy(read_numbers(raw / "edge-feat.csv.gz", "float", rows=edges.shape[1]))
    if (raw / "node-feat.csv.gz").is_file():
        node["x"] = torch.from_numpy(read_numbers(raw / "node-feat.csv.gz", "float", rows=num_nodes))
    if add_reverse:
        edges = np.concatenate([edges, edges[::-1]], 1)
        edge = {name: torch.cat([tensor, tensor]) for name, tensor in edge.items()}
    graph = Graph(torch.from_numpy(edges), num_nodes=num_nodes, node=node, edge=edge)
    splits = (_split(_split_folder(folder / "split", split), num_nodes),)
    return Dataset(folder.name, graph, "node", splits)


def _edges(path: Path, num_nodes: int) -> np.ndarray:
    edges = read_numbers(path, "int", columns=2)
    wrong = np.flatnonzero(((edges < 0) | (edges >= num_nodes)).any(1))
    if len(wrong):
        line = wrong[0]
        raise InputError(f"{path}, line {line + 1}: edge {edges[line].tolist()}, expected nodes 0 .. {num_nodes - 1}")
    return np.ascontiguousarray(edges.T)


def _answers(path: Path, num_nodes: int) -> torch.Tensor:
    """[n] classes or numbers, or [n, k] yes or no."""
    values = read_numbers(path, "float", rows=num_nodes, missing=True)
    known = values[~np.isnan(values)]
    if values.shape[1] > 1 or (known != np.floor(known)).any():
        return torch.from_numpy(values[:, 0].copy() if values.shape[1] == 1 else values)
    check(bool((known >= 0).all()), f"{path}: classes must be 0 or more")
    return torch.from_numpy(np.where(np.isnan(values[:, 0]), -1, values[:, 0]).astype(np.int64))


def _values(path: Path, num_nodes: int) -> np.ndarray:
    """[n] or [n, k] whole numbers where all are, floats otherwise."""
    try:
        values = read_numbers(path, "int", rows=num_nodes)
    except InputError:
        values = read_numbers(path, "float", rows=num_nodes)
    return values[:, 0].copy() if values.shape[1] == 1 else values


def _split_folder(folder: Path, name: str | None) -> Path:
    held = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    check(name is None or name in held, f"there is no split {name!r} in {folder}, it has {', '.join(held) or 'none'}")
    check(name is not None or len(held) == 1, f"name one of the splits in {folder}: {', '.join(held) or 'it has none'}")
    return folder / (name or held[0])


def _split(folder: Path, num_nodes: int) -> Split:
    masks = []
    for part in ("train", "valid", "test"):
        path = folder / f"{part}.csv.gz"
        nodes = read_numbers(path, "int", columns=1)[:, 0]
        is_inside = nodes.min(initial=0) >= 0 and nodes.max(initial=-1) < num_nodes
        check(is_inside, f"{path} must name nodes in 0 .. {num_nodes - 1}")
        masks.append(mask_of(torch.from_numpy(nodes), num_nodes))
    try:
        return Split(*masks)
    except InputError as error:
        raise InputError(f"the split in {folder} is wrong: {error}") from None
