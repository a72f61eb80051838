"""Makes a graph of a table of nodes and a table of edges, under the users' own names of the nodes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.split import Split
from grapevine.data.tables.edges import EdgeList, edge_list
from grapevine.data.tables.encoder import Encoder, EncodingReport
from grapevine.data.tables.identifiers import Identifiers
from grapevine.data.tables.kinds import find_kind
from grapevine.data.tables.marks import split_of, times_of
from grapevine.data.tables.parse import as_numbers
from grapevine.data.tables.read import Table, read_table
from grapevine.data.tables.rejects import Rejects
from grapevine.data.tables.rows import Rows
from grapevine.data.tables.spec import TableSpec, check_column, resolve
from grapevine.data.tables.table_graph import TableEncoders, TableGraph
from grapevine.data.tables.target import Target
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph

_STEPS = 4
_UNKNOWN = "an edge to an unknown node"


def tables_to_graph(
    nodes: Any,
    edges: Any,
    spec: TableSpec | None = None,
    *,
    encoders: TableEncoders | None = None,
    on_progress: Progress | None = None,
) -> TableGraph:
    """A graph of two tables.

    An edge is kept once, from the first row that names it, and is there in both directions unless the spec says that
    it is directed. Bad rows are left out and listed: a node without a name or with one that stood before, an edge to
    an unknown node, a number that can not be read. Without a table of nodes they are those that the edges name.
    Features are encoded as `Encoder` says, fitted on all rows that stay; where the nodes have none, x is the logarithm
    of 1 + degree.

    Args:
        nodes, edges: tables, or what `read_table` takes; nodes may be None.
        spec: which column is what; by default all is found by name.
        encoders: of a former call, to read new tables in the same way; then the target may be absent.
        on_progress: called with what is being done, how many steps are done, and how many there are.

    Raises:
        InputError: for a column that is not there, no target, or a graph without nodes or edges.

    >>> people = pl.DataFrame({"id": ["ann", "bob", "eve"], "age": [31, 47, 39], "label": ["x", "y", None]})
    >>> made = tables_to_graph(people, pl.DataFrame({"from": ["ann", "bob"], "to": ["bob", "zoe"]}))
    >>> made.graph, made.graph.y.tolist()
    (Graph(3 nodes, 2 edges; node: x [3, 1], y [3]), [0, 1, -1])
    >>> made.rejects.first()
    ['the edges, line 2: an edge to an unknown node (to: zoe): bob,zoe']
    """
    told = _Steps(on_progress)
    node_table = None if nodes is None else read_table(nodes, name=_name(nodes, "the nodes"))
    edge_table = read_table(edges, name=_name(edges, "the edges"))
    spec, notes = _spec(node_table, edge_table, spec, encoders)
    rejects = Rejects()
    for table in (node_table, edge_table):
        if table is not None:
            rejects.extend(table.rejects)
            notes += table.notes
    told.step("nodes")
    ids, node_part = _node_part(node_table, edge_table, spec, encoders, rejects)
    told.step("edges")
    edge_part, listed = _edge_part(edge_table, ids, spec, encoders, rejects)
    told.step("graph")
    graph = _assemble(spec, node_part, edge_part, listed)
    told.step("graph")
    used = TableEncoders(
        spec=spec, has_nodes=node_table is not None, node=node_part.encoder, edge=edge_part.encoder,
        target=node_part.target or edge_part.target,
    )  # fmt: skip
    notes += _notes(used, node_part, edge_part, listed, is_new=encoders is None)
    return TableGraph(
        graph, spec.level or "node", ids, used, rejects, tuple(notes),
        _counts(listed, edge_part if spec.level == "edge" else node_part), _split(spec, node_part, edge_part, listed),
        node_part.report, edge_part.report, torch.from_numpy(edge_part.place)[listed.rows],
    )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """What one table gives, a row for each that stays."""

    name: str
    place: np.ndarray  # of each row in the table
    encoder: Encoder | None = None
    x: Tensor | None = None
    report: EncodingReport | None = None
    target: Target | None = None
    y: Tensor | None = None
    unknown: int = 0  # answers that are no class of the target
    time: Tensor | None = None
    weight: Tensor | None = None
    split: dict[str, Tensor] | None = None


class _Steps:
    def __init__(self, on_progress: Progress | None):
        self.on_progress, self.done = on_progress, 0

    def step(self, what: str) -> None:
        if self.on_progress is not None:
            self.on_progress(f"reading the {what}", self.done, _STEPS - 1)
        self.done += 1


def _name(source: Any, default: str) -> str | None:
    return default if hasattr(source, "columns") or isinstance(source, pl.LazyFrame) else None


def _spec(
    nodes: Table | None, edges: Table, spec: TableSpec | None, encoders: TableEncoders | None
) -> tuple[TableSpec, list[str]]:
    check(edges.frame.height > 0, f"{edges.name} has no rows that can be read: a graph needs edges")
    if encoders is None:
        return resolve(spec or TableSpec(), nodes, edges)
    check(spec is None, "give the spec or the encoders, which hold one, not both")
    _check_again(encoders, nodes, edges)
    return encoders.spec, []


def _check_again(encoders: TableEncoders, nodes: Table | None, edges: Table) -> None:
    """That tables to predict on have what the model was trained with."""
    spec = encoders.spec
    check(encoders.has_nodes == (nodes is not None), "give a table of nodes if and only if there was one at training")
    if nodes is not None:
        check_column(nodes, spec.id, "nodes' names")
        if encoders.node is not None:
            encoders.node.check_columns(nodes.name, nodes.frame)
    check_column(edges, spec.src, "edges' sources")
    check_column(edges, spec.dst, "edges' targets")
    if spec.weight is not None:
        check_column(edges, spec.weight, "edges' weights")
    if encoders.edge is not None:
        encoders.edge.check_columns(edges.name, edges.frame)


def _node_part(
    nodes: Table | None, edges: Table, spec: TableSpec, encoders: TableEncoders | None, rejects: Rejects
) -> tuple[Identifiers, _Part]:
    if nodes is None:
        ends = [edges.frame[name] for name in (spec.src, spec.dst) if name is not None]
        texts = [Identifiers.keys(end) for end in ends]
        both = texts if texts[0].dtype == texts[1].dtype else [text.cast(pl.String) for text in texts]
        ids = Identifiers(pl.concat([key.alias("id") for key in both]).drop_nulls().unique(maintain_order=True))
        check(len(ids) > 0, f"{edges.name} names no node in {spec.src!r} and {spec.dst!r}")
        return ids, _Part("the nodes", np.arange(len(ids)))
    rows = Rows(nodes, rejects)
    names = nodes.frame[spec.id or ""]
    missing, repeated = Identifiers.first_of(names)
    rows.reject(missing, "a node without a name")
    rows.reject(repeated, "a duplicate identifier", spec.id)
    part = _part(rows, spec, encoders, "node")
    why = "; ".join(rejects.first(2))
    check(len(part.place) > 0, f"{nodes.name} has no good row, so the graph has no nodes" + (f": {why}" if why else ""))
    return Identifiers(names[part.place]), part


def _edge_part(
    edges: Table, ids: Identifiers, spec: TableSpec, encoders: TableEncoders | None, rejects: Rejects
) -> tuple[_Part, EdgeList]:
    rows = Rows(edges, rejects)
    ends = []
    for name in (spec.src or "", spec.dst or ""):
        keys = edges.frame[name]
        number = ids.lookup(keys)
        is_unknown = number < 0
        if is_unknown.any():
            missing = Identifiers.first_of(keys)[0]
            rows.reject(missing, "an edge without one of its ends", name)
            rows.reject(is_unknown, _UNKNOWN, name)
        ends.append(number)
    why = f"as {rejects.first(1)[0]}; the nodes have names as {ids.names[0]!r}" if len(rejects) else ""
    check(bool(rows.is_good.any()), f"{edges.name} has no edge between two known nodes: {why}")
    part = _part(rows, spec, encoders, "edge")
    check(len(part.place) > 0, f"{edges.name} has no good row, so the graph has no edges")
    src, dst = (number if rows.is_good.all() else number[part.place] for number in ends)
    return part, edge_list(src, dst, len(ids), directed=spec.directed)


def _part(rows: Rows, spec: TableSpec, encoders: TableEncoders | None, level: Literal["node", "edge"]) -> _Part:
    """Reject what can not be read, then encode the rows that stay."""
    table = rows.table
    features = spec.node_features(table.frame.columns) if level == "node" else spec.edge_features(table.frame.columns)
    encoder = None if encoders is None else (encoders.node if level == "node" else encoders.edge)
    if encoders is None:
        found = {name: find_kind(table.frame[name], spec.kinds.get(name)) for name in features}
    else:
        found = {} if encoder is None else encoder.found()
    rows.reject_unreadable(found)
    target = _target(rows, spec, encoders) if spec.level == level else None
    weight = spec.weight if level == "edge" else None
    if weight is not None:
        rows.reject(as_numbers(table.frame[weight]).is_null().to_numpy(), "no weight that can be read", weight)
    frame = rows.frame()
    if encoders is None and features:
        options = {"max_categories": spec.max_categories, "text_width": spec.text_width}
        encoder = Encoder.fit(frame.select(features), kinds=found, **options)
    x, report = (None, None) if encoder is None or encoder.width == 0 else encoder.transform(frame)
    y, unknown = (None, 0) if target is None else _answers(target, frame)
    return _Part(
        table.name, rows.good(), encoder, x, report, target, y, unknown,
        times_of(frame, spec.time),
        None if weight is None else torch.from_numpy(as_numbers(frame[weight]).to_numpy().astype(np.float32)),
        split_of(frame, spec.split, table.name) if (spec.level == "edge") == (level == "edge") else None,
    )  # fmt: skip


def _target(rows: Rows, spec: TableSpec, encoders: TableEncoders | None) -> Target | None:
    frame = rows.table.frame
    target = encoders.target if encoders is not None else Target.infer(frame, spec.target, kind=spec.target_kind)
    if target is not None and all(name in frame.columns for name in target.columns):
        for column in target.unreadable(frame).iter_columns():
            rows.reject(column.to_numpy(), "an unreadable target", column.name)
    return target


def _answers(target: Target, frame: pl.DataFrame) -> tuple[Tensor, int]:
    if not all(name in frame.columns for name in target.columns):
        return target.empty(frame.height), 0
    return target.encode(frame)


def _assemble(spec: TableSpec, nodes: _Part, edges: _Part, made: EdgeList) -> Graph:
    node = {"x": _degrees(made.adj, spec.directed) if nodes.x is None else nodes.x}
    if nodes.time is not None:
        node["time"] = nodes.time
    held = {"edge_attr": edges.x, "edge_weight": edges.weight, "time": edges.time, "y": edges.y}
    edge = {name: tensor[made.rows] for name, tensor in held.items() if tensor is not None}
    if nodes.y is not None:
        node["y"] = nodes.y
    return Graph(made.adj, node=node, edge=edge)


def _degrees(adj: Adjacency, directed: bool) -> Tensor:
    degrees = [adj.in_degree, adj.out_degree] if directed else [adj.in_degree]
    return torch.stack(degrees, dim=1).float().log1p()


def _split(spec: TableSpec, nodes: _Part, edges: _Part, listed: EdgeList) -> Split | None:
    if spec.level == "edge":
        masks = {} if edges.split is None else {name: mask[listed.rows] for name, mask in edges.split.items()}
    else:
        masks = nodes.split or {}
    return Split(masks["train"], masks["val"], masks["test"]) if masks else None


def _counts(made: EdgeList, part: _Part) -> dict[str, int]:
    counts = {"repeated edges": made.repeated, "reversed edges": made.reversed, "self-loops": made.loops}
    if part.y is not None:
        is_known = part.y >= 0 if not part.y.is_floating_point() else ~part.y.isnan()
        counts["known answers"] = int((is_known.flatten(1).any(1) if is_known.ndim > 1 else is_known).sum())
        counts["unknown answers"] = part.unknown
    return counts


def _notes(encoders: TableEncoders, nodes: _Part, edges: _Part, made: EdgeList, *, is_new: bool) -> list[str]:
    notes = []
    for part in (nodes, edges):
        if part.encoder is not None and is_new:
            notes += [f"{part.name}: {note}" for note in part.encoder.notes]
        if part.report is not None:
            notes += part.report.notes(part.name)
        if part.unknown:
            notes.append(f"{part.name}: {part.unknown} answers are no class that is known, and count as missing")
    if is_new and encoders.target is not None:
        notes.append(encoders.target.reason)
    if encoders.uses_degree and is_new:
        notes.append(f"the nodes have no features: x is {' and '.join(encoders.node_names)}")
    ways = "one direction" if encoders.spec.directed else "both directions"
    notes.append(f"the graph has {made.adj.num_nodes} nodes; its edges run in {ways}, {made.adj.num_edges} arcs in all")
    if made.reversed:
        notes.append(f"{made.reversed} edges stand in the table in both directions; the first row counts")
    if made.repeated > made.reversed:
        notes.append(f"{made.repeated - made.reversed} edges are repeated; the first row counts")
    if made.loops:
        notes.append(f"{made.loops} edges go from a node to itself")
    return notes
