"""A frame as a file gives it, and why one can not be used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from grapevine.data.atoms.units import DipoleUnit, EnergyUnit, LengthUnit, StressUnit


class WrongFrame(Exception):
    """A frame that can not be used: why, on which line after its first one, and what it says there."""

    def __init__(self, reason: str, line: int = 0, row: str = ""):
        super().__init__(reason)
        self.reason, self.line, self.row = reason, line, row


@dataclass(frozen=True, eq=False)
class Frame:
    """Atoms, and the labels by the file's own names and in its own units.

    Args:
        line: where the frame begins in its file, counted from 1, or its number there.
        cell: [3, 3], zero where there is none.
        info: what belongs to the whole, numbers or text.
        arrays: what belongs to the atoms.
        properties: numbers of the whole, in our units already.
        name: the file's own.
    """

    line: int
    z: np.ndarray
    pos: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    info: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    properties: Mapping[str, float] = field(default_factory=dict)
    name: str | None = None


class Units(NamedTuple):
    """What a format's numbers are in; without a stress unit: energy per cubed length."""

    energy: EnergyUnit = "eV"
    length: LengthUnit = "angstrom"
    stress: StressUnit | None = None
    dipole: DipoleUnit = "e*angstrom"


FREE = np.zeros(3, bool)
NO_CELL = np.zeros((3, 3))
FREE.flags.writeable = NO_CELL.flags.writeable = False
