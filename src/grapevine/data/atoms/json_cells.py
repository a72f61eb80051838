"""Reads lists of cells with energies, forces and stresses from JSON, in two layouts.

One has `atoms` (lattice_mat, coords, elements, cartesian), `total_energy`, `forces` and `stresses`: the energy is that
of one atom, in eV (it is the same for cells of 6 and of 108 atoms), stresses are in kilobar, positive under
compression, in the order xx yy zz xy xz yz (as cells sheared by a known angle show). Choudhary et al. 2023, "Unified
graph neural network force-field for the periodic table".

The other has `structure` (lattice.matrix, sites with species and abc) and `outputs` (energy, forces, virial_stress):
the energy is that of the cell, stresses are VASP's, in kilobar, positive under compression, xx yy zz xy yz xz. Zuo et
al. 2020, "Performance and cost assessment of machine learning interatomic potentials".
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from grapevine.data.atoms.elements import number_of
from grapevine.data.atoms.frame import FREE, Frame, Units, WrongFrame
from grapevine.data.readers.numbers import read_bytes
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError, check

UNITS = Units(stress="kbar")
_XX_YY_ZZ_XY_XZ_YZ = [0, 1, 2, 5, 4, 3]  # where xx yy zz yz xz xy stand in it
_XX_YY_ZZ_XY_YZ_XZ = [0, 1, 2, 4, 5, 3]


def load_json(path: Path) -> Any:
    """What the file holds.

    Raises:
        InputError: if it is missing or no JSON.
    """
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise InputError(f"{path} is no JSON: {error}") from error


def read_json_cells(content: Any, path: Path, rejects: Rejects) -> list[Frame]:
    """The cells that can be read, labels under the names energy, forces and stress; `line` counts them from 1."""
    check(isinstance(content, list) and len(content) > 0, f"{path} must hold a list of structures")
    frames = []
    for number, item in enumerate(content, 1):
        try:
            frames.append(_cell(item, number))
        except WrongFrame as wrong:
            rejects.add(wrong.reason, path.name, np.array([number]), pl.Series([wrong.row]))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            reason = f"a structure in neither of the known layouts ({type(error).__name__}: {error})"
            rejects.add(reason, path.name, np.array([number]), pl.Series([str(item)[:200]]))
    return frames


def _cell(item: Mapping[str, Any], number: int) -> Frame:
    if "atoms" in item:
        atoms = item["atoms"]
        cell, symbols = np.array(atoms["lattice_mat"], float), atoms["elements"]
        places, is_cartesian = np.array(atoms["coords"], float), bool(atoms.get("cartesian", False))
        energy = item.get("total_energy")
        energy = None if energy is None else energy * len(symbols)
        forces, stress, order = item.get("forces"), item.get("stresses"), _XX_YY_ZZ_XY_XZ_YZ
    else:
        structure, outputs = item["structure"], item.get("outputs", {})
        cell, sites = np.array(structure["lattice"]["matrix"], float), structure["sites"]
        symbols = [site["species"][0]["element"] for site in sites]
        places, is_cartesian = np.array([site["abc"] for site in sites], float), False
        energy, forces = outputs.get("energy"), outputs.get("forces")
        stress, order = outputs.get("virial_stress", outputs.get("stress")), _XX_YY_ZZ_XY_YZ_XZ
    info: dict[str, Any] = {} if energy is None else {"energy": energy}
    if stress is not None:
        info["stress"] = _tension(np.array(stress, float), order)
    arrays = {} if forces is None else {"forces": np.array(forces, float)}
    pos = places.reshape(-1, 3) if is_cartesian else places.reshape(-1, 3) @ cell
    z = _numbers(symbols)
    if cell.shape != (3, 3) or len(pos) != len(z):
        raise WrongFrame(f"{len(z)} elements, {len(pos)} places and a cell of shape {cell.shape} do not fit")
    name = None if item.get("jid") is None else str(item["jid"])
    return Frame(number, z, pos, cell, ~FREE, info, arrays, name=name)


def _tension(stress: np.ndarray, order: list[int]) -> np.ndarray:
    """Positive under tension; six numbers in the order xx yy zz yz xz xy."""
    return -(stress.reshape(-1)[order] if stress.size == 6 else stress)


def _numbers(symbols: list[str]) -> np.ndarray:
    found = [number_of(str(symbol).strip()) for symbol in symbols]
    for symbol, number in zip(symbols, found, strict=True):
        if number is None:
            raise WrongFrame("an unknown element", row=str(symbol))
    return np.array(found, np.int64)
