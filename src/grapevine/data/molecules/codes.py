"""Packs RDKit molecules: the only place where an atom of RDKit is touched.

The getters are called unbound and their results go into flat lists, as most of the time here is Python's, not RDKit's.
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from grapevine.data.molecules.packed import AtomCode, BondCode, PackedMolecules
from grapevine.data.molecules.rdkit_parts import rdkit_part

_SIZES = (3, 8)  # of rings that have a bit of their own
_DONOR, _ACCEPTOR = 1, 2


def pack(mols: Iterable[Any], *, roles: bool = False) -> PackedMolecules:
    """Sanitised RDKit molecules as flat arrays; `mols` is read once, so it may be a generator.

    Args:
        roles: whether to mark donors and acceptors of hydrogen bonds, as RDKit's BaseFeatures.fdef defines them; it
            takes a fifth of the time.

    >>> packed = pack([rdkit_part("Chem").MolFromSmiles("C=O")])
    >>> packed, packed.atom[:, [AtomCode.Z, AtomCode.HYDROGENS]].tolist()
    (PackedMolecules(1 molecules, 2 atoms, 1 bonds), [[6, 2], [8, 0]])
    """
    atoms, bonds = _Columns(_atom_getters()), _Columns(_bond_getters())
    ptr, bond_ptr, rings, marks, places, chiral = [0], [0], [], [], [], []
    for mol in mols:
        chiral += _chiral(mol, ptr[-1])
        atoms.add(mol.GetAtomWithIdx, mol.GetNumAtoms())  # faster than mol.GetAtoms()
        bonds.add(mol.GetBondWithIdx, mol.GetNumBonds())
        _add_rings(mol, rings)
        if roles:
            marks += _roles(mol)
        places.append(_places(mol))
        ptr.append(ptr[-1] + mol.GetNumAtoms())
        bond_ptr.append(bond_ptr[-1] + mol.GetNumBonds())
    starts = np.array(ptr), np.array(bond_ptr)
    ends = np.stack([np.array(bonds.held.pop(name), np.int32) for name in ("begin", "end")], axis=1)
    mass = np.array(atoms.held.pop("mass"), np.float32)
    atom, bond = np.zeros((len(mass), len(AtomCode)), np.int8), np.zeros((len(ends), len(BondCode)), np.int8)
    for codes, held in ((atom, atoms.held), (bond, bonds.held)):
        for column, values in held.items():
            codes[:, column] = values
    if chiral:
        places_of, tags = zip(*chiral, strict=True)
        atom[places_of, AtomCode.CHIRALITY] = tags
    atom[:, AtomCode.RINGS] = rings
    atom[:, AtomCode.ROLES] = marks or 0
    numbers = ends + np.repeat(starts[0][:-1], np.diff(starts[1]))[:, None]
    atom[:, AtomCode.DEGREE] = np.bincount(numbers.ravel(), minlength=len(atom))
    pos = [place for place in places if place is not None]
    is_placed = len(pos) == len(places) > 0
    return PackedMolecules(*starts, atom, mass, ends, bond, np.concatenate(pos) if is_placed else None)


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


def _chiral(mol: Any, first: int) -> list[tuple[int, int]]:
    """The places of the atoms that have a tag, counted from `first`, and the tags: few, and each a slow question."""
    found = mol.GetSubstructMatches(_tagged(), maxMatches=mol.GetNumAtoms())
    return [(first + k, int(mol.GetAtomWithIdx(k).GetChiralTag())) for (k,) in found]


@cache
def _tagged() -> Any:
    """The pattern of an atom with a chiral tag."""
    pattern = rdkit_part("Chem").RWMol()
    pattern.AddAtom(rdkit_part("Chem.rdqueries").HasChiralTagQueryAtom())
    return pattern.GetMol()


def _add_rings(mol: Any, bits: list[int]) -> None:
    """Append a bit for each size of ring that an atom is in."""
    first = len(bits)
    bits += [0] * mol.GetNumAtoms()
    for ring in mol.GetRingInfo().AtomRings():
        bit = 1 << min(len(ring) - _SIZES[0], _SIZES[1] - _SIZES[0] + 1)
        for k in ring:
            bits[first + k] |= bit


def _roles(mol: Any) -> list[int]:
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


def _places(mol: Any) -> np.ndarray | None:
    """[n, 3] in angstrom, None if the molecule has no conformer in three dimensions."""
    if mol.GetNumConformers() == 0 or not mol.GetConformer().Is3D():
        return None
    return mol.GetConformer().GetPositions().astype(np.float32)
