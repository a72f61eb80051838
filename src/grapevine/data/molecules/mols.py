"""RDKit molecules of SMILES that are known to be good, one at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

from grapevine.data.molecules.parse import ParseOptions, Reader, Unreadable
from grapevine.data.molecules.rdkit_parts import rdkit_part
from grapevine.errors import InputError


def each_mol(smiles: Sequence[str]) -> Iterator[Any]:
    """The molecules, in order; RDKit prints nothing.

    Raises:
        InputError: for a text that is no molecule.
        ImportError: if RDKit is not installed.

    >>> [mol.GetNumAtoms() for mol in each_mol(["CCO", "C"])]
    [3, 1]
    """
    reader = Reader(ParseOptions())
    for row, text in enumerate(smiles):
        try:
            with rdkit_part("rdBase").BlockLogs():
                mol = reader.molecule(text)
        except Unreadable as error:
            raise InputError(f"molecule {row}, {text!r}, can not be read: {error}") from error
        yield mol
