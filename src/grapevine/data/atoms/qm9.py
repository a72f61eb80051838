"""Reads QM9's own .xyz files: one molecule a file, its fifteen properties on the second line.

Ramakrishnan et al. 2014, "Quantum chemistry structures and properties of 134 kilo molecules". A file ends with the
frequencies, SMILES and InChI. Numbers may be written as 1.5*^-6. What is in hartree, bohr and debye there is converted.
"""

from pathlib import Path

import numpy as np
import polars as pl

from grapevine.data.atoms.elements import number_of
from grapevine.data.atoms.frame import FREE, NO_CELL, Frame, WrongFrame
from grapevine.data.atoms.units import BOHR, DEBYE, HARTREE
from grapevine.data.readers.numbers import read_bytes
from grapevine.data.tables.rejects import Rejects

# Each property of the second line, in the order it stands there: what it is multiplied by, and our unit.
PROPERTIES: dict[str, tuple[float, str]] = {
    "A": (1.0, "GHz"), "B": (1.0, "GHz"), "C": (1.0, "GHz"),
    "mu": (DEBYE, "e angstrom"), "alpha": (BOHR**3, "angstrom^3"),
    "homo": (HARTREE, "eV"), "lumo": (HARTREE, "eV"), "gap": (HARTREE, "eV"),
    "r2": (BOHR**2, "angstrom^2"), "zpve": (HARTREE, "eV"),
    "U0": (HARTREE, "eV"), "U": (HARTREE, "eV"), "H": (HARTREE, "eV"), "G": (HARTREE, "eV"),
    "Cv": (1.0, "cal/(mol K)"),
}  # fmt: skip
UNITS = {name: unit for name, (_, unit) in PROPERTIES.items()}


def is_qm9(second_line: str) -> bool:
    """Whether the second line of a file is QM9's.

    >>> is_qm9("gdb 1 157.7 157.7 157.7 0. 13.2 -0.39 0.12 0.5 35.4 0.04 -40.5 -40.5 -40.5 -40.5 6.5")
    True
    """
    fields = second_line.split()
    return len(fields) == 17 and fields[0] == "gdb"


def read_qm9(paths: list[Path], rejects: Rejects) -> list[Frame]:
    """A molecule for each file, U0 as its energy; those that can not be read go to the rejects."""
    frames = []
    for number, path in enumerate(paths, 1):
        lines = read_bytes(path).decode("utf-8", "replace").splitlines()
        try:
            frames.append(_molecule(lines, number))
        except WrongFrame as wrong:
            rejects.add(wrong.reason, path.name, np.array([wrong.line + 1]), pl.Series([wrong.row]))
    return frames


def _molecule(lines: list[str], number: int) -> Frame:
    if len(lines) < 2 or not lines[0].strip().isdigit() or not is_qm9(lines[1]):
        raise WrongFrame(
            "expected a number of atoms and a line of 17 fields that begins with gdb", 0, "".join(lines[:1])
        )
    count, (tag, index, *fields) = int(lines[0]), lines[1].split()
    if len(lines) < count + 2:
        raise WrongFrame(f"the file ends within a molecule of {count} atoms", 0, lines[0])
    values = {
        name: _real(field, 1, lines[1]) * PROPERTIES[name][0] for name, field in zip(PROPERTIES, fields, strict=True)
    }
    z, pos = np.empty(count, np.int64), np.empty((count, 3))
    for k, row in enumerate(lines[2 : count + 2]):
        symbol, *places = row.split() or [""]
        found = number_of(symbol)
        if found is None or len(places) < 3:
            raise WrongFrame("expected an element and three coordinates", k + 2, row)
        z[k], pos[k] = found, [_real(place, k + 2, row) for place in places[:3]]
    return Frame(number, z, pos, NO_CELL, FREE, {"energy": values["U0"], **values}, {}, values, f"{tag}_{index}")


def _real(text: str, line: int, row: str) -> float:
    try:
        value = float(text.replace("*^", "e"))
    except ValueError:
        raise WrongFrame("expected a number", line, row) from None
    if not np.isfinite(value):
        raise WrongFrame("a number is not finite", line, row)
    return value
