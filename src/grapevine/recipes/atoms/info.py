"""What there is to know of a file of structures before anything is trained on it."""

from pathlib import Path
from typing import Any

import numpy as np

from grapevine.data.atoms.doubts import copies
from grapevine.data.atoms.elements import symbol_of
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.structures import Structures
from grapevine.nn.equivariant.geometry import lengths, vectors_of
from grapevine.recipes.atoms.data import in_words, load_structures

_CUTOFF = 5.0  # angstrom


def describe_structures(path: Path | str) -> dict[str, Any]:
    """Sizes, elements, labels and distances, in angstrom and electronvolt.

    Raises:
        InputError: if the file can not be read.
        ImportError: if a format or a periodic cell needs a package that is not installed.
    """
    found, _ = load_structures(path, ReadOptions(), _CUTOFF)
    read, graph = found.structures, found.graph
    counts = np.bincount(read.z, minlength=1)
    first = copies(read)
    apart = lengths(vectors_of(graph))
    return {
        "kind": "data",
        "name": read.name,
        "structures": in_words(read),
        "atoms": {symbol_of(z): int(counts[z]) for z in read.elements},
        "energy per atom, eV": _spread(read.energy / np.maximum(read.sizes, 1)),
        "force component, eV/angstrom": _spread(read.forces),
        "stress component, eV/angstrom^3": _spread(read.stress),
        "volume per atom, angstrom^3": _spread(_volumes(read)),
        f"neighbours within {_CUTOFF:g} angstrom": _spread(graph.adj.in_degree.numpy()),
        "shortest distance, angstrom": round(float(apart.min()), 4) if len(apart) else None,
        "copies": int((first != np.arange(len(first))).sum()),
        "properties": list(read.properties),
        "notes": list(dict.fromkeys((*read.notes, *found.notes))),
        "rejected": len(found.rejects),
    }


def _volumes(read: Structures) -> np.ndarray:
    """Of the structures that repeat in all three directions."""
    is_crystal = read.pbc.all(1)
    return np.abs(np.linalg.det(read.cell[is_crystal])) / read.sizes[is_crystal]


def _spread(values: np.ndarray) -> dict[str, float]:
    """The range, the mean and the standard deviation of what is known."""
    known = values[np.isfinite(values)].astype(float)
    if known.size == 0:
        return {}
    told = {"min": known.min(), "mean": known.mean(), "max": known.max(), "deviation": known.std()}
    return {name: round(float(value), 6) for name, value in told.items()}
