"""The disjoint union of graphs, made and taken apart without a sort.

Graph k owns the nodes ptr[k] .. ptr[k + 1] - 1. The edges are sorted by target, so it owns one range of them too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency
from grapevine.graph.levels import Level, Tensors
from grapevine.ops.group import index_dtype
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix


def starts(counts: Sequence[int] | Tensor) -> Tensor:
    """[g + 1] where each of the ranges of these lengths begins, and where the last one ends."""
    return torch.nn.functional.pad(torch.as_tensor(counts, dtype=torch.int64).cumsum(0), (1, 0))


def join_adjacencies(parts: Sequence[Adjacency]) -> Adjacency:
    """Square adjacencies side by side; `edge_id` counts on from one input to the next."""
    for k, part in enumerate(parts):
        check(part.device == parts[0].device, f"graph {k} is on {part.device}, graph 0 on {parts[0].device}")
    counts = [part.num_edges for part in parts]
    edge_id = torch.cat([part.edge_id for part in parts]) + _spread(starts(counts)[:-1], counts, parts[0].device)
    return Adjacency.trusted(_stack([part.pattern for part in parts], is_diagonal=True), edge_id)


def split_adjacency(adjacency: Adjacency, ptr: Sequence[int]) -> list[Adjacency]:
    """The parts that `join_adjacencies` joined."""
    patterns = _cut(adjacency.pattern, ptr, is_diagonal=True)
    counts = [pattern.num_entries for pattern in patterns]
    edge_id = adjacency.edge_id - _spread(starts(counts)[:-1], counts, adjacency.device)
    return [Adjacency.trusted(*part) for part in zip(patterns, edge_id.split(counts), strict=True)]


def join_tensors(parts: Sequence[Tensors]) -> Tensors:
    """The rows of every graph's tensors below each other; InputError where a graph does not fit the first one."""
    wanted = _kinds(parts[0])
    for k, part in enumerate(parts):
        kinds = _kinds(part)
        if kinds != wanted:
            raise InputError(_difference(k, kinds, wanted))
    tensors: Tensors = {}
    for level, named in parts[0].items():
        tensors[level] = {name: _join_rows([part[level][name] for part in parts]) for name in named}
    return tensors


def split_tensors(tensors: Tensors, counts: Mapping[Level, list[int]]) -> list[Tensors]:
    """The parts that `join_tensors` joined; `counts` has the rows of each part by level."""
    parts: list[Tensors] = [{level: {} for level in tensors} for _ in counts["graph"]]
    for level, named in tensors.items():
        for name, tensor in named.items():
            for part, rows in zip(parts, _split_rows(tensor, counts[level]), strict=True):
                part[level][name] = rows
    return parts


def _kinds(tensors: Tensors) -> dict[str, tuple]:
    """What must agree between graphs, by name: level, class, width, dtype and device."""
    return {
        name: (level, type(tensor), *tensor.shape[1:], tensor.dtype, tensor.device)
        for level, named in tensors.items()
        for name, tensor in named.items()
    }


def _difference(k: int, kinds: dict[str, tuple], wanted: dict[str, tuple]) -> str:
    """Where graph k first departs from graph 0."""
    name = next(name for name in wanted | kinds if kinds.get(name) != wanted.get(name))
    came, expected = (_in_words(kind) for kind in (kinds.get(name), wanted.get(name)))
    return f"graphs of a batch must hold the same: of {name}, graph {k} has {came}, graph 0 {expected}"


def _in_words(kind: tuple | None) -> str:
    if kind is None:
        return "none"
    level, layout, *width, dtype, device = kind
    shape = ", ".join([f"{level}s", *map(str, width)])
    return f"{'sparse ' if layout is SparseMatrix else ''}[{shape}] {str(dtype).removeprefix('torch.')} on {device}"


def _join_rows(parts: list[Any]) -> Tensor | SparseMatrix:
    if isinstance(parts[0], SparseMatrix):
        pattern = _stack([part.pattern for part in parts], is_diagonal=False)
        return SparseMatrix(pattern, torch.cat([part.values for part in parts]))
    return torch.cat(parts)


def _split_rows(tensor: Tensor | SparseMatrix, counts: list[int]) -> Sequence[Tensor | SparseMatrix]:
    if isinstance(tensor, SparseMatrix):
        patterns = _cut(tensor.pattern, starts(counts).tolist(), is_diagonal=False)
        values = tensor.values.split([pattern.num_entries for pattern in patterns])
        return [SparseMatrix(*part) for part in zip(patterns, values, strict=True)]
    return tensor.split(counts)


def _stack(patterns: Sequence[Pattern], *, is_diagonal: bool) -> Pattern:
    """The rows of all patterns below each other; if diagonal, each one's columns behind the last one's too."""
    num_cols = sum(p.num_cols for p in patterns) if is_diagonal else patterns[0].num_cols
    indices = torch.cat([p.indices for p in patterns])
    indptr = _join_starts([p.indptr for p in patterns], [p.num_entries for p in patterns])
    dtype = index_dtype(len(indptr), len(indices), num_cols)
    indptr, indices = indptr.to(dtype), indices.to(dtype)
    if is_diagonal:
        cols_before = starts([p.num_cols for p in patterns])[:-1]
        indices += _spread(cols_before, [p.num_entries for p in patterns], indices.device)
    return Pattern.trusted(indptr, indices, num_cols)


def _join_starts(parts: list[Tensor], counts: Sequence[int]) -> Tensor:
    """Where rows begin of parts that lie behind one another; the end of one is the start of the next."""
    sizes = [len(part) for part in parts]
    joined = torch.cat(parts).long() + _spread(starts(counts)[:-1], sizes, parts[0].device)
    is_kept = torch.ones(len(joined), dtype=torch.bool)
    is_kept[starts(sizes)[1:-1]] = False
    return joined[is_kept.to(joined.device)]


def _spread(values: Tensor, counts: Sequence[int], device: torch.device) -> Tensor:
    """Each value as often as its count says."""
    return values.repeat_interleave(torch.tensor(counts)).to(device)


def _cut(pattern: Pattern, ptr: Sequence[int], *, is_diagonal: bool) -> list[Pattern]:
    """The patterns of the rows ptr[k] .. ptr[k + 1] - 1; if diagonal, of these columns as well."""
    entries = pattern.indptr[list(ptr)].tolist()
    parts = []
    for k in range(len(ptr) - 1):
        indptr = pattern.indptr[ptr[k] : ptr[k + 1] + 1] - entries[k]
        indices = pattern.indices[entries[k] : entries[k + 1]]
        if is_diagonal:
            parts.append(Pattern.trusted(indptr, indices - ptr[k], ptr[k + 1] - ptr[k]))
        else:
            parts.append(Pattern.trusted(indptr, indices, pattern.num_cols))
    return parts
