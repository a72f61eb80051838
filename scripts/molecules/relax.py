"""Gives a molecule its geometry and labels: ETKDGv3, MMFF94, then GFN2-xTB.

Riniker & Landrum 2015; Wang, Witek, Landrum & Riniker 2020; Halgren 1996; Bannwarth, Ehlert & Grimme 2019.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from ase import Atoms
from ase.optimize import BFGS
from ase.units import Bohr, Debye, Hartree
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds, rdDistGeom, rdForceFieldHelpers
from tblite.ase import TBLite
from tblite.interface import Calculator

METHOD = "GFN2-xTB"
_NUM_CONFORMERS = 10  # of which MMFF's lowest is relaxed
_FORCE_LIMIT = 0.01  # eV/angstrom
_MOST_STEPS = 500
_SMALLEST_GAP = 1.5  # eV; below it the occupations are smeared and one determinant does not tell
_UNPAIRED = {1: 1, 6: 2, 7: 3, 8: 2, 9: 1}  # electrons of the free atom, by Hund's rule
_LONGEST_BOND = 1.15  # times the sum of the covalent radii
_DEBYE = Bohr / Debye  # of an electron times a bohr


@dataclass(frozen=True)
class Relaxed:
    """A molecule at its minimum: SMILES with the stereo that it has there, all hydrogens among its atoms.

    Args:
        smiles: heavy atoms only, as usual.
        numbers: atomic numbers, in the order of the SMILES, the hydrogens last.
        positions: angstrom, of single precision, and the labels are those of exactly these.
        energy, atomisation, homo, lumo: electronvolt.
        dipole: debye.
    """

    smiles: str
    numbers: list[int]
    positions: list[list[float]]
    energy: float
    atomisation: float
    dipole: float
    homo: float
    lumo: float


def relaxed(smiles: str, seed: int) -> Relaxed:
    """The molecule at a minimum of GFN2-xTB; it has to be still the same molecule there.

    Raises:
        ValueError: if there is no geometry, it does not converge, or atoms have changed their bonds.
    """
    mol = _embedded(Chem.AddHs(Chem.MolFromSmiles(smiles)), seed)
    atoms = Atoms(_numbers(mol), mol.GetConformer().GetPositions(), calculator=TBLite(method=METHOD, verbosity=0))
    if not BFGS(atoms, logfile=None).run(fmax=_FORCE_LIMIT, steps=_MOST_STEPS):
        raise ValueError("not converged")
    _check_bonds(mol, atoms.positions)
    mol.GetConformer().SetPositions(atoms.positions)
    final, mol = _in_order_of_smiles(mol)
    positions = mol.GetConformer().GetPositions().astype(np.float32)
    labels = labels_of(_numbers(mol), positions.astype(np.float64))
    if labels["lumo"] - labels["homo"] < _SMALLEST_GAP:
        raise ValueError("no gap")
    return Relaxed(final, _numbers(mol), positions.tolist(), **labels)


def labels_of(numbers: list[int], positions: np.ndarray) -> dict[str, float]:
    """GFN2-xTB at these positions (angstrom): energies in electronvolt, the dipole moment in debye.

    The atomisation energy is the molecule's less that of its atoms, so that a bound molecule's is negative.
    """
    result = _single_point(numbers, positions, 0)
    energy = result["energy"] * Hartree
    levels = result["orbital-energies"] * Hartree
    num_filled = round(float(result["orbital-occupations"].sum()) / 2)
    return {
        "energy": energy,
        "atomisation": energy - sum(_atom_energy(number) for number in numbers),
        "dipole": float(np.linalg.norm(result["dipole"])) * _DEBYE,
        "homo": float(levels[num_filled - 1]),
        "lumo": float(levels[num_filled]),
    }


@cache
def _atom_energy(number: int) -> float:
    return _single_point([number], np.zeros((1, 3)), _UNPAIRED[number])["energy"] * Hartree


def _single_point(numbers: list[int], positions: np.ndarray, unpaired: int) -> dict:
    calculator = Calculator(METHOD, np.array(numbers), positions / Bohr, uhf=unpaired)
    calculator.set("verbosity", 0)
    result = calculator.singlepoint()
    return {name: result.get(name) for name in ("energy", "dipole", "orbital-energies", "orbital-occupations")}


def _embedded(mol: Chem.Mol, seed: int) -> Chem.Mol:
    """With the conformer, of whatever stereo, that MMFF finds lowest."""
    settings = rdDistGeom.ETKDGv3()
    settings.randomSeed = seed
    if not rdDistGeom.EmbedMultipleConfs(mol, _NUM_CONFORMERS, settings):
        raise ValueError("not embedded")
    if not rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        raise ValueError("no MMFF parameters")
    outcomes = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, maxIters=2000)
    lowest = int(np.argmin([energy for _, energy in outcomes]))
    best = mol.GetConformers()[lowest]
    return Chem.Mol(mol, confId=best.GetId())


def _check_bonds(mol: Chem.Mol, positions: np.ndarray) -> None:
    """Raise a ValueError unless distances alone give the molecule's bonds."""
    bare = Chem.RWMol()
    for number in _numbers(mol):
        bare.AddAtom(Chem.Atom(number))
    bare.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    bare.GetConformer().SetPositions(positions)
    rdDetermineBonds.DetermineConnectivity(bare, useVdw=True, covFactor=_LONGEST_BOND)
    if _pairs(bare) != _pairs(mol):
        raise ValueError("other bonds after relaxation")


def _pairs(mol: Chem.Mol) -> set[frozenset[int]]:
    return {frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in mol.GetBonds()}


def _in_order_of_smiles(mol: Chem.Mol) -> tuple[str, Chem.Mol]:
    """Its SMILES with the stereo of its positions, and its atoms in the order that parsing this SMILES gives them.

    The hydrogens follow the heavy atoms, those of the first heavy atom first, as RDKit's `AddHs` appends them.
    """
    heavy = Chem.RemoveHs(mol)
    Chem.AssignStereochemistryFrom3D(heavy)
    smiles = Chem.MolToSmiles(heavy)
    order = list(heavy.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    near = [other for i in order for other in mol.GetAtomWithIdx(i).GetNeighbors()]
    hydrogens = [other.GetIdx() for other in near if other.GetAtomicNum() == 1]
    mol = Chem.RenumberAtoms(mol, order + hydrogens)
    fresh = Chem.AddHs(Chem.MolFromSmiles(smiles))
    if _numbers(fresh) != _numbers(mol) or _pairs(fresh) != _pairs(mol):
        raise ValueError("atoms in another order")
    return smiles, mol


def _numbers(mol: Chem.Mol) -> list[int]:
    return [atom.GetAtomicNum() for atom in mol.GetAtoms()]
