"""From frames as files give them to structures: labels found by their names, units converted, bad frames left out.

stress = -virial / volume
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from grapevine.data.atoms.cells import is_flat
from grapevine.data.atoms.doubts import without_doubts
from grapevine.data.atoms.elements import symbol_of
from grapevine.data.atoms.frame import Frame, Units, WrongFrame
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.structures import Structures
from grapevine.data.atoms.units import DIPOLE, ENERGY, LENGTH, STRESS
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError

_PREFIXES = ("REF_", "ref_", "dft_", "DFT_", "")
_STEMS = {
    "energy": ("energy", "Energy", "total_energy", "free_energy", "potential_energy"),
    "forces": ("forces", "force", "Forces", "Force"),
    "stress": ("stress", "Stress"),
    "virial": ("virial", "virials", "Virial"),
    "dipole": ("dipole", "Dipole", "dipole_moment"),
}
COMMON = {what: tuple(p + stem for stem in stems for p in _PREFIXES) for what, stems in _STEMS.items()}
_MARKS = re.compile(r'_JSON|[\[\]{}"\',]')
_VOIGT = np.array([[0, 5, 4], [5, 1, 3], [4, 3, 2]])  # xx yy zz yz xz xy


@dataclass(frozen=True)
class _Keys:
    """Where each label stands in this file; None: nowhere."""

    energy: str | None
    forces: str | None
    stress: str | None
    virial: str | None
    dipole: str | None


@dataclass(frozen=True)
class _Scales:
    """What each kind of number is multiplied by."""

    energy: float
    length: float
    stress: float
    dipole: float


class _Collected:
    """The good frames so far, converted."""

    def __init__(self):
        self.frames: list[Frame] = []
        self.rows: dict[str, list[Any]] = {"energy": [], "forces": [], "stress": [], "dipole": []}
        self.isolated: dict[int, float] = {}


def make_structures(
    frames: Sequence[Frame], options: ReadOptions, units: Units, *, name: str, rejects: Rejects, about: dict[str, str]
) -> Structures:
    """The frames that can be used as structures, the others added to the rejects.

    Raises:
        InputError: if no frame has the label of a given key.
    """
    keys, notes = _find_keys(frames, options)
    scales = _scales(options, units)
    made = _Collected()
    for frame in frames:
        try:
            _add(made, frame, keys, scales, options.keep_isolated)
        except WrongFrame as wrong:
            rejects.add(wrong.reason, name, np.array([frame.line + wrong.line]), pl.Series([wrong.row]))
    if made.isolated:
        listed = ", ".join(f"{symbol_of(z)} {energy:.4f}" for z, energy in sorted(made.isolated.items()))
        notes.append(f"{name}: frames of one free atom give the energies of isolated atoms, in eV: {listed}")
    return without_doubts(_packed(made, scales, name=name, rejects=rejects, about=about, notes=notes))


def _find_keys(frames: Sequence[Frame], options: ReadOptions) -> tuple[_Keys, list[str]]:
    in_info = dict.fromkeys(key for frame in frames for key in frame.info)
    in_arrays = dict.fromkeys(key for frame in frames for key in frame.arrays)
    found: dict[str, str | None] = {}
    notes = []
    for what in _STEMS:
        held = in_arrays if what == "forces" else in_info
        given = getattr(options, f"{what}_key")
        if given is not None:
            listed = ", ".join(held) or "none"
            if given not in held:
                raise InputError(f"no frame has {what} under the name {given!r}; the names are: {listed}")
            found[what] = given
            continue
        known = [key for key in COMMON[what] if key in held]
        found[what] = known[0] if known else None
        if len(known) > 1:
            notes.append(f"{what} is taken from {known[0]!r}; there are {', '.join(known[1:])} too: a key chooses")
    if options.virial_key is not None:
        found["stress"] = None
    return _Keys(**found), notes


def _scales(options: ReadOptions, units: Units) -> _Scales:
    energy = ENERGY[options.energy_unit or units.energy]
    length = LENGTH[options.length_unit or units.length]
    stress = options.stress_unit or units.stress
    dipole = DIPOLE[options.dipole_unit or units.dipole]
    return _Scales(energy, length, energy / length**3 if stress is None else STRESS[stress], dipole)


def _add(made: _Collected, frame: Frame, keys: _Keys, scales: _Scales, keep_isolated: bool) -> None:
    """Raises WrongFrame where the frame can not be used."""
    if len(frame.z) == 0:
        raise WrongFrame("a frame without atoms")
    if not np.isfinite(frame.pos).all():
        atom = int((~np.isfinite(frame.pos)).any(axis=1).argmax())
        raise WrongFrame(f"a coordinate of atom {atom} is not finite", row=str(frame.pos[atom].tolist()))
    if frame.z.min() < 1 or frame.z.max() > 118:
        raise WrongFrame("an unknown element", row=str(frame.z[(frame.z < 1) | (frame.z > 118)][0]))
    if frame.pbc.any() and is_flat(frame.cell, frame.pbc):
        raise WrongFrame("a periodic cell of no volume", row=str(frame.cell.tolist()))
    energy = _numbers(frame, keys.energy, (1,), scales.energy)
    is_atom = len(frame.z) == 1 and (_is_isolated(frame) or not frame.pbc.any())
    if is_atom and energy is not None and np.isfinite(energy[0]) and not keep_isolated:
        made.isolated.setdefault(int(frame.z[0]), float(energy[0]))
        return
    forces = _forces(frame, keys.forces)
    stress = _stress(frame, keys, scales)
    dipole = _numbers(frame, keys.dipole, (3,), scales.dipole)
    made.frames.append(frame)
    for what, value in (("energy", energy), ("forces", forces), ("stress", stress), ("dipole", dipole)):
        made.rows[what].append(value)


def _is_isolated(frame: Frame) -> bool:
    return str(frame.info.get("config_type", "")).strip("\"'").lower() in ("isolatedatom", "isolated_atom")


def _numbers(frame: Frame, key: str | None, sizes: tuple[int, ...], scale: float) -> np.ndarray | None:
    """The numbers under a name, converted; None where they are missing."""
    if key is None or frame.info.get(key) is None:
        return None
    value = frame.info[key]
    try:
        if isinstance(value, str):
            value = [float(field) for field in _MARKS.sub(" ", value).split()]
        numbers = np.asarray(value, np.float64).reshape(-1)
    except (ValueError, TypeError):
        raise WrongFrame(f"{key} can not be read as numbers", row=str(value)) from None
    if len(numbers) not in sizes:
        wanted = " or ".join(map(str, sizes))
        raise WrongFrame(f"{key} must be {wanted} numbers, got {len(numbers)}", row=str(value))
    if np.isinf(numbers).any():
        raise WrongFrame(f"{key} is infinite", row=str(value))
    return numbers * scale


def _forces(frame: Frame, key: str | None) -> np.ndarray | None:
    forces = None if key is None else frame.arrays.get(key)
    if forces is None:
        return None
    if forces.shape != (len(frame.z), 3):
        raise WrongFrame(f"{key} must be three numbers for each atom, got shape {forces.shape}")
    unknown = ~np.isfinite(forces)
    if unknown.all() and not np.isinf(forces).any():
        return None
    if unknown.any():
        atom = int(unknown.any(axis=1).argmax())
        raise WrongFrame(f"the force on atom {atom} is not finite", row=str(forces[atom].tolist()))
    return forces


def _stress(frame: Frame, keys: _Keys, scales: _Scales) -> np.ndarray | None:
    stress = _numbers(frame, keys.stress, (6, 9), scales.stress)
    if stress is None:
        virial = _numbers(frame, keys.virial, (6, 9), scales.energy)
        if virial is None:
            return None
        volume = abs(float(np.linalg.det(frame.cell * scales.length)))
        if volume < 1e-9:
            raise WrongFrame("a virial needs a cell to become a stress", row=str(frame.cell.tolist()))
        stress = -virial / volume
    full = stress[_VOIGT] if len(stress) == 6 else stress.reshape(3, 3)
    return (full + full.T) / 2


def _packed(
    made: _Collected, scales: _Scales, *, name: str, rejects: Rejects, about: dict[str, str], notes: list[str]
) -> Structures:
    frames, rows = made.frames, made.rows
    sizes = np.array([len(frame.z) for frame in frames], np.int64)
    fill = {"energy": np.full(1, np.nan), "stress": np.full((3, 3), np.nan), "dipole": np.full(3, np.nan)}
    of_graph = {
        what: np.array([none if row is None else row for row in rows[what]]).reshape(len(frames), *none.shape)
        for what, none in fill.items()
    }
    forces = [np.full((n, 3), np.nan) if f is None else f for f, n in zip(rows["forces"], sizes, strict=True)]
    names = dict.fromkeys(key for frame in frames for key in frame.properties)
    return Structures(
        z=np.concatenate([np.zeros(0, np.int64), *(frame.z for frame in frames)]),
        pos=np.concatenate([np.zeros((0, 3)), *(frame.pos for frame in frames)]) * scales.length,
        ptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        cell=np.array([frame.cell for frame in frames]).reshape(-1, 3, 3) * scales.length,
        pbc=np.array([frame.pbc for frame in frames], bool).reshape(-1, 3),
        energy=of_graph["energy"][:, 0],
        forces=np.concatenate([np.zeros((0, 3)), *forces]) * (scales.energy / scales.length),
        stress=of_graph["stress"],
        dipole=of_graph["dipole"],
        properties={key: np.array([frame.properties.get(key, np.nan) for frame in frames]) for key in names},
        units=about,
        isolated_energies=made.isolated,
        ids=np.array([frame.line if frame.name is None else frame.name for frame in frames], dtype=object),
        lines=np.array([frame.line for frame in frames], np.int64),
        name=name,
        rejects=rejects,
        notes=tuple(notes),
    )
