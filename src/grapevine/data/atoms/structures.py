"""Structures of atoms in flat arrays: what every reader gives, in angstrom and electronvolt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from grapevine.data.atoms.elements import symbol_of
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import check


@dataclass(frozen=True, eq=False)
class Structures:
    """Structure k owns the atoms ptr[k] .. ptr[k + 1] - 1. A label that is not known is NaN.

    Args:
        name: of the file.
        z, pos: atomic numbers; places in angstrom.
        ptr: where the atoms of each structure begin.
        cell, pbc: rows are the cell vectors, zero where there are none; along which of them a structure repeats.
        energy: eV.
        forces: eV/angstrom.
        stress: eV/angstrom^3, positive under tension, as ASE's.
        dipole: e angstrom.
        properties: more numbers of each structure, in the units that `units` says.
        isolated_energies: eV of an atom by itself, by atomic number.
        ids: the name of each structure, or its number in the file.
        lines: on which line of the file each structure begins.
        rejects: what was left out and why.
        notes: what was found and inferred, a sentence each.

    >>> water = Structures(z=np.array([8, 1, 1]), pos=np.zeros((3, 3)), ptr=np.array([0, 3]))
    >>> water
    Structures(1 structures, 3 atoms of H, O; 0 energies, 0 forces, 0 stresses)
    """

    z: Int[np.ndarray, " n"]
    pos: Float[np.ndarray, "n 3"]
    ptr: Int[np.ndarray, " g+1"]
    cell: Float[np.ndarray, "g 3 3"] = None  # pyright: ignore[reportAssignmentType]
    pbc: Bool[np.ndarray, "g 3"] = None  # pyright: ignore[reportAssignmentType]
    energy: Float[np.ndarray, " g"] = None  # pyright: ignore[reportAssignmentType]
    forces: Float[np.ndarray, "n 3"] = None  # pyright: ignore[reportAssignmentType]
    stress: Float[np.ndarray, "g 3 3"] = None  # pyright: ignore[reportAssignmentType]
    dipole: Float[np.ndarray, "g 3"] = None  # pyright: ignore[reportAssignmentType]
    properties: Mapping[str, Float[np.ndarray, " g"]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    isolated_energies: Mapping[int, float] = field(default_factory=dict)
    ids: np.ndarray = None  # pyright: ignore[reportAssignmentType]
    lines: Int[np.ndarray, " g"] = None  # pyright: ignore[reportAssignmentType]
    name: str = "structures"
    rejects: Rejects = field(default_factory=Rejects)
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        n, g = len(self.z), len(self.ptr) - 1
        missing: dict[str, Any] = {
            "cell": np.zeros((g, 3, 3)), "pbc": np.zeros((g, 3), bool),
            "energy": np.full(g, np.nan), "forces": np.full((n, 3), np.nan),
            "stress": np.full((g, 3, 3), np.nan), "dipole": np.full((g, 3), np.nan),
            "ids": np.arange(g), "lines": np.zeros(g, np.int64),
        }  # fmt: skip
        for name, values in missing.items():
            given = getattr(self, name)
            if given is None:
                object.__setattr__(self, name, values)
                continue
            wanted = values.shape
            check(given.shape == wanted, f"{name} must have shape {wanted}, got {given.shape}")
        check(self.pos.shape == (n, 3), f"pos must have shape {(n, 3)}, got {self.pos.shape}")
        covers = len(self.ptr) > 0 and self.ptr[0] == 0 and self.ptr[-1] == n and bool((np.diff(self.ptr) >= 0).all())
        check(covers, f"ptr must rise from 0 to the {n} atoms")

    def __len__(self) -> int:
        return len(self.ptr) - 1

    @property
    def sizes(self) -> Int[np.ndarray, " g"]:
        """How many atoms each structure has."""
        return np.diff(self.ptr)

    @property
    def elements(self) -> tuple[int, ...]:
        """The atomic numbers that occur, ascending."""
        return tuple(np.unique(self.z).tolist())

    @property
    def has_energy(self) -> Bool[np.ndarray, " g"]:
        return np.isfinite(self.energy)

    @property
    def has_forces(self) -> Bool[np.ndarray, " g"]:
        """Of which structures every force is known."""
        unknown = np.concatenate([[0], np.cumsum(~np.isfinite(self.forces).all(axis=1))])
        return np.asarray((np.diff(unknown[self.ptr]) == 0) & (self.sizes > 0))

    @property
    def has_stress(self) -> Bool[np.ndarray, " g"]:
        return np.asarray(np.isfinite(self.stress).all(axis=(1, 2)))

    def take(self, ids: Int[np.ndarray, " k"]) -> "Structures":
        """The structures of these numbers, in this order.

        >>> both = Structures(z=np.array([1, 2, 3]), pos=np.zeros((3, 3)), ptr=np.array([0, 1, 3]))
        >>> both.take(np.array([1])).z.tolist()
        [2, 3]
        """
        ids = np.asarray(ids, np.int64)
        sizes = self.sizes[ids]
        ptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        atoms = np.arange(ptr[-1]) + np.repeat(self.ptr[ids] - ptr[:-1], sizes)
        of_graph = {name: getattr(self, name)[ids] for name in _OF_GRAPH}
        of_atoms = {name: getattr(self, name)[atoms] for name in _OF_ATOM}
        properties = {name: values[ids] for name, values in self.properties.items()}
        return replace(self, ptr=ptr, properties=properties, **of_graph, **of_atoms)

    def __repr__(self) -> str:
        symbols = ", ".join(symbol_of(number) for number in self.elements)
        counts = f"{self.has_energy.sum()} energies, {self.has_forces.sum()} forces, {self.has_stress.sum()} stresses"
        left_out = f"; {len(self.rejects)} left out" if len(self.rejects) else ""
        return f"Structures({len(self)} structures, {len(self.z)} atoms of {symbols or 'nothing'}; {counts}{left_out})"


_OF_ATOM = ("z", "pos", "forces")
_OF_GRAPH = ("cell", "pbc", "energy", "stress", "dipole", "ids", "lines")


def join_structures(parts: Sequence[Structures]) -> Structures:
    """The structures of several files behind one another; a property that some lack is NaN there.

    >>> one = Structures(z=np.array([8]), pos=np.zeros((1, 3)), ptr=np.array([0, 1]))
    >>> len(join_structures([one, one]))
    2
    """
    check(len(parts) > 0, "there must be one part at least, got none")
    if len(parts) == 1:
        return parts[0]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_OF_ATOM, *_OF_GRAPH)}
    sizes = np.concatenate([part.sizes for part in parts])
    names = dict.fromkeys(name for part in parts for name in part.properties)
    properties = {
        name: np.concatenate([part.properties.get(name, np.full(len(part), np.nan)) for part in parts])
        for name in names
    }
    rejects = Rejects()
    units, isolated = {}, {}
    for part in parts:
        rejects.extend(part.rejects)
        units |= part.units
        isolated = {**part.isolated_energies, **isolated}
    return Structures(
        **joined,
        ptr=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
        properties=properties,
        units=units,
        isolated_energies=isolated,
        name=parts[0].name,
        rejects=rejects,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
