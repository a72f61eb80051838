"""Reads XYZ files, plain and extended: a number of atoms, a line about the whole, a line for each atom, and again.

The second line of an extended file has `key=value` pairs, among them Lattice (the cell vectors, one after another), pbc
and Properties, which says what the columns are (https://github.com/libAtoms/extxyz). What can not be read is left out
with its line, and the next frame is looked for.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from grapevine.data.atoms.elements import number_of
from grapevine.data.atoms.frame import FREE, NO_CELL, Frame, WrongFrame
from grapevine.data.atoms.labels import COMMON
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.readers.numbers import read_bytes
from grapevine.data.tables.rejects import Rejects

_VALUE = r'"(?:\\.|[^"\\])*"|\'[^\']*\'|\{[^}]*\}|\[(?:[^\[\]]|\[[^\]]*\])*\]|[^\s"]\S*'
_PAIR = re.compile(rf'("[^"]*"|[^\s="]+)(?:\s*=\s*({_VALUE}))?')
_QUOTES = ('""', "''", "{}")
_PLAIN = "species:S:1:pos:R:3"
_SPECIES = ("Z", "numbers", "species", "symbols", "element")
_TRUE = frozenset(("T", "t", "1", "True", "true", "TRUE"))


class _Layout(NamedTuple):
    """The columns of the atoms' lines."""

    width: int
    species: int
    columns: dict[str, range]  # of what holds real numbers


def read_extxyz(path: Path, options: ReadOptions, rejects: Rejects) -> list[Frame]:
    """The frames of a file that can be read; the others go to the rejects."""
    lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    wanted = COMMON["forces"] if options.forces_key is None else (options.forces_key,)
    frames = []
    for start, end in _parted(lines, path.name, rejects):
        try:
            frames.append(_frame(lines, start, end, wanted))
        except WrongFrame as wrong:
            rejects.add(wrong.reason, path.name, np.array([start + wrong.line + 1]), pl.Series([wrong.row]))
    return frames


def _parted(lines: list[str], name: str, rejects: Rejects) -> Iterator[tuple[int, int]]:
    """The first line of each frame and the line behind it, counted from 0."""
    k, is_lost = 0, False
    while k < len(lines):
        count = lines[k].strip()
        if not count.isdigit():
            if count and not is_lost:
                reason = "expected the number of atoms of the next frame"
                rejects.add(reason, name, np.array([k + 1]), pl.Series([lines[k]]))
                is_lost = True  # said once; what follows is looked through for the next number
            k += 1
            continue
        end = k + 2 + int(count)
        early = next((p for p in range(k + 2, min(end, len(lines))) if lines[p].strip().isdigit()), None)
        if early is not None:
            reason = f"a frame of {count} atoms has {early - k - 2} lines of them"
        elif end > len(lines):
            reason = f"the file ends within a frame of {count} atoms"
        else:
            yield k, end
            k, is_lost = end, False
            continue
        rejects.add(reason, name, np.array([k + 1]), pl.Series([lines[k]]))
        k, is_lost = (len(lines) if early is None else early), False


def _frame(lines: list[str], start: int, end: int, wanted: tuple[str, ...]) -> Frame:
    info = parse_comment(lines[start + 1])
    properties = info.pop("Properties", None)
    layout = _layout(properties or _PLAIN)
    body = lines[start + 2 : end]
    fields = " ".join(body).split()
    if properties is None:  # a plain file may have more columns, which mean nothing
        layout = layout._replace(width=max(layout.width, len(fields) // max(len(body), 1)))
    if len(fields) != len(body) * layout.width:
        line = next(k for k, row in enumerate(body) if len(row.split()) != layout.width)
        raise WrongFrame(f"expected {layout.width} columns", line + 2, body[line])
    z = _species(fields[layout.species :: layout.width], body)
    numbers = {name: _reals(fields, layout, name, body) for name in ("pos", *wanted) if name in layout.columns}
    pos = numbers.pop("pos")
    bad = ~np.isfinite(pos).all(axis=1)
    if bad.any():
        atom = int(bad.argmax())
        raise WrongFrame("a coordinate is not finite", atom + 2, body[atom])
    cell, pbc = _cell(info)
    return Frame(start + 1, z, pos, cell, pbc, info, numbers)


def parse_comment(line: str) -> dict[str, str]:
    """The pairs of the second line, values as text without their quotes; a key without a value is true.

    >>> parse_comment('energy=-1.5 Lattice="1 0 0 0 1 0 0 0 1" relaxed')
    {'energy': '-1.5', 'Lattice': '1 0 0 0 1 0 0 0 1', 'relaxed': 'T'}
    """
    return {_bare(key): _bare(value) if value else "T" for key, value in _PAIR.findall(line)}


def _bare(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] + text[-1] in _QUOTES else text


@lru_cache(64)
def _layout(properties: str) -> _Layout:
    parts = properties.split(":")
    columns: dict[str, range] = {}
    place, species = 0, {}
    try:
        for name, kind, count in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if name in _SPECIES:
                species[name] = place
            elif kind == "R":
                columns[name] = range(place, place + int(count))
            place += int(count)
    except ValueError:
        raise WrongFrame("Properties must be name:kind:count, again and again", 1, properties) from None
    if not species or len(columns.get("pos", ())) != 3:
        raise WrongFrame("Properties must have species and three columns of pos", 1, properties)
    return _Layout(place, species[min(species, key=_SPECIES.index)], columns)


def _species(symbols: list[str], body: list[str]) -> np.ndarray:
    of = {symbol: number_of(symbol) for symbol in set(symbols)}
    for symbol, number in of.items():
        if number is None:
            line = symbols.index(symbol)
            raise WrongFrame(f"an unknown element {symbol!r}", line + 2, body[line])
    return np.array([of[symbol] for symbol in symbols], np.int64)


def _reals(fields: list[str], layout: _Layout, name: str, body: list[str]) -> np.ndarray:
    columns = layout.columns[name]
    try:
        rows = [list(map(float, fields[column :: layout.width])) for column in columns]
    except ValueError:
        raise _no_number(layout, name, body) from None
    return np.array(rows).T.copy()


def _no_number(layout: _Layout, name: str, body: list[str]) -> WrongFrame:
    """The first line that is wrong; looked for only once a frame is known to be."""
    for line, row in enumerate(body):
        fields = row.split()
        for column in layout.columns[name]:
            try:
                float(fields[column])
            except (ValueError, IndexError):
                return WrongFrame(f"{name} must be numbers", line + 2, row)
    return WrongFrame(f"{name} must be numbers", 0, body[0])


def _cell(info: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    text, repeats = info.pop("Lattice", None), info.pop("pbc", None)
    cell = NO_CELL
    if text is not None:
        try:
            cell = np.array([float(field) for field in re.sub(r"[\[\],]", " ", text).split()]).reshape(3, 3)
        except ValueError:
            raise WrongFrame("Lattice must be nine numbers", 1, text) from None
    if repeats is None:
        return cell, ~FREE if text is not None else FREE
    words = re.sub(r"[\[\],]", " ", repeats).split()
    if len(words) not in (1, 3):
        raise WrongFrame("pbc must be three of T and F", 1, repeats)
    return cell, np.array([word in _TRUE for word in words * (3 // len(words))])
