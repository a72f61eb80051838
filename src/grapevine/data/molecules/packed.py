"""Many molecules as flat arrays: a row of small integers for each atom and each bond, and no object for any of them.

Molecule k owns the atoms ptr[k] .. ptr[k + 1] - 1 and the bonds bond_ptr[k] .. bond_ptr[k + 1] - 1.

Workers that parse import this file, so it must not import PyTorch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from jaxtyping import Float32, Int, Int8

CODES_VERSION = 1  # raised when the same molecule gets other codes


class AtomCode(IntEnum):
    """What each column of `PackedMolecules.atom` holds. Kinds that RDKit enumerates are RDKit's numbers for them."""

    Z = 0  # the atomic number; 0: a dummy atom
    DEGREE = 1  # neighbours that are atoms of their own
    CHARGE = 2  # formal
    HYDROGENS = 3  # that are no atoms of their own
    HYBRIDISATION = 4  # 1 s, 2 sp, 3 sp2, 4 sp3, 5 sp2d, 6 sp3d, 7 sp3d2; others 0 or 8
    AROMATIC = 5
    CHIRALITY = 6  # the tag: 0 none, 1 clockwise, 2 counter-clockwise, 3 another, 4 .. 8 of more neighbours
    RADICALS = 7  # unpaired electrons
    RINGS = 8  # a bit for each size 3 .. 8 of a smallest ring it is in, and the next for a larger one
    ROLES = 9  # bit 0: donor of a hydrogen bond, bit 1: acceptor; 0 where they were not asked for


class BondCode(IntEnum):
    """What each column of `PackedMolecules.bond` holds."""

    TYPE = 0  # 1 single, 2 double, 3 triple, 12 aromatic; others: RDKit's number
    CONJUGATED = 1
    IN_RING = 2
    STEREO = 3  # 0 none, 1 any, 2 Z, 3 E, 4 cis, 5 trans, 6 and 7 of an axis


@dataclass(frozen=True)
class PackedMolecules:
    """Molecules whose atoms and bonds stand one after another.

    Args:
        ptr, bond_ptr: [m + 1] where each molecule's atoms and bonds begin.
        atom: [n, 10] codes, a column for each of `AtomCode`.
        mass: [n] atomic mass in daltons, of the isotope where one is given.
        ends: [b, 2] the atoms that each bond joins, counted from 0 in each molecule.
        bond: [b, 4] codes, a column for each of `BondCode`.
        pos: [n, 3] places in angstrom; None unless every molecule has them.

    >>> PackedMolecules.concat([])
    PackedMolecules(0 molecules, 0 atoms, 0 bonds)
    """

    ptr: Int[np.ndarray, " m+1"]
    bond_ptr: Int[np.ndarray, " m+1"]
    atom: Int8[np.ndarray, "n 10"]
    mass: Float32[np.ndarray, " n"]
    ends: Int[np.ndarray, "b 2"]
    bond: Int8[np.ndarray, "b 4"]
    pos: Float32[np.ndarray, "n 3"] | None = None

    @property
    def num_molecules(self) -> int:
        return len(self.ptr) - 1

    def take(self, chosen: Int[np.ndarray, " k"]) -> "PackedMolecules":
        """These molecules, in this order; one may stand twice."""
        chosen = np.asarray(chosen, np.int64)
        ptr, atoms = ranges(self.ptr, chosen)
        bond_ptr, bonds = ranges(self.bond_ptr, chosen)
        pos = None if self.pos is None else self.pos[atoms]
        return PackedMolecules(
            ptr, bond_ptr, self.atom[atoms], self.mass[atoms], self.ends[bonds], self.bond[bonds], pos
        )

    @staticmethod
    def concat(parts: Sequence["PackedMolecules"]) -> "PackedMolecules":
        """The molecules of all parts, one after another; places are kept if every part that has atoms has them."""
        own = [part for part in parts if len(part.atom)]
        pos = [part.pos for part in own if part.pos is not None]
        return PackedMolecules(
            _joined([part.ptr for part in parts]),
            _joined([part.bond_ptr for part in parts]),
            np.concatenate([np.zeros((0, len(AtomCode)), np.int8), *(part.atom for part in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(part.mass for part in parts)]),
            np.concatenate([np.zeros((0, 2), np.int32), *(part.ends for part in parts)]),
            np.concatenate([np.zeros((0, len(BondCode)), np.int8), *(part.bond for part in parts)]),
            np.concatenate(pos) if own and len(pos) == len(own) else None,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name, `pos` if there is one."""
        held = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in held.items() if array is not None}

    def __repr__(self) -> str:
        places = ", with places" if self.pos is not None else ""
        return (
            f"PackedMolecules({self.num_molecules} molecules, {len(self.atom)} atoms, {len(self.bond)} bonds{places})"
        )


def ranges(ptr: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the chosen ranges begin when they stand one after another, and what they hold."""
    counts = ptr[chosen + 1] - ptr[chosen]
    new = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return new, np.arange(new[-1]) + np.repeat(ptr[chosen] - new[:-1], counts)


def _joined(ptrs: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.concatenate([[], *map(np.diff, ptrs)]))]).astype(np.int64)
