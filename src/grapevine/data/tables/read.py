"""Reads a table from CSV, TSV, Parquet, JSON lines or Arrow files, or takes a frame as it is."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from grapevine.data.tables.csv_file import read_csv
from grapevine.data.tables.json_lines import read_json_lines
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError, check


def _read_arrow(path: Path) -> pl.DataFrame:
    """Of the two layouts of Arrow, the one with a table of contents begins with its name."""
    with path.open("rb") as file:
        is_file = file.read(6) == b"ARROW1"
    return pl.read_ipc(path) if is_file else pl.read_ipc_stream(path)


_TEXT = {".csv": None, ".tsv": "\t", ".tab": "\t"}  # and what separates their fields; None: a sign in the first line
_JSON = (".jsonl", ".ndjson")
_TYPED: dict[str, Callable[..., pl.DataFrame]] = {
    ".parquet": partial(pl.read_parquet, glob=False),
    ".pq": partial(pl.read_parquet, glob=False),
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".ipc": _read_arrow,
}
SUFFIXES = (*_TEXT, *_JSON, *_TYPED)
_MOST_WIDTH = 4096  # of a column of vectors


@dataclass(frozen=True)
class Table:
    """Rows and columns, where each row stood, and the rows that could not be read.

    Args:
        name: what the table is called in messages: the file's name.
        frame: the rows. The columns of a CSV file are strings; what they mean is found by those who use them.
        lines: the line of each row in its file, counted from 1; None: row k is line `first_line` + k.
        first_line: 2 below a header, 1 where there is none, as in Parquet or a frame.
        rejects: the lines that were left out.
        notes: what was found while reading, a sentence each.
    """

    name: str
    frame: pl.DataFrame
    lines: np.ndarray | None = None
    first_line: int = 1
    rejects: Rejects = field(default_factory=Rejects)
    notes: tuple[str, ...] = ()

    def lines_at(self, rows: np.ndarray) -> np.ndarray:
        """[k] the lines of these rows."""
        return self.first_line + rows if self.lines is None else self.lines[rows]

    def __repr__(self) -> str:
        return f"Table({self.name}: {self.frame.height} rows, {', '.join(self.frame.columns)})"


def read_table(source: Any, *, name: str | None = None, separator: str | None = None) -> Table:
    """A table from a file, told by its suffix, or from a Polars or pandas frame.

    CSV and TSV files may be packed (.csv.gz, .jsonl.gz). A line of one of them, or of JSON lines, that can not be
    read or has another number of fields than the first is left out and noted in `rejects`; reading goes on. Blank
    lines count as nothing. A first line of numbers only is no header: the columns are then column_1, column_2, ...
    A column of vectors of one width becomes as many columns of numbers.

    Args:
        source: a path, a polars.DataFrame or LazyFrame, a pandas.DataFrame (a named index is a column), or a Table.
        name: what to call it in messages; by default the file's name.
        separator: what separates the fields of a text file; by default a comma, or the semicolon, tab or bar that the
            first line has instead.

    Raises:
        InputError: for a missing, empty or unreadable file, a folder, an unknown suffix, or two columns of one name.

    >>> read_table(pl.DataFrame({"id": ["a", "b"], "age": [31, 47]}), name="nodes")
    Table(nodes: 2 rows, id, age)
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | Path):
        return _from_file(Path(source), name, separator)
    return Table(name or "the table", _flat(_from_frame(source)))


def _from_file(path: Path, name: str | None, separator: str | None) -> Table:
    name = path.name if name is None else name
    kind = suffix_of(path)
    check(path.exists(), f"there is no file {path}")
    check(path.is_file(), f"{path} is a folder, a file was expected")
    try:
        is_empty = path.stat().st_size == 0
        check(not is_empty, f"{path} is empty: a table with a line of column names was expected")
        if kind in _TYPED:
            return Table(name, _flat(_typed(path, kind)))
        rejects = Rejects()
        if kind in _JSON:
            frame, lines = read_json_lines(path, name, rejects)
            return Table(name, _flat(frame), lines, 1, rejects)
        found = read_csv(path, name, _TEXT[kind] if separator is None else separator, rejects)
    except OSError as error:
        raise InputError(f"can not read {path}: {error}") from error
    return Table(name, found.frame, found.lines, found.first_line, rejects, found.notes)


def suffix_of(path: Path) -> str:
    """The kind of a table's file, without .gz; an InputError where there is none such.

    >>> suffix_of(Path("nodes.csv.gz"))
    '.csv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = suffixes[-1:] == [".gz"]
    kind = suffixes[-2] if is_packed and len(suffixes) > 1 else (suffixes or ["no suffix"])[-1]
    known = kind in SUFFIXES and not (is_packed and kind in _TYPED)
    check(known, f"{path} must end in one of {', '.join(SUFFIXES)} (the text files also in .gz), got {kind}")
    return kind


def _typed(path: Path, kind: str) -> pl.DataFrame:
    try:
        return _TYPED[kind](path)
    except pl.exceptions.DuplicateError as error:
        raise InputError(f"{path} has two columns of one name: {error}") from error
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path} is no {kind} file that can be read: {error}") from error


def _from_frame(source: Any) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    if isinstance(source, pl.LazyFrame):
        return source.collect()
    pandas = sys.modules.get("pandas")  # who has a pandas frame has imported pandas
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _from_pandas(source)
    raise InputError(f"a table must be a path or a Polars or pandas frame, got {type(source).__name__}")


def _from_pandas(frame: Any) -> pl.DataFrame:
    if any(label is not None for label in frame.index.names):
        frame = frame.reset_index()
    names = [str(column) for column in frame.columns]
    check_names("the pandas frame", names)
    columns = [_pandas_column(name, frame.iloc[:, k]) for k, name in enumerate(names)]
    return pl.DataFrame(columns)


def _pandas_column(name: str, column: Any) -> pl.Series:
    """Objects of several types become strings, so that 7 and "7" are one."""
    if column.dtype != object:
        return pl.from_pandas(column).alias(name)
    values = [None if value is None or value != value else value for value in column]
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError, OverflowError):
        return pl.Series(name, [None if value is None else str(value) for value in values])


def check_names(what: str, names: list[str]) -> None:
    """Raise an InputError where two columns have one name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    check(not twice, f"{what} has two columns of the name {', '.join(map(repr, twice))}: rename one of them")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """With a column for each place of a column of vectors, where all have one width."""
    columns = []
    for column in frame.iter_columns():
        width = _width(column)
        if width is None:
            columns.append(column)
            continue
        column = column.list.to_array(width) if isinstance(column.dtype, pl.List) else column
        columns += [column.arr.get(k).alias(f"{column.name}_{k}") for k in range(width)]
    names = [column.name for column in columns]
    return frame if names == frame.columns else pl.DataFrame(columns) if len(set(names)) == len(names) else frame


def _width(column: pl.Series) -> int | None:
    dtype = column.dtype
    if not isinstance(dtype, pl.List | pl.Array) or not dtype.inner.is_numeric():  # pyright: ignore[reportAttributeAccessIssue]
        return None
    lengths = (column.list.len() if isinstance(dtype, pl.List) else column.arr.len()).drop_nulls().unique()
    return int(lengths[0]) if len(lengths) == 1 and 0 < lengths[0] <= _MOST_WIDTH else None
