"""What comes of a table of molecules: a batch of graphs, the row of each, and why the other rows are no graph."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Int
from torch import Tensor

from grapevine.data.dataset import Dataset
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.features import pack_to_graph
from grapevine.data.molecules.files import BLOCK
from grapevine.data.molecules.parse import Parsed
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.split import Split
from grapevine.data.tables.encoder import Encoder
from grapevine.data.tables.kinds import find_kind
from grapevine.data.tables.marks import split_of
from grapevine.data.tables.parse import as_text
from grapevine.data.tables.read import Table
from grapevine.data.tables.rejects import Rejects, row_text
from grapevine.data.tables.rows import Rows
from grapevine.data.tables.target import Target
from grapevine.errors import check
from grapevine.graph import Graph

_UNREADABLE = "an unreadable molecule"


@dataclass(frozen=True)
class MoleculeTable:
    """Molecules as graphs, and where they came from.

    Args:
        graph: a batch: x, z, edge_attr; pos where every molecule has places; y (-1 or NaN where it is not known) where
            there are targets, and `features` where columns join.
        encoders: what the table was read by, for the next one.
        row_of: [g] the row of each molecule, counted from 0.
        num_rows: how many rows there are.
        reasons: by row, why it is no molecule.
        names: [num_rows] the user's own name of each row, or its number.
        smiles: [g] of each molecule.
        rejects: the rows left out, with their lines.
        notes: what was found and inferred, a sentence each.
        split: from a column that says train, val and test.
        first_row: where this part of a file begins that is read in parts.
    """

    graph: Graph
    encoders: MoleculeEncoders
    row_of: Int[np.ndarray, " g"]
    num_rows: int
    reasons: dict[int, str]
    names: np.ndarray
    smiles: tuple[str, ...]
    rejects: Rejects
    notes: tuple[str, ...]
    split: Split | None = None
    first_row: int = 0

    @property
    def target(self) -> Target | None:
        return self.encoders.target

    @property
    def ids(self) -> np.ndarray:
        """[g] the user's own name of each molecule."""
        return self.names[self.row_of]

    def dataset(self, name: str) -> Dataset:
        """As the recipes take it."""
        splits = () if self.split is None else (self.split,)
        class_names = None if self.target is None else self.target.class_names
        return Dataset(name, self.graph, "graph", splits, self.ids, class_names)

    def __repr__(self) -> str:
        return f"MoleculeTable({self.graph.num_graphs} molecules of {self.num_rows} rows; {self.rejects})"


def make_table(
    table: Table, parsed: Parsed, encoders: MoleculeEncoders | MoleculeSpec, *, notes: list[str], first_row: int = 0
) -> MoleculeTable:
    """Join what was parsed with the other columns of its rows.

    Of a spec the encoders are made here, from the rows that stay; bad targets are then bad rows. Of encoders they are
    as given, targets may be absent, and only what a prediction needs can make a row bad.

    Raises:
        InputError: if no row is left to learn from.
    """
    is_new = isinstance(encoders, MoleculeSpec)
    spec = encoders if isinstance(encoders, MoleculeSpec) else encoders.spec
    own = replace(table, frame=table.frame.drop(BLOCK, strict=False))
    rows = Rows(own, Rejects())
    _reject_molecules(rows, parsed)
    if isinstance(encoders, MoleculeSpec):
        encoders = _fitted(rows, encoders)
        notes = notes + _told(encoders)
    else:
        rows.reject_unreadable({} if encoders.features is None else encoders.features.found())
    graph = pack_to_graph(_chosen(parsed, rows), spec.feature_set)
    tensors, more = _graph_tensors(rows, encoders)
    if BLOCK in table.frame.columns and parsed.packed.pos is None:
        more.append(f"{table.name}: not every molecule has places in three dimensions, so none are kept")
    masks = split_of(rows.frame(), spec.split, table.name) if is_new else None
    rejects = Rejects()
    rejects.extend(table.rejects)
    rejects.extend(rows.rejects)
    return MoleculeTable(
        graph=graph.replace(graph=tensors),
        encoders=encoders,
        row_of=rows.good(),
        num_rows=own.frame.height,
        reasons=_reasons(rows, parsed),
        names=_names(own.frame, spec.id, first_row),
        smiles=tuple(np.array(parsed.smiles, object)[rows.is_good[parsed.rows]]),
        rejects=rejects,
        notes=(*notes, *more),
        split=None if masks is None else Split(masks["train"], masks["val"], masks["test"]),
        first_row=first_row,
    )


