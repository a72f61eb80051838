"""Which column of the tables is what: told, or found by its name or place, and then written down."""

from collections.abc import Sequence
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from grapevine.data.tables.kinds import Kind
from grapevine.data.tables.marks import strange_word
from grapevine.data.tables.names import NAMES, TargetKind, find_target
from grapevine.data.tables.parse import as_numbers
from grapevine.data.tables.read import Table
from grapevine.errors import InputError, check

IDS = ("id", "node_id", "nodeid", "node", "_id", "uid", "uuid", "vertex", "vertex_id", "key")
ENDS = (
    ("src", "dst"), ("source", "target"), ("from", "to"), ("source", "destination"), ("source_id", "target_id"),
    ("src_id", "dst_id"), ("from_id", "to_id"), ("from_node", "to_node"), ("node1", "node2"), ("node_1", "node_2"),
    ("id1", "id2"), ("id_1", "id_2"), ("u", "v"), ("i", "j"), ("head", "tail"), ("sender", "receiver"),
    ("citing", "cited"),
)  # fmt: skip
WEIGHTS = ("weight", "edge_weight")
SPLITS = ("split",)


class TableSpec(BaseModel):
    """What the columns of a table of nodes and a table of edges are. What is left out is found by the usual names.

    Args:
        id: the column of the nodes' names; else id, node_id, node, ..., or the first column that is no target.
        src, dst: the columns of the edges' ends; else src and dst, source and target, from and to, ..., or the first
            two columns.
        target: what to predict; else target, label, y, class, ... of the nodes, or of the edges.
        target_kind: what the target holds, where its values say too little.
        level: whether nodes or edges are predicted; "link": whether there is an edge, which needs no target.
        directed: whether an edge goes one way only; else each is there in both directions.
        weight: the column of the edges' weights; else weight or edge_weight.
        time: a column of numbers or dates, of the nodes or the edges; kept as their tensor `time` (dates as seconds
            since 1970) and no feature.
        split: the column that says train, val or test; else split.
        use, drop: the only feature columns to use, and those to leave out, of both tables.
        kinds: what feature columns are: numeric, boolean, categorical, date, text or drop.
        max_categories, text_width: see `Encoder.fit`.

    >>> TableSpec(id="name", target=("club",)).directed
    False
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    src: str | None = None
    dst: str | None = None
    target: tuple[str, ...] = ()
    target_kind: TargetKind | None = None
    level: Literal["node", "edge", "link"] | None = None
    directed: bool = False
    weight: str | None = None
    time: str | None = None
    split: str | None = None
    use: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    kinds: dict[str, Kind] = {}
    max_categories: int = 50
    text_width: int = 64

    def node_features(self, columns: Sequence[str]) -> list[str]:
        """Those of the node table's columns that are features."""
        target = self.target if self.level == "node" else ()
        return self._features(columns, (self.id, self.time, self.split, *target))

    def edge_features(self, columns: Sequence[str]) -> list[str]:
        """Those of the edge table's columns that are features."""
        target = self.target if self.level == "edge" else ()
        return self._features(columns, (self.src, self.dst, self.weight, self.time, self.split, *target))

    def _features(self, columns: Sequence[str], taken: Sequence[str | None]) -> list[str]:
        free = [name for name in columns if name not in taken and name not in self.drop]
        return free if self.use is None else [name for name in free if name in self.use]


def resolve(spec: TableSpec, nodes: Table | None, edges: Table) -> tuple[TableSpec, list[str]]:
    """The spec with every column filled in, and a sentence for each that was found rather than told.

    Raises:
        InputError: for a column that is not there, or no target.
    """
    notes: list[str] = []
    node_columns = [] if nodes is None else nodes.frame.columns
    edge_columns = edges.frame.columns
    found: dict[str, object] = {}
    if nodes is not None:
        found["id"] = _id(spec, nodes, notes)
    found["src"], found["dst"] = _ends(spec, edges, notes)
    free_nodes = [name for name in node_columns if name != found.get("id")]
    free_edges = [name for name in edge_columns if name not in (found["src"], found["dst"])]
    found["level"], found["target"] = _target(spec, free_nodes, free_edges)
    found["weight"] = _told(spec.weight, "weight", free_edges, edges) or _weight(spec, free_edges, edges, notes)
    table, free = (edges, free_edges) if nodes is None or found["level"] == "edge" else (nodes, free_nodes)
    found["split"] = _told(spec.split, "split", free, table) or _split(spec, free, table, notes)
    everything = {"use": spec.use or (), "drop": spec.drop, "kinds": spec.kinds, "time": (spec.time,) * bool(spec.time)}
    for what, names in everything.items():
        for column in names:
            is_there = column in free_nodes or column in free_edges
            check(is_there, f"{what} names a column {column!r}, but {_columns(free_nodes, free_edges)}")
    return spec.model_copy(update=found), notes


