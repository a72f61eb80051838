"""Reads a CSV file: as a whole by Polars where it is good, and line by line around its bad lines where it is not.

A file is good if Polars reads it and its last column has no gap: a line that is too short leaves one there. Else every
line's fields are counted, by operations on the column of all lines; only quoted fields that run over several lines
are followed one by one.
"""

import csv
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError, check

_HEAD = 1 << 16  # bytes that hold the first line
_MOST_JOINED = 10_000  # lines of one quoted field
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_WRONG = "wrong number of fields"


@dataclass(frozen=True)
class CsvFile:
    """The rows as strings, their lines (None: one a line from `first_line` on) and what was found."""

    frame: pl.DataFrame
    lines: np.ndarray | None
    first_line: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Header:
    names: list[str]
    separator: str
    lines: int  # that it takes; 0: there is none


def read_csv(path: Path, name: str, separator: str | None, rejects: Rejects) -> CsvFile:
    """The file's rows; bad lines go to `rejects`. OSError and InputError where there is nothing to read."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    content = _decoded(path) if head[:2] in _MARKS else None
    if head[:2] == b"\x1f\x8b":
        head = _unpacked(path, _HEAD)
    header = _header(path, head if content is None else content[:_HEAD], separator)
    notes = () if header.lines else (f"{name} has no line of column names: its columns are {header.names}",)
    frame = _fast(path if content is None else content, header)
    if frame is None:
        content = content if content is not None else _whole(path)
        frame, lines = _line_by_line(content, header, name, rejects)
    else:
        lines = _lines(frame, header)
    is_blank = frame.select(pl.all_horizontal(pl.all().is_null())).to_series() if frame.height else pl.Series([False])
    if is_blank.any():
        kept = (~is_blank).to_numpy()
        lines = (np.arange(len(kept)) + header.lines + 1 if lines is None else lines)[kept]
        frame = frame.filter(~is_blank)
    return CsvFile(frame, lines, header.lines + 1, notes)


def _decoded(path: Path) -> bytes:
    try:
        return path.read_bytes().decode("utf-16").encode()
    except UnicodeError as error:
        raise InputError(f"{path} begins like UTF-16 and is not: {error}; save it as UTF-8") from error


def _unpacked(path: Path, size: int = -1) -> bytes:
    try:
        with gzip.open(path) as file:
            return file.read(size)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise InputError(f"{path} can not be unpacked: {error}") from error


def _whole(path: Path) -> bytes:
    content = path.read_bytes()
    return _unpacked(path) if content[:2] == b"\x1f\x8b" else content


def _header(path: Path, head: bytes, separator: str | None) -> _Header:
    text = head.decode("utf-8-sig", errors="replace")
    check(text.strip() != "", f"{path} is empty: a table with a line of column names was expected")
    check("\0" not in text, f"{path} is no text file: it holds zero bytes")
    before = len(text) - len(text.lstrip("\r\n"))
    check(before == 0, f"{path} must begin with a line of column names, its first line is blank")
    if separator is None:
        line = text.splitlines()[0]
        separator = "," if "," in line else max(";\t|", key=line.count)
        separator = separator if separator in line else ","
    check(len(separator) == 1, f"the separator must be one character, got {separator!r}")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    fields = [field.strip() for field in next(reader)]
    if all(re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", field) for field in fields):
        return _Header([f"column_{k + 1}" for k in range(len(fields))], separator, 0)
    names = [field or f"column_{k + 1}" for k, field in enumerate(fields)]
    twice = sorted({name for name in names if names.count(name) > 1})
    check(not twice, f"{path} has two columns of the name {', '.join(map(repr, twice))}: rename one of them")
    return _Header(names, separator, reader.line_num)


def _fast(source: Path | bytes, header: _Header) -> pl.DataFrame | None:
    """All rows by Polars' own reader, or None if it can not read them or a line may be too short."""
    try:
        frame = _polars(source, header)
    except pl.exceptions.PolarsError:
        return None
    if frame.width != len(header.names):
        return None
    frame.columns = header.names
    frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    is_gap = frame[:, -1].is_null() & frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return None if frame.width > 1 and is_gap.any() else frame


def _polars(source: Path | bytes, header: _Header) -> pl.DataFrame:
    return pl.read_csv(
        source, has_header=header.lines > 0, separator=header.separator, infer_schema=False, glob=False,
        raise_if_empty=False,
    )  # fmt: skip


def _lines(frame: pl.DataFrame, header: _Header) -> np.ndarray | None:
    """The line of each row, where quoted fields run over several lines; None if none does."""
    counts = [column.str.count_matches("\n", literal=True).fill_null(0) for column in frame.iter_columns()]
    more = sum((count.to_numpy().astype(np.int64) for count in counts), np.zeros(frame.height, np.int64))
    if not more.any():
        return None
    return header.lines + 1 + np.arange(frame.height) + np.cumsum(more) - more


