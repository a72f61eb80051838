"""Grapevine: learning on graphs with networks that pass messages.

h_i' = update(h_i, aggregate over j in N(i) of message(h_j, h_i, e_ij))
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grapevine import atoms, graph, nn, ops, testing
    from grapevine.errors import InputError
    from grapevine.graph import Adjacency, Graph

__all__ = ["Adjacency", "Graph", "InputError", "__version__", "atoms", "graph", "nn", "ops", "testing"]

__version__ = "0.1.0"

_HOMES = {"Adjacency": "graph", "Graph": "graph", "InputError": "errors"}


def __getattr__(name: str) -> object:
    """Import on first use, so that `grapevine --help` does not wait for PyTorch."""
    if name in _HOMES:
        return getattr(import_module(f"grapevine.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"grapevine.{name}")
    raise AttributeError(f"module 'grapevine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