def _graph_tensors(rows: Rows, encoders: MoleculeEncoders) -> tuple[dict[str, Tensor], list[str]]:
    """The features and answers of the rows that stay, and what is to be said of them."""
    frame, name = rows.frame(), rows.table.name
    tensors: dict[str, Tensor] = {}
    notes = []
    if encoders.features is not None and encoders.features.width > 0:
        tensors["features"], report = encoders.features.transform(frame)
        notes += report.notes(name)
    target = encoders.target
    if target is not None:
        is_there = all(column in frame.columns for column in target.columns)
        tensors["y"], unknown = target.encode(frame) if is_there else (target.empty(frame.height), 0)
        notes += [f"{name}: {unknown} answers are unknown, and count as missing"] * (unknown > 0)
    return tensors, notes


def _reject_molecules(rows: Rows, parsed: Parsed) -> None:
    bad = np.array(sorted(parsed.reasons), np.int64)
    rows.is_good[bad] = False
    details = pl.Series([parsed.reasons[row] for row in bad.tolist()], dtype=pl.String)
    frame = rows.table.frame[bad]
    rows.rejects.add(_UNREADABLE, rows.table.name, rows.table.lines_at(bad), row_text(frame), details)


def _fitted(rows: Rows, spec: MoleculeSpec) -> MoleculeEncoders:
    """Reject what can not be read, and fit the encoders on the rows that stay."""
    frame = rows.table.frame
    found = {name: find_kind(frame[name], spec.kinds.get(name)) for name in spec.features}
    rows.reject_unreadable(found)
    _check_left(rows)
    target = None
    if spec.targets:
        target = Target.infer(rows.frame(), spec.targets, kind=spec.target_kind)
        for column in target.unreadable(frame).iter_columns():
            rows.reject(column.to_numpy(), "an unreadable target", column.name)
        _check_left(rows)
    features = Encoder.fit(rows.frame().select(spec.features), kinds=found) if spec.features else None
    return MoleculeEncoders(spec=spec, features=features, target=target)


def _check_left(rows: Rows) -> None:
    why = "; ".join(rows.rejects.first(2))
    check(bool(rows.is_good.any()), f"{rows.table.name} has no row that can be used{': ' * bool(why)}{why}")


def _told(encoders: MoleculeEncoders) -> list[str]:
    return [
        *([] if encoders.features is None else encoders.features.notes),
        *([] if encoders.target is None else [encoders.target.reason]),
    ]


def _chosen(parsed: Parsed, rows: Rows):
    is_kept = rows.is_good[parsed.rows]
    return parsed.packed if is_kept.all() else parsed.packed.take(is_kept.nonzero()[0])


def _reasons(rows: Rows, parsed: Parsed) -> dict[int, str]:
    """Why each row is left out, in words."""
    bad = (~rows.is_good).nonzero()[0]
    row_of_line = dict(zip(rows.table.lines_at(bad).tolist(), bad.tolist(), strict=True))
    said = rows.rejects.frame.select("line", "reason", "detail").rows()
    words = {row_of_line[line]: f"{reason} ({detail})" if detail else reason for line, reason, detail in said}
    return {
        row: f"{_UNREADABLE} ({parsed.reasons[row]})" if row in parsed.reasons else words[row] for row in bad.tolist()
    }


def _names(frame: pl.DataFrame, column: str | None, first_row: int) -> np.ndarray:
    """The users' own names as objects, None where one is missing; or the numbers of the rows."""
    if column is None or column not in frame.columns:
        return np.arange(first_row, first_row + frame.height)
    return as_text(frame[column]).to_numpy()
