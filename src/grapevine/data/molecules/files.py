"""Opens files of molecules as tables: tables with a column of SMILES or InChI, SMILES files, and SDF files.

An SDF file becomes a table whose column `BLOCK` holds the mol block of each record, beside a column for each property.
"""

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from grapevine.data.tables.read import SUFFIXES, Table, read_table
from grapevine.errors import InputError, check

BLOCK = "mol block"
TITLE = "title"
SMILES = ("smiles", "canonical_smiles", "isomeric_smiles", "smi", "mol_smiles", "mol", "molecule", "structure")
INCHI = ("inchi", "standard_inchi")
_SMILES_FILES = (".smi", ".smiles", ".txt", ".ism")
_SDF_FILES = (".sdf", ".sd")
_Record = TypeVar("_Record")
_PROPERTY = re.compile(r"^>.*<([^>]*)>")


def open_molecules(source: Any) -> Table:
    """All rows of a file of molecules, or of a frame.

    Raises:
        InputError: for a missing or empty file, or one of an unknown kind.
    """
    if not isinstance(source, str | Path):
        return read_table(source)
    kind = _kind(Path(source))
    if kind in _SMILES_FILES + _SDF_FILES:
        return next(open_in_parts(source, None))
    return read_table(source)


def open_in_parts(source: Any, rows: int | None) -> Iterator[Table]:
    """The same, at most so many rows at a time; only of tables is the whole text held, of CSV and JSON lines."""
    if not isinstance(source, str | Path) or _kind(Path(source)) not in _SMILES_FILES + _SDF_FILES:
        table = open_molecules(source)
        step = rows or max(table.frame.height, 1)
        for start in range(0, max(table.frame.height, 1), step):
            yield _slice(table, start, step)
        return
    path = Path(source)
    if _kind(path) in _SMILES_FILES:
        yield from _in_parts(path, _smiles_lines(path), rows, _smiles_table)
    else:
        yield from _in_parts(path, _sdf_records(path), rows, _sdf_table)


def is_sdf(table: Table) -> bool:
    """Whether the molecules are mol blocks."""
    return BLOCK in table.frame.columns


def _in_parts(
    path: Path, records: Iterator[_Record], rows: int | None, make: Callable[[str, list[_Record]], Table]
) -> Iterator[Table]:
    for part in count():
        try:
            chosen = list(islice(records, rows))
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path} can not be read: {error}") from error
        check(part > 0 or len(chosen) > 0, f"{path} is empty: molecules were expected")
        if not chosen:
            return
        yield make(path.name, chosen)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    own = _SMILES_FILES + _SDF_FILES
    known = kind in own or kind in SUFFIXES
    check(known, f"{path} must end in one of {', '.join(own + SUFFIXES)}, got {kind or 'no suffix'}")
    check(path.is_file(), f"there is no file {path}")
    return kind


def _slice(table: Table, start: int, rows: int) -> Table:
    lines = None if table.lines is None else table.lines[start : start + rows]
    return replace(table, frame=table.frame[start : start + rows], lines=lines, first_line=table.first_line + start)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            yield number, line.rstrip("\r\n")


def _smiles_lines(path: Path) -> Iterator[tuple[int, str, str | None]]:
    """The line, the SMILES and the name; a line of column names and blank lines are left out."""
    for number, line in _lines(path):
        smiles, _, name = line.strip().replace("\t", " ").partition(" ")
        if smiles and not (number == 1 and smiles.lower() in SMILES):
            yield number, smiles, name.strip() or None


def _smiles_table(name: str, records: list[tuple[int, str, str | None]]) -> Table:
    lines, smiles, names = zip(*records, strict=True)
    columns = {"smiles": pl.Series(smiles, dtype=pl.String)}
    if any(own is not None for own in names):
        columns["name"] = pl.Series(names, dtype=pl.String)
    return Table(name, pl.DataFrame(columns), np.array(lines))


def _sdf_records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The line that each record begins at, and its mol block, title and properties."""
    begin, held = 1, []
    for number, line in _lines(path):
        if line.startswith("$$$$"):
            yield begin, _sdf_record(held)
            begin, held = number + 1, []
        else:
            held.append(line)
    if any(line.strip() for line in held):
        yield begin, _sdf_record(held)


def _sdf_record(lines: list[str]) -> dict[str, str]:
    last = next((k for k, line in enumerate(lines) if line.startswith("M  END")), len(lines) - 1) + 1
    record = {BLOCK: "\n".join(lines[:last]) + "\n"}
    if lines and lines[0].strip():
        record[TITLE] = lines[0].strip()
    name, said = None, []
    for line in [*lines[last:], ""]:  # a value ends at a blank line
        found = _PROPERTY.match(line) if name is None else None
        if found is not None:
            name, said = found.group(1), []
        elif name is not None and line.strip():
            said.append(line)
        elif name is not None:
            record.setdefault(name, "\n".join(said))
            name = None
    return record


def _sdf_table(name: str, records: list[tuple[int, dict[str, str]]]) -> Table:
    names = list(dict.fromkeys(key for _, record in records for key in record))
    columns = {key: pl.Series([record.get(key) for _, record in records], dtype=pl.String) for key in names}
    return Table(name, pl.DataFrame(columns), np.array([line for line, _ in records]))
