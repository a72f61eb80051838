"""Saves a data set as one safetensors file, whose header has a small JSON text for what is no tensor; never a pickle.

The adjacency is kept as it is, in its order, so loading sorts nothing.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import LEVELS, Level, Tensors, check_rows
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix

VERSION = 1
_KEY = "grapevine_dataset"
_PARTS = ("train", "val", "test")


def save_dataset(dataset: Dataset, path: Path, *, note: Mapping[str, Any] | None = None) -> None:
    """Write the data set to the file `path`, which appears whole or not at all.

    Args:
        note: what else is to be remembered, as JSON; `saved_note` gives it back.

    Raises:
        InputError: if `about`, the note or the ids hold what JSON does not know.
        OSError: if the file can not be written.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_dataset(Dataset("pair", Graph([[0], [1]], x=torch.eye(2))), Path(folder, "pair.safetensors"))
    ...     load_saved(Path(folder, "pair.safetensors")).graph
    Graph(2 nodes, 1 edges; node: x [2, 2])
    """
    path = Path(path)
    tensors, widths = _graph_tensors(dataset.graph)
    for k, split in enumerate(dataset.splits):
        tensors |= {f"split/{k}/{part}": getattr(split, part) for part in _PARTS}
    if dataset.ids is not None:
        tensors |= _ids_tensors(dataset.ids)
    text = {
        "version": VERSION, "name": dataset.name, "level": dataset.level, "metric": dataset.metric,
        "num_splits": len(dataset.splits), "class_names": dataset.class_names, "about": dict(dataset.about),
        "names": [f"{level}/{name}" for name, level in dataset.graph.levels.items()], "widths": widths,
        "ids": None if dataset.ids is None else dataset.ids.dtype.kind, "note": dict(note or {}),
    }  # fmt: skip
    try:
        header = {_KEY: json.dumps(text)}
    except (TypeError, ValueError) as error:
        raise InputError(f"about of {dataset.name} must hold what JSON knows: {error}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        save_file(_apart(tensors), partial, metadata=header)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def load_saved(path: Path) -> Dataset:
    """The data set that `save_dataset` wrote, with equal tensors; as no code is in the file, none can run.

    Raises:
        InputError: if the file is missing, broken, of another version or no data set.
    """
    path = Path(path)
    check(path.is_file(), f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            text = _header(path, file.metadata())
            check(text["version"] == VERSION, f"{path} is of version {text['version']}, expected {VERSION}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        splits = tuple(Split(*(tensors[f"split/{k}/{part}"] for part in _PARTS)) for k in range(text["num_splits"]))
        class_names = None if text["class_names"] is None else tuple(text["class_names"])
        ids = None if text["ids"] is None else _ids(tensors, text["ids"])
        graph = _graph(tensors, text["names"], text["widths"])
        return Dataset(
            text["name"], graph, text["level"], splits, ids, class_names, metric=text["metric"], about=text["about"]
        )
    except (
        SafetensorError,
        OSError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ValueError,
        StopIteration,
    ) as error:
        if isinstance(error, InputError) and str(path) in str(error):
            raise
        raise InputError(f"{path} is no saved data set, or broken: {error}") from None


def saved_note(path: Path) -> dict[str, Any]:
    """What `save_dataset` was given as `note`, without reading the tensors; errors as `load_saved`."""
    try:
        with safe_open(path, framework="pt") as file:
            text = _header(path, file.metadata())
        return text["note"] | {"version": text["version"]}
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no saved data set, or broken: {error}") from None


def _header(path: Path, metadata: dict[str, str] | None) -> dict[str, Any]:
    try:
        return json.loads((metadata or {})[_KEY])
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} holds tensors, but no data set") from error


def _graph_tensors(graph: Graph) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The tensors of a graph by level and name, and the number of columns of the sparse ones."""
    pattern = graph.adj.pattern
    tensors = {"indptr": pattern.indptr, "indices": pattern.indices, "edge_id": graph.adj.edge_id, "ptr": graph.ptr}
    widths = {}
    for level, held in (("node", graph.node), ("edge", graph.edge), ("graph", graph.graph)):
        for name, tensor in held.items():
            key = f"{level}/{name}"
            if isinstance(tensor, SparseMatrix):
                entry, widths[key] = tensor.pattern.entry, tensor.shape[1]
                tensors[f"{key}.values"] = tensor.values if entry is None else tensor.values[entry]
                tensors |= {f"{key}.indptr": tensor.pattern.indptr, f"{key}.indices": tensor.pattern.indices}
            else:
                tensors[key] = tensor
    return tensors, widths


def _graph(tensors: dict[str, Tensor], names: list[str], widths: dict[str, int]) -> Graph:
    num_nodes = len(tensors["indptr"]) - 1
    adj = Adjacency.trusted(Pattern(tensors["indptr"], tensors["indices"], num_nodes), tensors["edge_id"])
    ptr = tensors["ptr"]
    is_fit = int(ptr[0]) == 0 and int(ptr[-1]) == num_nodes and bool((ptr.diff() >= 0).all())
    check(is_fit and len(tensors["edge_id"]) == adj.num_edges, "its parts do not fit one another")
    held: Tensors = {level: {} for level in LEVELS}
    for key in names:
        level: Any
        level, _, name = key.partition("/")
        if key in widths:
            indptr, indices, values = (tensors[f"{key}.{part}"] for part in ("indptr", "indices", "values"))
            held[level][name] = SparseMatrix(Pattern(indptr, indices, widths[key]), values)
        else:
            held[level][name] = tensors[key]
    sizes: dict[Level, int] = {"node": num_nodes, "edge": adj.num_edges, "graph": len(ptr) - 1}
    check_rows(held, sizes, adj.device)
    return Graph._made(adj, held, ptr)


def _ids_tensors(ids: np.ndarray) -> dict[str, Tensor]:
    """Numbers as they are; texts as their letters in UTF-8, one after another; others as JSON texts."""
    kind = ids.dtype.kind
    if kind in "biuf":
        return {"ids": torch.from_numpy(ids)}
    check(kind in "UO", f"ids must be numbers, texts or objects, got {ids.dtype}")
    try:
        texts = [
            text.encode() for text in (ids.tolist() if kind == "U" else [json.dumps(name) for name in ids.tolist()])
        ]
    except TypeError as error:
        raise InputError(f"ids must be numbers or texts: {error}") from None
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return {
        "ids": torch.from_numpy(np.frombuffer(b"".join(texts), np.uint8).copy()),
        "ids.ends": torch.from_numpy(ends),
    }


def _ids(tensors: dict[str, Tensor], kind: str) -> np.ndarray:
    if kind not in "UO":
        return tensors["ids"].numpy()
    letters, ends = tensors["ids"].numpy().tobytes(), tensors["ids.ends"].tolist()
    texts = [letters[i:j].decode() for i, j in zip([0, *ends], ends, strict=False)]
    if kind == "U":
        return np.array(texts, dtype=np.str_)
    ids = np.empty(len(texts), object)
    ids[:] = [json.loads(text) for text in texts]
    return ids


def _apart(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """On the CPU, contiguous, and no two in one piece of memory, as safetensors wants them."""
    apart, seen = {}, set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        memory = tensor.untyped_storage()
        is_whole = memory.nbytes() == tensor.nbytes and memory.data_ptr() not in seen
        apart[name] = tensor if is_whole else tensor.clone()
        seen.add(apart[name].untyped_storage().data_ptr())
    return apart
