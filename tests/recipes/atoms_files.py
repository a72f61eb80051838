"""Small files of structures whose energies and forces are known: clusters by a Morse potential, copper by EMT."""

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.morse import MorsePotential
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

SHIFT = {1: -10.0, 8: -400.0}


def clusters(count: int = 40, seed: int = 0) -> list[Atoms]:
    """H4O2 clusters near a prism, with energies of lone atoms added."""
    random = np.random.default_rng(seed)
    ring = np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.87, 0], [0, 0, 1], [1, 0, 1], [0.5, 0.87, 1]])
    found = []
    for number in range(count):
        symbols = "H4O2" if number % 2 else "H3O3"
        atoms = Atoms(symbols, positions=ring + random.normal(scale=0.08, size=ring.shape))
        atoms.calc = MorsePotential(epsilon=1.0, r0=1.0, rho0=3.0, rcut1=2.0, rcut2=2.6)
        energy = atoms.get_potential_energy() + sum(SHIFT[z] for z in atoms.numbers)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=atoms.get_forces())
        found.append(atoms)
    return found


def crystals(count: int = 12, seed: int = 0) -> list[Atoms]:
    """Rattled and strained copper cells of four atoms."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.set_cell(atoms.cell[:] @ (np.eye(3) + random.normal(scale=0.02, size=(3, 3))), scale_atoms=True)
        atoms.positions += random.normal(scale=0.05, size=(4, 3))
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        atoms.calc = SinglePointCalculator(atoms, **results)
        found.append(atoms)
    return found


def write_clusters(path: Path, count: int = 40, seed: int = 0) -> Path:
    write(path, clusters(count, seed), format="extxyz")
    return path


def write_crystals(path: Path, count: int = 12, seed: int = 0) -> Path:
    write(path, crystals(count, seed), format="extxyz")
    return path
