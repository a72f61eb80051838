"""What of the energies a sum over the atoms explains: the baseline of every potential, and what it starts from.

E ~ sum over elements of  count[g, z] shift[z],  by least squares; where compositions do not tell the elements apart,
the shifts that depart least from the mean energy per atom
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.data.atoms.elements import symbol_of
from grapevine.errors import check
from grapevine.graph import Graph

_RANK = 1e-9  # of the largest singular value; below it compositions do not tell the elements apart


@dataclass(frozen=True)
class CompositionFit:
    """Energies of the elements, and what they leave.

    Args:
        shifts: eV of each element, by atomic number.
        mean_per_atom: eV, the mean over structures of energy over number of atoms.
        rms: eV, what the shifts leave of the energies, root mean square.
        rms_per_atom: the same of energy over number of atoms.
        rms_of_mean: eV per atom, what the mean energy per atom leaves.
        scale: eV/angstrom, the root mean square of all components of forces; where there are none, `rms_per_atom`.
        is_determined: whether the compositions tell the elements apart.
        num_structures: of how many energies it was made.
    """

    shifts: Mapping[int, float]
    mean_per_atom: float
    rms: float
    rms_per_atom: float
    rms_of_mean: float
    scale: float
    is_determined: bool
    num_structures: int

    def predict(self, graph: Graph) -> Float[Tensor, " g"]:
        """The sum of the shifts of each structure's atoms, float64.

        Raises:
            InputError: for an element that has no shift.
        """
        elements = torch.tensor(sorted(self.shifts))
        shifts = torch.tensor([self.shifts[z] for z in sorted(self.shifts)], dtype=torch.float64)
        return _counts(graph, elements) @ shifts


def composition_fit(graph: Graph) -> CompositionFit:
    """Fit the energies of a batch of structures by their composition; those without an energy do not count.

    Raises:
        InputError: if no structure has an energy.

    >>> water = {"z": torch.tensor([8, 1, 1, 1, 1]), "edges": torch.zeros(2, 0, dtype=torch.int64)}
    >>> parts = [Graph(water["edges"], z=z, graph={"energy": e}) for z, e in (
    ...     (torch.tensor([8, 1, 1]), torch.tensor([-14.0])), (torch.tensor([1, 1]), torch.tensor([-6.0])))]
    >>> fit = composition_fit(Graph.batch(parts))
    >>> {z: round(shift, 6) for z, shift in fit.shifts.items()}, round(fit.rms, 6)
    ({1: -3.0, 8: -8.0}, 0.0)
    """
    check("z" in graph.node and "energy" in graph.graph, f"a fit of energies needs z and energy, got {graph}")
    energy = graph.energy.double().cpu()
    known = energy.isfinite() & (graph.ptr.diff().cpu() > 0)
    check(bool(known.any()), f"none of the {graph.num_graphs} structures has an energy to fit")
    elements = graph.z.unique().cpu()
    counts, energy = _counts(graph, elements)[known], energy[known]
    elements, counts = elements[counts.sum(0) > 0], counts[:, counts.sum(0) > 0]
    sizes = counts.sum(1)
    mean = float((energy / sizes).mean())
    solution, _, rank, _ = np.linalg.lstsq(counts.numpy(), (energy - mean * sizes).numpy(), rcond=_RANK)
    shifts = torch.from_numpy(solution) + mean
    left = energy - counts @ shifts
    rms_per_atom = _rms(left / sizes)
    return CompositionFit(
        shifts=dict(zip(elements.tolist(), shifts.tolist(), strict=True)),
        mean_per_atom=mean,
        rms=_rms(left),
        rms_per_atom=rms_per_atom,
        rms_of_mean=_rms(energy / sizes - mean),
        scale=_force_rms(graph) or rms_per_atom,
        is_determined=bool(rank == len(elements)),
        num_structures=len(energy),
    )


def _counts(graph: Graph, elements: Tensor) -> Tensor:
    """[g, elements] how many atoms of each; an InputError for an atom of another element."""
    z = graph.z.cpu()
    column = torch.searchsorted(elements, z).clamp(max=len(elements) - 1)
    unknown = z[elements[column] != z].unique().tolist()
    check(not unknown, f"no energy is known of {', '.join(map(symbol_of, unknown))}: the fit did not see them")
    place = graph.graph_id.cpu() * len(elements) + column
    counts = torch.bincount(place, minlength=graph.num_graphs * len(elements))
    return counts.reshape(graph.num_graphs, len(elements)).double()


def _force_rms(graph: Graph) -> float:
    """0 where no force is known."""
    forces = graph.node.get("forces")
    known = forces[forces.isfinite()] if isinstance(forces, Tensor) else torch.zeros(0)
    return _rms(known.double()) if len(known) else 0.0


def _rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