def check_column(table: Table, name: str | None, what: str) -> None:
    """Raise an InputError unless the table has that column."""
    listed = ", ".join(table.frame.columns)
    check(name in table.frame.columns, f"{table.name} has no column {name!r} for the {what}, it has {listed}")


def _id(spec: TableSpec, nodes: Table, notes: list[str]) -> str:
    columns = nodes.frame.columns
    check(len(columns) > 0, f"{nodes.name} has no columns")
    if spec.id is not None:
        check_column(nodes, spec.id, "nodes' names")
        return spec.id
    by_name = {column.lower(): column for column in reversed(columns)}
    first = next((name for name in columns if name not in spec.target and name.lower() not in NAMES), columns[0])
    found = next((by_name[name] for name in IDS if name in by_name), first)
    notes.append(f"{nodes.name}: {found!r} holds the nodes' names")
    return found


def _ends(spec: TableSpec, edges: Table, notes: list[str]) -> tuple[str, str]:
    columns = edges.frame.columns
    both = (spec.src is None) == (spec.dst is None)
    check(both, f"name both ends of the edges or neither, got src={spec.src!r} and dst={spec.dst!r}")
    if spec.src is not None and spec.dst is not None:
        check_column(edges, spec.src, "edges' sources")
        check_column(edges, spec.dst, "edges' targets")
        check(spec.src != spec.dst, f"the ends of the edges must be two columns, got {spec.src!r} twice")
        return spec.src, spec.dst
    by_name = {column.lower(): column for column in reversed(columns)}
    found = next(((by_name[a], by_name[b]) for a, b in ENDS if a in by_name and b in by_name), None)
    if found is None:
        listed = ", ".join(columns)
        check(len(columns) >= 2, f"{edges.name} must have a column for each end of an edge, it has {listed}")
        found = columns[0], columns[1]
    notes.append(f"{edges.name}: edges go from {found[0]!r} to {found[1]!r}")
    return found


def _target(spec: TableSpec, nodes: list[str], edges: list[str]) -> tuple[str, tuple[str, ...]]:
    if spec.level == "link":
        check(not spec.target, f"links are predicted without a target, got {spec.target}")
        return "link", ()
    for level, columns in (("node", nodes), ("edge", edges)):
        if spec.level not in (None, level):
            continue
        if spec.target and all(name in columns for name in spec.target):
            return level, spec.target
        if not spec.target and (name := find_target(columns)) is not None:
            return level, (name,)
    if spec.target:
        raise InputError(f"no table has the target {', '.join(spec.target)}: {_columns(nodes, edges)}")
    raise InputError(
        f"no column has a usual name of a target ({', '.join(NAMES)}): name it, or level='link' for links; "
        + _columns(nodes, edges)
    )


def _told(told: str | None, what: str, columns: list[str], table: Table) -> str | None:
    listed = ", ".join(columns) or "none left"
    check(told is None or told in columns, f"{table.name} has no column {told!r} for the {what}, it has {listed}")
    return told


def _weight(spec: TableSpec, columns: list[str], edges: Table, notes: list[str]) -> str | None:
    """A column of that name that holds numbers, for the most part."""
    for name in columns:
        if name.lower() not in WEIGHTS or name in spec.drop or edges.frame[name].dtype.is_nested():
            continue
        if 2 * as_numbers(edges.frame[name]).null_count() < edges.frame.height:
            notes.append(f"{edges.name}: {name!r} is the weight")
            return name
    return None


def _split(spec: TableSpec, columns: list[str], table: Table, notes: list[str]) -> str | None:
    """A column of that name that says nothing but train, val and test."""
    for name in columns:
        if name.lower() not in SPLITS or name in spec.drop or table.frame[name].dtype != pl.String:
            continue
        if table.frame[name].null_count() < table.frame.height and strange_word(table.frame[name]) is None:
            notes.append(f"{table.name}: {name!r} says what is for training, choosing and judging")
            return name
    return None


def _columns(nodes: list[str], edges: list[str]) -> str:
    return f"the nodes have {', '.join(nodes) or 'no such columns'}, the edges {', '.join(edges) or 'none'}"
