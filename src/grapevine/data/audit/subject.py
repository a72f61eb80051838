"""What is audited: a data set, the part of each of its items, and the user's names for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from grapevine.checks import check_rows
from grapevine.data.dataset import Dataset
from grapevine.data.split import Split, mask_of
from grapevine.errors import InputError, check
from grapevine.graph import Graph

PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Subject:
    """A data set and its parts.

    Args:
        masks: the items of train, val and test; they may overlap, which is what an audit looks for. None: no split.
    """

    dataset: Dataset
    masks: Mapping[str, Tensor] | None

    @property
    def graph(self) -> Graph:
        return self.dataset.graph

    @property
    def num_items(self) -> int:
        graph, level = self.graph, self.dataset.level
        return graph.num_graphs if level == "graph" else graph.num_edges if level == "edge" else graph.num_nodes

    @property
    def items(self) -> str:
        """What an item is called."""
        return self.dataset.level

    @property
    def y(self) -> Tensor | None:
        """The answers of the items, if they are held."""
        return getattr(self.graph, "y") if self.graph.levels.get("y") == self.items else None  # noqa: B009

    @property
    def part_of(self) -> Tensor:
        """[n] 0, 1 or 2 for train, val and test, the first of an item in several; -1 for none."""
        part = torch.full((self.num_items,), -1)
        for k, name in reversed(list(enumerate(PARTS))):
            part[(self.masks or {})[name]] = k
        return part

    def node_name(self, node: int | Tensor) -> Any:
        """What the user calls a node, or a graph of a collection."""
        ids = self.dataset.ids
        return int(node) if ids is None else plain(ids[int(node)])

    def name(self, item: int | Tensor) -> Any:
        """What the user calls an item: a node, a graph, or an edge by its two nodes."""
        if self.items != "edge":
            return self.node_name(item)
        src, dst = self.graph.adj.edge_index[:, int(item)].tolist()
        if self.dataset.ids is not None and len(self.dataset.ids) != self.graph.num_nodes:
            return src, dst
        return self.node_name(src), self.node_name(dst)


def plain(name: Any) -> Any:
    """A name as a number or a word that JSON has."""
    name = name.item() if isinstance(name, np.generic) else name
    return name if isinstance(name, int | float | str | bool) else str(name)


def subject_of(dataset: Dataset, split: Split | Mapping[str, Tensor] | None) -> Subject:
    """The data set with that split, else its first public one, else its graph's masks, else none."""
    graph = dataset.graph
    if split is None and dataset.splits:
        split = dataset.splits[0]
    held = [name for name in PARTS if f"{name}_mask" in graph.node]
    if split is None and dataset.level == "node" and held:
        split = {name: graph.node[f"{name}_mask"] for name in held}  # pyright: ignore[reportAssignmentType]
    bare = Subject(dataset, None)
    if split is None:
        return bare
    given = {name: getattr(split, name) for name in PARTS} if isinstance(split, Split) else split
    if not isinstance(given, Mapping) or not set(given) <= set(PARTS):
        raise InputError(f"split must be a Split or map {', '.join(PARTS)} to items, got {type(split).__name__}")
    nothing = torch.zeros(0, dtype=torch.int64)
    return Subject(dataset, {name: _mask(name, given.get(name, nothing), bare.num_items) for name in PARTS})


def subject_of_parts(parts: Mapping[str, Dataset]) -> Subject:
    """Data sets that are the parts themselves, side by side."""
    names = [name for name in PARTS if name in parts]
    is_known = len(parts) > 0 and len(names) == len(parts) and all(isinstance(p, Dataset) for p in parts.values())
    check(is_known, f"the parts must be data sets by the names {', '.join(PARTS)}, got {', '.join(map(str, parts))}")
    sets = [parts[name] for name in names]
    check(len({one.level for one in sets}) == 1, "the parts must be of one level")
    ids = [one.ids for one in sets]
    joined = Dataset(
        name=sets[0].name,
        graph=Graph.batch([one.graph for one in sets]),
        level=sets[0].level,
        ids=None if any(one is None for one in ids) else np.concatenate([np.asarray(one, object) for one in ids]),
    )
    sizes = [Subject(one, None).num_items for one in sets]
    items = dict(zip(names, torch.arange(sum(sizes)).split(sizes), strict=True))
    return subject_of(joined, items)


def _mask(name: str, items: Tensor, num_items: int) -> Tensor:
    check(isinstance(items, Tensor), f"{name} must be a tensor of items or a mask, got {type(items).__name__}")
    if items.dtype == torch.bool:
        check_rows(name, items, num_items, "items")
        return items.cpu()
    is_inside = items.numel() == 0 or (int(items.min()) >= 0 and int(items.max()) < num_items)
    check(is_inside, f"{name} must hold numbers of items in 0 .. {num_items - 1}")
    return mask_of(items.long().cpu(), num_items)
