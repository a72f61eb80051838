"""Packs RDKit molecules from the bytes that RDKit itself keeps them in, without asking for one atom at a time.

A getter takes Python 0.2 microseconds and an atom's object as much again, which together is more than RDKit's own work
on a SMILES. The bytes of a molecule say all of it at once; `pickled_kernel` reads them. What it does not know, such as
isotopes or another version of RDKit's form, is asked atom by atom after all.

Workers import this file, so it must not import PyTorch or Numba.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from grapevine.data.molecules.codes import pack_by_atom, places_of, roles_of
from grapevine.data.molecules.packed import AtomCode, BondCode, PackedMolecules, ranges
from grapevine.data.molecules.rdkit_parts import rdkit_part

_HEADER = np.array([0xDEADBEEF, 0, 16, 4, 0], "<u4")  # of the version that the kernel reads
_COUNTS = 4 * len(_HEADER)  # where the numbers of atoms and bonds stand
_ELEMENTS = 119


@dataclass(frozen=True)
class PickledMolecules:
    """Molecules in RDKit's own form, one after another.

    Args:
        held: their bytes.
        ptr: [m + 1] where each begins.
        roles: [n] of all atoms, or None if they were not asked for.
        pos: [n, 3] places in angstrom; None unless every molecule has them.
    """

    held: UInt8[np.ndarray, " bytes"]
    ptr: Int64[np.ndarray, " m+1"]
    roles: np.ndarray | None = None
    pos: Float32[np.ndarray, "n 3"] | None = None


def pickle_molecules(mols: Iterable[Any], *, roles: bool = False) -> PickledMolecules:
    """Sanitised RDKit molecules in RDKit's form; `mols` is read once, so it may be a generator.

    Args:
        roles: whether to mark donors and acceptors of hydrogen bonds, as RDKit's BaseFeatures.fdef defines them; it
            takes a fifth of the time.
    """
    held, marks, places = [], [], []
    for mol in mols:
        held.append(mol.ToBinary(0))  # without properties
        places.append(places_of(mol))
        if roles:
            marks += roles_of(mol)
    ptr = np.concatenate([[0], np.cumsum([len(one) for one in held])]).astype(np.int64)
    pos = [place for place in places if place is not None]
    return PickledMolecules(
        np.frombuffer(b"".join(held), np.uint8), ptr, np.array(marks, np.int8) if roles else None,
        np.concatenate(pos) if len(pos) == len(places) > 0 else None,
    )  # fmt: skip


def unpickle(pickled: PickledMolecules) -> PackedMolecules:
    """The molecules as flat arrays.

    >>> packed = unpickle(pickle_molecules([rdkit_part("Chem").MolFromSmiles("C=O")]))
    >>> packed, packed.atom[:, [AtomCode.Z, AtomCode.HYDROGENS]].tolist()
    (PackedMolecules(1 molecules, 2 atoms, 1 bonds), [[6, 2], [8, 0]])
    """
    from grapevine.data.molecules.pickled_kernel import read_molecules  # imports PyTorch and Numba

    counts = _counts(pickled)
    ptr, bond_ptr = (np.concatenate([[0], np.cumsum(column)]).astype(np.int64) for column in counts.T)
    atom, bond = np.zeros((ptr[-1], len(AtomCode)), np.int8), np.zeros((bond_ptr[-1], len(BondCode)), np.int8)
    ends = np.zeros((len(bond), 2), np.int32)
    is_read = _have_known_form(pickled)
    read_molecules(pickled.held, pickled.ptr, ptr, bond_ptr, atom, ends, bond, is_read)
    mass = _weights()[atom[:, AtomCode.Z].astype(np.uint8)]
    unread = (~is_read).nonzero()[0]
    if len(unread):
        asked = pack_by_atom(_molecules(pickled, unread))
        at = ranges(ptr, unread)[1], ranges(bond_ptr, unread)[1]
        atom[at[0]], mass[at[0]], ends[at[1]], bond[at[1]] = asked.atom, asked.mass, asked.ends, asked.bond
    both = ends + np.repeat(ptr[:-1], np.diff(bond_ptr))[:, None]
    atom[:, AtomCode.DEGREE] = np.bincount(both.ravel(), minlength=len(atom))
    if pickled.roles is not None:
        atom[:, AtomCode.ROLES] = pickled.roles
    return PackedMolecules(ptr, bond_ptr, atom, mass, ends, bond, pickled.pos)


def pack(mols: Iterable[Any], *, roles: bool = False) -> PackedMolecules:
    """Sanitised RDKit molecules as flat arrays, through their bytes; arguments as of `pickle_molecules`.

    >>> pack([rdkit_part("Chem").MolFromSmiles("CC#N")])
    PackedMolecules(1 molecules, 3 atoms, 2 bonds)
    """
    return unpickle(pickle_molecules(mols, roles=roles))


def _counts(pickled: PickledMolecules) -> np.ndarray:
    """[m, 2] how many atoms and bonds each has."""
    at = pickled.ptr[:-1, None] + _COUNTS + np.arange(8)
    return pickled.held[at].view("<i4").astype(np.int64).reshape(-1, 2)


def _have_known_form(pickled: PickledMolecules) -> np.ndarray:
    """[m] whether each is in the version that the kernel reads."""
    header = pickled.held[pickled.ptr[:-1, None] + np.arange(_COUNTS)]
    return (header == _HEADER.view(np.uint8)).all(1)


def _molecules(pickled: PickledMolecules, chosen: np.ndarray) -> Iterator[Any]:
    make = rdkit_part("Chem").Mol
    return (make(pickled.held[pickled.ptr[k] : pickled.ptr[k + 1]].tobytes()) for k in chosen.tolist())


@cache
def _weights() -> np.ndarray:
    """[119] atomic weights by number, in daltons."""
    table = rdkit_part("Chem").GetPeriodicTable()
    return np.array([table.GetAtomicWeight(z) for z in range(_ELEMENTS)], np.float32)
