"""What in a file of structures can not be as it stands there: copies, and stresses of other structures."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from grapevine.data.atoms.structures import Structures


def copies(structures: Structures) -> Int[np.ndarray, " g"]:
    """[g] the number of the first structure with the same atoms, places and cell; its own where it is the first.

    A split that does not keep copies together tests on what it has taught.

    >>> copies(Structures(z=np.array([1, 2, 1]), pos=np.zeros((3, 3)), ptr=np.arange(4))).tolist()
    [0, 1, 0]
    """
    seen: dict[tuple[bytes, ...], int] = {}
    first = np.arange(len(structures))
    ends = structures.ptr.tolist()
    for k in range(len(structures)):
        atoms = slice(ends[k], ends[k + 1])
        parts = structures.z[atoms], structures.pos[atoms], structures.cell[k], structures.pbc[k]
        first[k] = seen.setdefault(tuple(part.tobytes() for part in parts), k)
    return first


def without_doubts(structures: Structures) -> Structures:
    """With a note of copies, and no stress where it is that of an earlier structure of another energy.

    Two structures do not have the same stress to the last digit; a file in which they do was put together wrongly.
    """
    notes = list(structures.notes)
    first = copies(structures)
    late = (first != np.arange(len(first))).nonzero()[0]
    if len(late):
        example = f"{structures.ids[late[0]]} of {structures.ids[first[late[0]]]}"
        notes.append(f"{structures.name}: {len(late)} structures are copies of earlier ones, as {example}")
    borrowed = _borrowed(structures)
    if len(borrowed) == 0:
        return replace(structures, notes=tuple(notes))
    stress = structures.stress.copy()
    stress[borrowed] = np.nan
    notes.append(
        f"{structures.name}: {len(borrowed)} stresses are not used, as that of {structures.ids[borrowed[0]]}: "
        "they are, digit by digit, those of other structures"
    )
    return replace(structures, stress=stress, notes=tuple(notes))


def _borrowed(structures: Structures) -> Int[np.ndarray, " k"]:
    """The structures with a stress that came before with another energy."""
    seen: dict[bytes, float] = {}
    found = []
    for k in (structures.has_stress & (structures.stress != 0).any(axis=(1, 2))).nonzero()[0].tolist():
        energy = float(structures.energy[k])
        owner = seen.setdefault(structures.stress[k].tobytes(), energy)
        if abs(owner - energy) > 1e-6 * max(1.0, abs(energy)):
            found.append(k)
    return np.array(found, np.int64)
