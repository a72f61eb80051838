"""What belongs to what: the level of every tensor of a graph, declared when it is stored.

A tensor of the nodes has a row for each node, one of the edges for each edge, one of the graphs for each graph.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.ops.sparse import SparseMatrix

Level = Literal["node", "edge", "graph"]
LEVELS: tuple[Level, ...] = ("node", "edge", "graph")
Tensors = dict[Level, dict[str, Tensor | SparseMatrix]]  # by level, then by name

# The names whose level is known. `y` has any, see `add_y`.
STANDARD: dict[str, Level] = {
    "x": "node", "pos": "node", "z": "node", "train_mask": "node", "val_mask": "node", "test_mask": "node",
    "edge_attr": "edge", "edge_weight": "edge",
}  # fmt: skip

# The names of structures of atoms: forces, whole cell vectors to the image that an edge comes from, and of each
# structure its cell, in which directions it repeats, energy, stress and dipole moment. They are given as
# node={...}, edge={...} and graph={...}, at no other level.
OF_ATOMS: dict[str, Level] = {
    "forces": "node", "shift": "edge",
    "cell": "graph", "pbc": "graph", "energy": "graph", "stress": "graph", "dipole": "graph",
}  # fmt: skip
_KNOWN = STANDARD | OF_ATOMS


def by_level(named: Mapping[str, Any], declared: Mapping[Level, Mapping[str, Any] | None]) -> Tensors:
    """The standard tensors that are not None and the declared ones; sparse ones as SparseMatrix."""
    tensors: Tensors = {level: {} for level in LEVELS}
    for name, value in named.items():
        if value is not None:
            tensors[STANDARD[name]][name] = _tensor(name, value)
    for level, given in declared.items():
        given = {} if given is None else given
        check(isinstance(given, Mapping), f"{level} must map names to tensors, got {type(given).__name__}")
        for name, value in given.items():
            _check_name(name, level, tensors)
            tensor = _tensor(name, value)
            tensors[level][name] = _as_row(tensor) if level == "graph" else tensor
    return tensors


def add_y(tensors: Tensors, y: Any, known: Level | None, sizes: Mapping[Level, int]) -> None:
    """Put y at its level if that is known, else at the one of nodes and graphs with as many rows; scalars at graph."""
    if y is None:
        return
    _check_name("y", known or "graph", tensors)
    y = _tensor("y", y)
    known = "graph" if known is None and not y.shape else known
    y = _as_row(y)
    fits: list[Level] = [level for level in ("node", "graph") if y.shape[0] == sizes[level]]
    if known is None and len(fits) != 1:
        counts = f"{sizes['node']} nodes {'and' if fits else 'nor'} {sizes['graph']} graphs"
        raise InputError(
            f"y of shape {tuple(y.shape)} fits {'both' if fits else 'neither'} {counts}: "
            "declare its level, as in graph={'y': y}"
        )
    tensors[known or fits[0]]["y"] = y


def check_rows(tensors: Tensors, sizes: Mapping[Level, int], device: torch.device) -> None:
    """Raise an InputError unless every tensor has the rows of its level and is on that device."""
    for level, named in tensors.items():
        for name, tensor in named.items():
            rows = tensor.shape[0] if tensor.shape else "no"
            wanted = f"a row for each of the {sizes[level]} {level}s"
            check(rows == sizes[level], f"{name} must have {wanted}, got shape {tuple(tensor.shape)}")
            check(tensor.device == device, f"{name} is on {tensor.device}, the edges are on {device}")
            is_dense = not isinstance(tensor, SparseMatrix)
            check(level == "node" or is_dense, f"{name} must be dense: only tensors of the nodes may be sparse")


def _check_name(name: str, level: Level, tensors: Tensors) -> None:
    is_plain = isinstance(name, str) and name.isidentifier() and not name.startswith("_")
    check(is_plain, f"a tensor's name must be a plain one, got {name!r}")
    check(all(name not in named for named in tensors.values()), f"{name} is given twice")
    wanted = _KNOWN.get(name, level)
    check(wanted == level, f"{name} always belongs to the {wanted}, it can not be given in {level}={{...}}")


def _tensor(name: str, value: Any) -> Tensor | SparseMatrix:
    if isinstance(value, SparseMatrix):
        return value
    if hasattr(value, "tocsr"):  # as all of SciPy's sparse kinds have
        return SparseMatrix.from_scipy(value)
    if not isinstance(value, Tensor):
        raise InputError(f"{name} must be a tensor, got {type(value).__name__}; torch.as_tensor makes one of an array")
    is_mask = name in ("train_mask", "val_mask", "test_mask")
    check(not is_mask or value.dtype == torch.bool, f"{name} must be boolean, got {value.dtype}")
    return value if value.layout == torch.strided else SparseMatrix.from_torch(value)


def _as_row(tensor: Tensor | SparseMatrix) -> Tensor | SparseMatrix:
    """A scalar as one row."""
    return tensor.reshape(1) if isinstance(tensor, Tensor) and tensor.ndim == 0 else tensor
