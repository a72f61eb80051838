"""Imports ASE and vesin where they are needed, and says what to install where they are missing."""

from importlib import import_module
from typing import Any


def atoms_part(name: str) -> Any:
    """A module of the packages that the extra `atoms` installs, as "ase.io" or "vesin".

    Raises:
        ImportError: if it is not installed.

    >>> atoms_part("ase").Atoms("OH2").numbers.tolist()
    [8, 1, 1]
    """
    try:
        return import_module(name)
    except ImportError as error:
        package = {"ase": "ASE"}.get(name.partition(".")[0], name)
        raise ImportError(f"this needs {package}: pip install 'grapevine-gnn[atoms]'") from error
