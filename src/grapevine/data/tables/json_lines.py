"""Reads JSON lines, an object a line: by Polars where all can be read, and line by line where one can not."""

import gzip
import io
import json
from pathlib import Path

import numpy as np
import polars as pl

from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError, check


def read_json_lines(path: Path, name: str, rejects: Rejects) -> tuple[pl.DataFrame, np.ndarray | None]:
    """The rows and the lines they stand on, None if row k is line k + 1. A key that an object lacks is a gap.

    Values of several types under one key become strings.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError) as error:
            raise InputError(f"{path} can not be unpacked: {error}") from error
    content = content.removeprefix(b"\xef\xbb\xbf")
    check(content.strip() != b"", f"{path} is empty: an object a line was expected")
    text = _text_lines(content)
    is_blank = text.str.strip_chars() == ""
    lines = (~is_blank).to_numpy().nonzero()[0] + 1
    try:
        frame = pl.read_ndjson(io.BytesIO(content), infer_schema_length=None)
        if frame.height == len(lines):
            return frame, lines if is_blank.any() else None
    except pl.exceptions.PolarsError:
        frame = None  # a line is bad: find it
    return _one_by_one(text.filter(~is_blank), lines, name, rejects)


def _text_lines(content: bytes) -> pl.Series:
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode(errors="replace").encode()
    return pl.read_lines(io.BytesIO(content)).to_series()


def _one_by_one(text: pl.Series, lines: np.ndarray, name: str, rejects: Rejects) -> tuple[pl.DataFrame, np.ndarray]:
    rows, is_good = [], np.zeros(len(text), bool)
    for k, line in enumerate(text):
        row = _object(line)
        if row is not None:
            is_good[k] = True
            rows.append(row)
    bad = pl.Series(~is_good)
    rejects.add("no JSON object", name, lines[~is_good], text.filter(bad))
    check(len(rows) > 0, f"{name} has no line that is a JSON object")
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return pl.DataFrame([_column(key, [row.get(key) for row in rows]) for key in keys]), lines[is_good]


def _object(line: str) -> dict | None:
    if "\ufffd" in line:
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and row else None


def _column(key: str, values: list) -> pl.Series:
    try:
        return pl.Series(key, values, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        text = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
        return pl.Series(key, text, dtype=pl.String)
