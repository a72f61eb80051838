"""Finds the bonds of a molecule from the places of its atoms: which are near enough, and then of what order.

Atoms i and j are joined where d_ij <= f (r_i + r_j), r the covalent radii; orders are those that fill the valences.
Kim & Kim 2015, "Universal structure conversion method for organic molecules", as RDKit has it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from grapevine.data.molecules.rdkit_parts import rdkit_part

# The factors f that are tried in turn. The first keeps apart the atoms that face each other across a small cage, of
# which QM9 has many; the second lets stretched bonds pass.
_REACHES = (1.15, 1.3)


def perceive(numbers: Sequence[int], places: Float[np.ndarray, "n 3"]) -> tuple[Any, bool]:
    """A sanitised RDKit molecule, and whether its bonds have orders.

    The molecule is taken to have no charge, though its atoms may. Where no orders fill the valences, the bonds are
    left as those of the first factor without an order (type 0 in the codes).

    Args:
        numbers: the atomic numbers, all hydrogens among them.
        places: in angstrom.

    Raises:
        ImportError: if RDKit is not installed.

    >>> water = np.array([[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]])
    >>> mol, has_orders = perceive([8, 1, 1], water)
    >>> mol.GetNumBonds(), has_orders
    (2, True)
    """
    chem, bonds = rdkit_part("Chem"), rdkit_part("Chem.rdDetermineBonds")
    bare = _bare(chem, numbers, places)
    with rdkit_part("rdBase").BlockLogs():
        for reach in _REACHES:
            mol = chem.Mol(bare)
            try:
                bonds.DetermineConnectivity(mol, useVdw=True, covFactor=reach)
                bonds.DetermineBondOrders(mol, charge=0, allowChargedFragments=True, embedChiral=True)
                chem.SanitizeMol(mol)
            except (ValueError, RuntimeError):  # RDKit's own errors are among these
                continue
            if not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
                return mol, True
        bonds.DetermineConnectivity(bare, useVdw=True, covFactor=_REACHES[0])
        return _without_orders(chem, bare), bare.GetNumBonds() == 0


def _bare(chem: Any, numbers: Sequence[int], places: np.ndarray) -> Any:
    mol = chem.RWMol()
    for number in numbers:
        atom = chem.Atom(int(number))
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    conformer = chem.Conformer(len(numbers))
    conformer.SetPositions(np.asarray(places, np.float64))
    conformer.Set3D(True)
    mol.AddConformer(conformer)
    return mol


def _without_orders(chem: Any, mol: Any) -> Any:
    """With what the codes need (rings, hybridisation), which an ordinary sanitisation would refuse to work out."""
    mol.UpdatePropertyCache(False)
    chem.GetSymmSSSR(mol)
    chem.SetHybridization(mol)
    for bond in mol.GetBonds():
        bond.SetBondType(chem.BondType.UNSPECIFIED)
    return mol