def _line_by_line(content: bytes, header: _Header, name: str, rejects: Rejects) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows of the good lines and where they stand; the bad ones are rejected."""
    text = _physical_lines(content)[header.lines :]
    number = pl.Series(np.arange(len(text)) + header.lines + 1)
    records, number = _records(text, number, header.separator)
    is_utf8 = ~records.str.contains("\ufffd", literal=True)
    fields = _without_quoted(records, header.separator).str.count_matches(header.separator, literal=True) + 1
    width = len(header.names)
    is_open = _without_quoted(records, header.separator).str.contains(_open(header.separator))
    is_blank = records.str.strip_chars() == ""
    is_good = (fields == width) & is_utf8 & ~is_open & ~is_blank
    problems = {
        "not UTF-8": (~is_utf8, None),
        "a quote that is not closed": (is_open & is_utf8, None),
        _WRONG: (
            (fields != width) & is_utf8 & ~is_open & ~is_blank,
            pl.select(pl.concat_str(pl.lit(fields), pl.lit(f" instead of {width}"))).to_series(),
        ),
    }
    for reason, (mask, details) in problems.items():
        chosen = None if details is None else details.filter(mask)
        rejects.add(reason, name, number.filter(mask).to_numpy(), records.filter(mask), chosen)
    return _parsed(records.filter(is_good), number.filter(is_good).to_numpy(), header, name, rejects)


def _parsed(
    records: pl.Series, lines: np.ndarray, header: _Header, name: str, rejects: Rejects
) -> tuple[pl.DataFrame, np.ndarray]:
    """The fields of records that have the right number of them; those with stray quotes go the slow way."""
    is_odd = records.str.contains('"', literal=True).to_numpy()
    is_plain = ~is_odd
    plain = _split(records.filter(pl.Series(is_plain)), header)
    rows, is_read = _by_module(records.filter(pl.Series(is_odd)).to_list(), header)
    odd_lines, odd = lines[is_odd], records.filter(pl.Series(is_odd))
    rejects.add(
        "a quote that is not closed", name, odd_lines[~is_read], odd.filter(pl.Series(~is_read, dtype=pl.Boolean))
    )
    quoted = pl.DataFrame(rows, schema=dict.fromkeys(header.names, pl.String), orient="row")
    place = np.concatenate([lines[is_plain], odd_lines[is_read]])
    order = np.argsort(place, kind="stable")
    return pl.concat([plain, quoted])[order], place[order]


def _split(records: pl.Series, header: _Header) -> pl.DataFrame:
    parts = records.str.split(header.separator).list.to_array(len(header.names))
    columns = [parts.arr.get(k).alias(name) for k, name in enumerate(header.names)]
    return pl.DataFrame([column.set(column == "", None) for column in columns])


def _by_module(records: list[str], header: _Header) -> tuple[list[list[str | None]], np.ndarray]:
    rows, is_read = [], np.zeros(len(records), bool)
    for k, record in enumerate(records):
        try:
            fields = next(csv.reader(io.StringIO(record, newline=""), delimiter=header.separator))
        except csv.Error:
            continue
        if len(fields) == len(header.names):
            rows.append([field or None for field in fields])
            is_read[k] = True
    return rows, is_read


def _physical_lines(content: bytes) -> pl.Series:
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode(errors="replace").encode()
    lines = pl.read_lines(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf"))).to_series()
    return lines.str.strip_suffix("\r")


def _records(text: pl.Series, number: pl.Series, separator: str) -> tuple[pl.Series, pl.Series]:
    """The lines, those that a quoted field runs over joined; a quote that nothing closes stays on its line."""
    starts = _without_quoted(text, separator).str.contains(_open(separator)).to_numpy().nonzero()[0]
    if len(starts) == 0:
        return text, number
    goes_on, done = np.zeros(len(text), bool), -1
    joined: dict[int, str] = {}
    for start in starts.tolist():
        if start <= done:
            continue
        end = _closing(text, start, separator)
        if end is not None:
            goes_on[start + 1 : end + 1] = True
            joined[start], done = "\n".join(text[start : end + 1]), end
    text = text.scatter(list(joined), list(joined.values()))
    stays = pl.Series(~goes_on)
    return text.filter(stays), number.filter(stays)


def _closing(text: pl.Series, start: int, separator: str) -> int | None:
    """The line that closes the quoted field left open in line `start`, if a proper one does."""
    sep = re.escape(separator)
    proper = re.compile(rf'(?s)(?:(?:"(?:[^"]|"")*"|[^"{sep}][^{sep}]*|)(?:{sep}|$))+')
    opening = re.compile(rf'(?:(?:"(?:[^"]|"")*"|[^"{sep}][^{sep}]*|){sep})*"(?:[^"]|"")*')
    record = text[start]
    for end in range(start + 1, min(start + _MOST_JOINED, len(text))):
        line = text[end]
        record = f"{record}\n{line}"
        if '"' not in line:
            continue
        if proper.fullmatch(record):
            return end
        if not opening.fullmatch(record):
            return None
    return None


def _without_quoted(lines: pl.Series, separator: str) -> pl.Series:
    sep = re.escape(separator)
    return lines.str.replace_all(rf'(^|{sep})"(?:[^"]|"")*"', "${1}")


def _open(separator: str) -> str:
    return rf'(^|{re.escape(separator)})"'
