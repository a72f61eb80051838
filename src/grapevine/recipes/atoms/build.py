"""The potential that training begins with: shifts and scale from the training structures, weights new or from a run.

E = sum over atoms (shift[z_i] + scale out_i): shift from the compositions by least squares, or the energies of isolated
atoms and the mean binding energy of an atom; scale the root mean square of the forces, or where there are none of the
energies per atom that the shifts leave. The shifts are fitted again, or their mean, to what the network leaves: before,
within and after training, so that it need not learn the mean of its outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from grapevine.data.atoms.composition import CompositionFit, composition_fit
from grapevine.data.atoms.elements import symbol_of
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.nn.equivariant.potential import Potential
from grapevine.ops.segment import segment_reduce
from grapevine.recipes.atoms.apply import say
from grapevine.recipes.atoms.config import AtomsConfig, PotentialConfig
from grapevine.recipes.atoms.data import AtomsData, mean_neighbors
from grapevine.recipes.atoms.models import build_potential_network
from grapevine.recipes.atoms.trained import TrainedPotential

_SMALLEST = 1e-4  # of a scale: what varies less is a constant


@dataclass(frozen=True)
class Start:
    """What training begins with.

    Args:
        shift: eV of each element.
        scale: what the network's numbers are multiplied by, and the loss divides errors by.
        fit: of the compositions of the training structures; None where no energy is known.
        is_fitted: whether the shifts are that fit's, or those of isolated atoms and one number for all.
        notes: where the shifts come from, in words.
    """

    shift: Mapping[int, float]
    scale: float
    fit: CompositionFit | None
    notes: tuple[str, ...]
    is_fitted: bool = False


def start_of(data: AtomsData) -> Start:
    """Shifts and scale from the structures that teach."""
    graph, elements = take(data.graph, data.parts["train"]), data.elements
    if not _knows_energy(graph):
        return Start(dict.fromkeys(elements, 0.0), max(_force_rms(graph), _SMALLEST), None, ())
    fit = composition_fit(graph)
    fit = replace(fit, shifts={z: fit.shifts.get(z, fit.mean_per_atom) for z in elements})
    scale = fit.scale if fit.scale > _SMALLEST else 1.0
    missing = [z for z in elements if z not in data.isolated]
    if data.isolated and not missing:
        return _bound(graph, {z: data.isolated[z] for z in elements}, scale, fit)
    notes = []
    if data.isolated:
        notes.append(f"no isolated atom of {', '.join(map(symbol_of, missing))}: all shifts are fitted instead")
    listed = ", ".join(f"{symbol_of(z)} {shift:.3f}" for z, shift in fit.shifts.items())
    notes.append(f"energies are learnt from a fit of the composition on, in eV: {listed}")
    return Start(fit.shifts, scale, fit, tuple(notes), is_fitted=True)


def filled(config: PotentialConfig, data: AtomsData, begun: TrainedPotential | None) -> PotentialConfig:
    """The network's configuration with what the data say; of a run that is gone on from, that run's.

    Raises:
        InputError: if the run's network is another one than was told, or does not know an element of the data.
    """
    if begun is None:
        average = mean_neighbors(data.graph, data.parts["train"])
        return config.model_copy(update={"elements": data.elements, "avg_num_neighbors": average})
    begun.check_elements(data.graph.z)
    return begun.config


def build(config: AtomsConfig, start: Start, begun: TrainedPotential | None) -> Potential:
    """The potential, its weights drawn from the training's seed or those of the run that is gone on from.

    Of such a run the scale stays, which its weights go with; the shifts are those of the new energies.
    """
    elements = config.model.elements
    if begun is None:
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            network = build_potential_network(config.model)
        return Potential(network, shift=start.shift, scale=start.scale)
    old = dict(zip(elements, begun.potential.shift.tolist(), strict=True))
    shift = {z: start.shift.get(z, old[z]) for z in elements} if start.fit is not None else old
    network = build_potential_network(config.model)
    network.load_state_dict(begun.potential.network.state_dict())
    return Potential(network, shift=shift, scale=begun.potential.scale)


def refitted(potential: Potential, data: AtomsData, start: Start) -> Potential:
    """The same network, its shifts so that the training structures' compositions, or sizes where the shifts are those
    of isolated atoms, say nothing of what it leaves."""
    graph = take(data.graph, data.parts["train"])
    potential = potential.cpu()
    if start.fit is None:
        return potential
    left = graph.energy.double() - say(potential, graph, forces=False).energy
    if not bool(left[graph.energy.isfinite()].isfinite().all()):
        return potential
    fit = composition_fit(graph.replace(graph={"energy": left}))
    more = fit.shifts if start.is_fitted else dict.fromkeys(fit.shifts, fit.mean_per_atom)
    elements = potential.network.elements
    shift = {z: old + more.get(z, 0.0) for z, old in zip(elements, potential.shift.tolist(), strict=True)}
    return Potential(potential.network, shift=shift, scale=potential.scale)


def _bound(graph: Graph, isolated: Mapping[int, float], scale: float, fit: CompositionFit) -> Start:
    """With the energies of isolated atoms, and what an atom gains on average by being bound."""
    alone = torch.tensor([isolated[z] for z in fit.shifts], dtype=torch.float64)
    row = torch.searchsorted(torch.tensor(list(fit.shifts)), graph.z)
    left = graph.energy.double() - segment_reduce(graph.members, alone[row].unsqueeze(1)).squeeze(1)
    known = left.isfinite()
    gain = float((left / graph.ptr.diff())[known].mean())
    note = f"energies are learnt from isolated atoms on, and {gain:.3f} eV an atom by which they are bound on average"
    return Start({z: isolated[z] + gain for z in fit.shifts}, scale, fit, (note,))


def check_same(told: PotentialConfig, config: PotentialConfig, run: str) -> None:
    """Raise an InputError if the network of a run that is gone on from is not what was told."""
    if told.name != config.name:
        raise InputError(f"{run} is a {config.name}, which can not be gone on from as {told.name}")


def _knows_energy(graph: Graph) -> bool:
    return "energy" in graph.graph and bool(graph.energy.isfinite().any())


def _force_rms(graph: Graph) -> float:
    known = graph.forces[graph.forces.isfinite()] if "forces" in graph.node else torch.ones(1)
    return float(known.square().mean().sqrt())
