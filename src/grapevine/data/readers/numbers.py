"""Reads a text file of numbers, a row a line, with commas between them; Polars does the work, many lines at once."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars

from grapevine.errors import InputError, check

Kind = Literal["int", "float"]
_DTYPES: dict[Kind, type[polars.DataType]] = {"int": polars.Int64, "float": polars.Float32}


def read_numbers(
    path: Path, kind: Kind, *, columns: int | None = None, rows: int | None = None, missing: bool = False
) -> np.ndarray:
    """[rows, columns] int64 or float32, as `kind` says; a name that ends with .gz is unpacked on the way.

    Blanks around numbers do not matter, nor do empty lines at the end.

    Args:
        columns, rows: how many there must be; by default as many as the first line and the file have.
        missing: whether a field may be empty, which then is NaN; for floats only.

    Raises:
        InputError: if the file is missing or cut short, or a line has another number of fields or no numbers.
    """
    data = _tidy(read_bytes(path), keep_lines=missing)
    if not data:
        check(not rows, f"{path} is empty, expected {rows} lines")
        return np.zeros((0, columns or 1), np.int64 if kind == "int" else np.float32)
    width = columns or data[: data.find(b"\n") if b"\n" in data else None].count(b",") + 1
    schema: dict[str, Any] = {f"c{k}": _DTYPES[kind] for k in range(width)}
    try:
        frame = polars.read_csv(io.BytesIO(data), has_header=False, schema=schema, quote_char=None)
    except polars.exceptions.PolarsError as error:
        raise InputError(_blame(path, data, kind, width) or f"{path} can not be read: {error}") from None
    if (not missing and sum(frame.null_count().row(0)) > 0) or frame.height != data.count(b"\n") + 1:
        raise InputError(_blame(path, data, kind, width) or f"{path} must hold numbers only")
    check(rows in (None, frame.height), f"{path} has {frame.height} lines, expected {rows}")
    return frame.to_numpy(writable=True)


def read_bytes(path: Path) -> bytes:
    """What is in the file, unpacked if its name ends with .gz.

    Raises:
        InputError: if it is missing, can not be read or is cut short.
    """
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} can not be read, it may be cut short: {error}") from error


def _tidy(data: bytes, *, keep_lines: bool) -> bytes:
    """Without blanks beside commas and at the ends of lines, and without empty lines at the end unless all are kept."""
    data = data.replace(b"\r", b"").replace(b"\t", b" ").lstrip(b" ")
    if keep_lines:  # an empty line is a missing number
        data = (b"\n" + data.removesuffix(b"\n") + b"\n").replace(b"\n\n", b"\nnan\n").replace(b"\n\n", b"\nnan\n")
    data = data.strip(b"\n") if keep_lines else data.rstrip()
    while b"  " in data:
        data = data.replace(b"  ", b" ")
    for blank, plain in ((b", ", b","), (b" ,", b","), (b"\n ", b"\n"), (b" \n", b"\n")):
        data = data.replace(blank, plain)
    return data


def _blame(path: Path, data: bytes, kind: Kind, width: int) -> str | None:
    """The first line that is wrong and why; looked for only once a file is known to be."""
    parse, what = (int, "whole number") if kind == "int" else (float, "number")
    for number, line in enumerate(data.split(b"\n"), 1):
        fields = line.split(b",")
        if len(fields) != width:
            return f"{path}, line {number}: {len(fields)} fields, expected {width}"
        for field in fields:
            try:
                is_number = kind == "float" or abs(parse(field)) < 2**63
                parse(field)
            except ValueError:
                is_number = False
            if not is_number:
                return f"{path}, line {number}: {field.decode('utf-8', 'replace')!r} is no {what}"
    return None
