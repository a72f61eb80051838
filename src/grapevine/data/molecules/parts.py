"""The parts of a file of molecules while workers parse them, before anything is made of them.

The workers begin when the parts are asked for, so a program can ask first and import PyTorch then: this file must not.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from grapevine.data.molecules.files import open_in_parts
from grapevine.data.molecules.parse import Parsed
from grapevine.data.molecules.spec import MoleculeSpec, molecule_column
from grapevine.data.molecules.workers import parse_chunks
from grapevine.data.tables.read import Table
from grapevine.errors import check

PART_ROWS = 2048


@dataclass(frozen=True)
class ParsedParts:
    """A file's parts, in order.

    Args:
        first: the first of the tables, which has the columns of all.
        notes: what was found, a sentence each.
        parts: each table, and what was parsed of it; they can be taken once.
    """

    first: Table
    notes: tuple[str, ...]
    parts: Iterator[tuple[Table, Parsed]]


def start_parsing(
    source: Any, spec: MoleculeSpec, *, part_rows: int = PART_ROWS, workers: int | None = None
) -> ParsedParts:
    """Open a file, or a frame, and let workers parse its first parts.

    Raises:
        InputError: for a file or column that is not there.

    >>> started = start_parsing(pl.DataFrame({"smiles": ["C", "?", "CC"]}), MoleculeSpec(), part_rows=2)
    >>> [parsed.rows.tolist() for _, parsed in started.parts]
    [[0], [0]]
    """
    check(part_rows >= 1, f"a part must have 1 row or more, got {part_rows}")
    tables = open_in_parts(source, part_rows)
    first = next(tables)
    notes = list(first.notes)
    column, form = molecule_column(spec, first, notes, strict=False)
    waiting: deque[Table] = deque()

    def texts() -> Iterator[list[str | None]]:
        for table in chain([first], tables):
            waiting.append(_with_columns(table, first))
            yield texts_of(table, column)

    parsed = parse_chunks(texts(), spec.options(form), workers=workers)
    return ParsedParts(first, tuple(notes), ((waiting.popleft(), part) for part in parsed))


def texts_of(table: Table, column: str) -> list[str | None]:
    """A column as texts."""
    return table.frame[column].cast(pl.String).to_list()


def saved_spec(folder: Path | str) -> MoleculeSpec | None:
    """What a saved model's molecules were read by; None if it was not trained on molecules, or is no model."""
    path = Path(folder) / "encoder.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return MoleculeSpec.model_validate(told["spec"])
    except (OSError, ValueError, TypeError, KeyError):  # whoever reads the model says what is wrong with it
        return None


def _with_columns(table: Table, first: Table) -> Table:
    """With an empty column for each property that no record of this part of an SDF file has."""
    absent = [pl.lit(None, pl.String).alias(name) for name in first.frame.columns if name not in table.frame.columns]
    return replace(table, frame=table.frame.with_columns(absent)) if absent else table
