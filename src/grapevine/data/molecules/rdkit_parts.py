"""Imports RDKit where it is needed, and says what to install where it is missing."""

from importlib import import_module
from typing import Any


def rdkit_part(name: str) -> Any:
    """A module of RDKit, as "Chem" or "Chem.MolStandardize.rdMolStandardize".

    Raises:
        ImportError: if RDKit is not installed.

    >>> rdkit_part("Chem").MolFromSmiles("CCO").GetNumAtoms()
    3
    """
    try:
        return import_module(f"rdkit.{name}")
    except ImportError as error:
        raise ImportError("reading molecules needs RDKit: pip install 'grapevine-gnn[chem]'") from error
