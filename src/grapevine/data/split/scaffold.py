"""Groups molecules by their scaffold: the rings and what links them (Bemis and Murcko, 1996)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from grapevine.data.molecules.mols import each_mol
from grapevine.data.molecules.rdkit_parts import rdkit_part


def scaffold_keys(smiles: Sequence[str], *, generic: bool = False) -> Int[np.ndarray, " n"]:
    """[n] the number of each molecule's scaffold, in the order in which scaffolds first appear.

    Scaffolds are compared as canonical SMILES without chirality; all molecules without a ring have one scaffold.

    Args:
        generic: compare scaffolds with every atom a carbon and every bond single.

    Raises:
        InputError: for a text that is no molecule.
        ImportError: if RDKit is not installed.

    >>> scaffold_keys(["CCO", "Cc1ccccc1", "NCCc1ccccc1", "C1CCNCC1", "C"]).tolist()
    [0, 1, 1, 2, 0]
    """
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(text, len(numbers)) for text in scaffolds(smiles, generic=generic)], np.int64)


def scaffolds(smiles: Sequence[str], *, generic: bool = False) -> list[str]:
    """The scaffold of each molecule as canonical SMILES, empty where there is no ring; errors as `scaffold_keys`.

    >>> scaffolds(["CCc1ccc(CC2CCNC2)cc1", "CC"])
    ['c1ccc(CC2CCNC2)cc1', '']
    """
    chem, murcko = rdkit_part("Chem"), rdkit_part("Chem.Scaffolds.MurckoScaffold")
    found = []
    for mol in each_mol(smiles):
        core = murcko.GetScaffoldForMol(mol)
        if generic and core.GetNumAtoms() > 0:
            core = murcko.MakeScaffoldGeneric(core)
        found.append(chem.MolToSmiles(core, isomericSmiles=False))
    return found
