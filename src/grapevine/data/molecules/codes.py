"""What RDKit molecules are asked: of each atom and bond, their rings, roles and places.

The getters are called unbound and their results go into flat lists, as most of the time here is Python's, not RDKit's.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from grapevine.data.molecules.packed import AtomCode, BondCode, PackedMolecules
from grapevine.data.molecules.rdkit_parts import rdkit_part

SMALLEST_RING, LARGEST_RING = 3, 8  # that have a bit of their own
_DONOR, _ACCEPTOR = 1, 2


def pack_by_atom(mols: Iterable[Any]) -> PackedMolecules:
    """Sanitised RDKit molecules as flat arrays, without roles and places; `mols` is read once.

    >>> packed = pack_by_atom([rdkit_part("Chem").MolFromSmiles("C=O")])
    >>> packed, packed.atom[:, [AtomCode.Z, AtomCode.HYDROGENS]].tolist()
    (PackedMolecules(1 molecules, 2 atoms, 1 bonds), [[6, 2], [8, 0]])
    """
    atoms, bonds = _Columns(_atom_getters()), _Columns(_bond_getters())
    ptr, bond_ptr, rings = [0], [0], []
    for mol in mols:
        atoms.add(mol.GetAtomWithIdx, mol.GetNumAtoms())  # faster than mol.GetAtoms()
        bonds.add(mol.GetBondWithIdx, mol.GetNumBonds())
        _add_rings(mol, rings)
        ptr.append(ptr[-1] + mol.GetNumAtoms())
        bond_ptr.append(bond_ptr[-1] + mol.GetNumBonds())
    starts = np.array(ptr), np.array(bond_ptr)
    ends = np.stack([np.array(bonds.held.pop(name), np.int32) for name in ("begin", "end")], axis=1)
    mass = np.array(atoms.held.pop("mass"), np.float32)
    atom, bond = np.zeros((len(mass), len(AtomCode)), np.int8), np.zeros((len(ends), len(BondCode)), np.int8)
    for codes, held in ((atom, atoms.held), (bond, bonds.held)):
        for column, values in held.items():
            codes[:, column] = values
    atom[:, AtomCode.RINGS] = rings
    numbers = ends + np.repeat(starts[0][:-1], np.diff(starts[1]))[:, None]
    atom[:, AtomCode.DEGREE] = np.bincount(numbers.ravel(), minlength=len(atom))
    return PackedMolecules(*starts, atom, mass, ends, bond)


class _Columns:
    """What each getter says of all atoms, or bonds, one list a getter."""

    def __init__(self, getters: dict[Any, Callable[[Any], Any]]):
        self.held: dict[Any, list] = {column: [] for column in getters}
        self._pairs = [(getter, self.held[column]) for column, getter in getters.items()]

    def add(self, get: Callable[[int], Any], count: int) -> None:
        things = list(map(get, range(count)))
        for getter, column in self._pairs:
            column.extend(map(getter, things))


def _atom_getters() -> dict[Any, Callable[[Any], Any]]:
    kind = rdkit_part("Chem").Atom
    return {
        AtomCode.Z: kind.GetAtomicNum,
        AtomCode.CHARGE: kind.GetFormalCharge,
        AtomCode.HYDROGENS: kind.GetTotalNumHs,
        AtomCode.HYBRIDISATION: kind.GetHybridization,
        AtomCode.AROMATIC: kind.GetIsAromatic,
        AtomCode.CHIRALITY: kind.GetChiralTag,
        AtomCode.RADICALS: kind.GetNumRadicalElectrons,
        "mass": kind.GetMass,
    }


def _bond_getters() -> dict[Any, Callable[[Any], Any]]:
    kind = rdkit_part("Chem").Bond
    return {
        "begin": kind.GetBeginAtomIdx,
        "end": kind.GetEndAtomIdx,
        BondCode.TYPE: kind.GetBondType,
        BondCode.CONJUGATED: kind.GetIsConjugated,
        BondCode.IN_RING: kind.IsInRing,
        BondCode.STEREO: kind.GetStereo,
    }


def _add_rings(mol: Any, bits: list[int]) -> None:
    """Append a bit for each size of ring that an atom is in."""
    first = len(bits)
    bits += [0] * mol.GetNumAtoms()
    for ring in mol.GetRingInfo().AtomRings():
        bit = 1 << min(len(ring) - SMALLEST_RING, LARGEST_RING - SMALLEST_RING + 1)
        for k in ring:
            bits[first + k] |= bit


def roles_of(mol: Any) -> list[int]:
    """Of each atom, whether it gives and takes hydrogen bonds, as RDKit's BaseFeatures.fdef defines it."""
    marks = [0] * mol.GetNumAtoms()
    for bit, pattern in _patterns():
        for (k,) in mol.GetSubstructMatches(pattern, maxMatches=len(marks)):
            marks[k] |= bit
    return marks


@cache
def _patterns() -> list[tuple[int, Any]]:
    """The patterns of RDKit's own definition of donors and acceptors, of one atom each."""
    config, features, chem = (rdkit_part(name) for name in ("RDConfig", "Chem.ChemicalFeatures", "Chem"))
    factory = features.BuildFeatureFactory(os.path.join(config.RDDataDir, "BaseFeatures.fdef"))
    bits = {"Donor": _DONOR, "Acceptor": _ACCEPTOR}
    found = [(name.split(".")[0], smarts) for name, smarts in factory.GetFeatureDefs().items()]
    return [(bits[family], chem.MolFromSmarts(smarts)) for family, smarts in found if family in bits]


def places_of(mol: Any) -> np.ndarray | None:
    """[n, 3] in angstrom, None if the molecule has no conformer in three dimensions."""
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        return None
    return mol.GetConformer().GetPositions().astype(np.float32)
