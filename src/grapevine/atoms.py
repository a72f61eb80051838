"""Trained potentials in use: `gv.atoms.Calculator(run)` for ASE. It is imported when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grapevine.recipes.atoms.calculator import Calculator
    from grapevine.recipes.atoms.trained import TrainedPotential, load_potential

__all__ = ["Calculator", "TrainedPotential", "load_potential"]

_HOMES = {"Calculator": "calculator", "TrainedPotential": "trained", "load_potential": "trained"}


def __getattr__(name: str) -> object:
    """Import on first use: ASE need not be there for the rest."""
    if name in _HOMES:
        return getattr(import_module(f"grapevine.recipes.atoms.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'grapevine.atoms' has no attribute {name!r}")
