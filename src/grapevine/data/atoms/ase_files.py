"""Reads ASE's databases (.db, .json), its trajectories (.traj) and whatever else ASE reads, through ASE."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from grapevine.data.atoms.ase_parts import atoms_part
from grapevine.data.atoms.frame import Frame
from grapevine.errors import InputError, check

_RESULTS = ("energy", "free_energy", "stress", "dipole")


def read_ase_database(path: Path) -> list[Frame]:
    """A frame for each row: its results, its key-value pairs and its data, each under its own name.

    Raises:
        InputError: if the file is missing or no database.
        ImportError: if ASE is not installed.
    """
    check(path.exists(), f"there is no file {path}")
    connect = atoms_part("ase.db").connect
    try:
        return [_from_row(row) for row in connect(str(path)).select()]
    except Exception as error:  # ASE raises whatever the format of the file makes Python and SQLite raise
        raise InputError(f"{path} can not be read as a database of ASE: {error}") from error


def read_ase_file(path: Path) -> list[Frame]:
    """A frame for each image of a file of a format that ASE knows.

    Raises:
        InputError: if the file is missing or ASE can not read it.
        ImportError: if ASE is not installed.
    """
    check(path.exists(), f"there is no file {path}")
    iread = atoms_part("ase.io").iread
    try:
        return from_ase(iread(str(path), index=":"))
    except Exception as error:  # as above, for some ninety formats
        raise InputError(f"{path} can not be read by ASE: {type(error).__name__}: {error}") from error


def from_ase(images: Iterable[Any]) -> list[Frame]:
    """A frame for each `ase.Atoms`, with the results of its calculator where it has one.

    >>> atoms = atoms_part("ase").Atoms("OH2", positions=np.eye(3))
    >>> [frame] = from_ase([atoms])
    >>> frame.z.tolist(), frame.arrays
    ([8, 1, 1], {})
    """
    frames = []
    for number, atoms in enumerate(images, 1):
        results = {} if atoms.calc is None else dict(atoms.calc.results)
        info = {**atoms.info, **{name: results[name] for name in _RESULTS if results.get(name) is not None}}
        arrays = {key: values for key, values in atoms.arrays.items() if key not in ("numbers", "positions")}
        if results.get("forces") is not None:
            arrays["forces"] = np.asarray(results["forces"], float)
        frames.append(_made(number, atoms.numbers, atoms.positions, (np.array(atoms.cell), atoms.pbc), info, arrays))
    return frames


def _from_row(row: Any) -> Frame:
    data = {key: value for key, value in row.data.items() if value is not None}
    arrays = {key: np.asarray(value, float) for key, value in data.items() if _is_of_atoms(value, len(row.numbers))}
    info = {key: value for key, value in data.items() if key not in arrays}
    info |= row.key_value_pairs | {name: row.get(name) for name in _RESULTS if row.get(name) is not None}
    if row.get("forces") is not None:
        arrays["forces"] = np.asarray(row.forces, float)
    return _made(int(row.id), row.numbers, row.positions, (np.array(row.cell), row.pbc), info, arrays)


def _is_of_atoms(value: Any, num_atoms: int) -> bool:
    try:
        return np.shape(value) == (num_atoms, 3) and np.asarray(value).dtype.kind in "fiu"
    except ValueError:  # rows of several lengths
        return False


def _made(
    number: int, z: np.ndarray, pos: np.ndarray, box: tuple[np.ndarray, np.ndarray], info: dict, arrays: dict
) -> Frame:
    cell, pbc = box
    return Frame(
        number, np.array(z, np.int64), np.array(pos, float), np.array(cell, float).reshape(3, 3), np.array(pbc, bool),
        info, arrays,
    )  # fmt: skip
