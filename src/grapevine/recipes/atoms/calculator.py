"""A trained potential as a calculator of ASE: energy, forces and stress, neighbours kept from one step to the next."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch

from grapevine.data.atoms.ase_parts import atoms_part
from grapevine.data.atoms.cells import full_cell
from grapevine.data.atoms.skin import SkinNeighbors
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.recipes.atoms.models import DTYPES
from grapevine.recipes.atoms.trained import TrainedPotential, load_potential

_Base: Any = atoms_part("ase.calculators.calculator").Calculator
_all_changes: list[str] = atoms_part("ase.calculators.calculator").all_changes
_VOIGT = (0, 4, 8, 5, 2, 1)  # xx yy zz yz xz xy of nine numbers
_FOR_ENERGY = ("energy", "free_energy", "energies")


class Calculator(_Base):
    """`atoms.calc = Calculator(run)`: a trained potential for whatever ASE does with structures.

    It says energy and free_energy (which are the same), energies of the atoms, forces and, where a structure repeats
    in every direction, stress, in eV and angstrom. An element that the model was not trained on is an InputError.

    Args:
        run: a run folder of `grapevine train`, or a trained potential.
        dtype: "float32" or "float64" to compute in; None: as it was trained. Relaxations to small forces, and finite
            differences, want float64.
        skin: how far, in angstrom, atoms may move before their neighbours are looked for anew.
        device: where it computes.

    >>> import tempfile
    >>> from grapevine.nn.equivariant.potential import Potential
    >>> from grapevine.nn.equivariant.schnet import SchNet
    >>> from grapevine.recipes.atoms.config import PotentialConfig
    >>> config = PotentialConfig(name="schnet", elements=(1, 8))
    >>> water = atoms_part("ase").Atoms("OH2", positions=[[0, 0, 0.1], [0, 0.8, -0.5], [0, -0.8, -0.5]])
    >>> water.calc = Calculator(TrainedPotential(Potential(SchNet(elements=(1, 8))), config, True, False))
    >>> water.get_forces().shape
    (3, 3)
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(
        self,
        run: Path | str | TrainedPotential,
        *,
        dtype: Literal["float32", "float64"] | None = None,
        skin: float = 0.5,
        device: str | torch.device = "cpu",
    ):
        super().__init__()
        self.trained = load_potential(run)
        check(dtype is None or dtype in DTYPES, f"dtype must be float32 or float64, got {dtype!r}")
        self.dtype = DTYPES[dtype or self.trained.config.dtype]
        self.device = torch.device(device)
        self.potential = deepcopy(self.trained.potential).to(self.device, self.dtype).eval().requires_grad_(False)
        self.neighbors = SkinNeighbors(self.trained.config.cutoff, skin)

    def calculate(
        self, atoms: Any = None, properties: Sequence[str] = ("energy",), system_changes: Sequence[str] = _all_changes
    ) -> None:
        """What ASE calls: the properties that are asked for, and those that come with them."""
        super().calculate(atoms, list(properties), list(system_changes))
        graph = self._graph()
        repeats = bool(self.atoms.pbc.all())
        check("stress" not in properties or repeats, "a stress needs a structure that repeats in every direction")
        by_vector = any(name not in _FOR_ENERGY for name in properties)
        with torch.no_grad():
            said = self.potential(graph, forces=by_vector, stress=by_vector and repeats)
        energy = float(said.energy)
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "energies": self._of_atoms(said.atom_energy, graph.z),
        }
        if said.forces is not None:
            self.results["forces"] = said.forces.detach().cpu().double().numpy()
        if said.stress is not None:
            self.results["stress"] = said.stress.detach().cpu().double().numpy().reshape(9)[list(_VOIGT)]

    def _graph(self) -> Graph:
        atoms = self.atoms
        z = torch.from_numpy(np.asarray(atoms.numbers, np.int64))
        self.trained.check_elements(z)
        pos = torch.from_numpy(np.array(atoms.positions, np.float64))
        pbc = np.asarray(atoms.pbc, bool)
        cell = torch.from_numpy(np.array(full_cell(np.array(atoms.cell, np.float64), pbc, atoms.positions)))
        if pbc.any():
            edges, shift = self.neighbors(
                pos, cell=torch.from_numpy(_repeating(atoms.cell, pbc)), pbc=torch.tensor(pbc), z=z
            )
        else:
            edges, shift = self.neighbors(pos, z=z)
        graph = Graph(
            edges, z=z, pos=pos.to(self.dtype), edge={"shift": shift}, graph={"cell": cell.to(self.dtype).unsqueeze(0)}
        )
        return graph.to(self.device)

    def _of_atoms(self, atom_energy: torch.Tensor, z: torch.Tensor) -> np.ndarray:
        shift = self.potential.shift[self.potential.network.kinds(z)]
        return (atom_energy.detach().double() + shift).cpu().numpy()


def _repeating(cell: Any, pbc: np.ndarray) -> np.ndarray:
    """The cell with nothing along what does not repeat, so that a list of neighbours lasts."""
    return np.where(pbc[:, None], np.array(cell, np.float64), 0.0)
