"""What a potential says of structures, a batch after another, and how far that is from what is known."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.nn.equivariant.potential import Potential
from grapevine.task.energy_forces import EnergyForces
from grapevine.task.structure import answer_rows, seen_by

_EDGES = 50_000  # at a time

Scores = dict[str, float]


@dataclass(frozen=True)
class Said:
    """What is said of structures.

    Args:
        energy: [g] eV, float64.
        forces: [n, 3] eV/angstrom; None where they were not asked for.
        stress: [g, 3, 3] eV/angstrom^3.
    """

    energy: Float[Tensor, " g"]
    forces: Float[Tensor, "n 3"] | None = None
    stress: Float[Tensor, "g 3 3"] | None = None


def say(
    potential: Potential,
    graph: Graph,
    *,
    forces: bool = True,
    stress: bool = False,
    on_batch: Callable[[int, int], None] | None = None,
) -> Said:
    """What a potential says of every structure of a graph, in its own dtype and on its own device, given back on ours.

    Args:
        on_batch: is told how many structures are done, and of how many.

    Raises:
        InputError: for an element the potential does not know.
    """
    weight = next(potential.parameters())
    potential.eval()
    found: dict[str, list[Tensor]] = {"energy": [], "forces": [], "stress": []}
    done = 0
    with torch.no_grad():
        for ids in _chunks(graph):
            part = seen_by(take(graph, ids), weight.dtype, has_stress=stress).to(weight.device)
            said = potential(part, forces=forces, stress=stress)
            for name, parts in found.items():
                value = getattr(said, name)
                if value is not None:
                    parts.append(value.double().to(graph.device))
            done += len(ids)
            if on_batch is not None:
                on_batch(done, graph.num_graphs)
    joined = {name: torch.cat(parts) if parts else None for name, parts in found.items()}
    energy = joined["energy"]
    assert energy is not None, "there is a structure"
    return Said(energy, joined["forces"], joined["stress"])


def judge(said: Said, graph: Graph, ids: Int[Tensor, " k"] | None = None) -> Scores:
    """Every metric of `EnergyForces` that what is known of the structures, or of those, allows."""
    both = [_rows(graph, said), _rows(graph, _known(graph))]
    if ids is not None:
        is_in = torch.zeros(graph.num_graphs, dtype=torch.bool).index_fill(0, ids, True)
        rows = torch.cat([is_in, is_in[graph.graph_id]])
        both = [one[rows] for one in both]
    target = both[1].where(~both[0].isnan(), float("nan"))
    return EnergyForces().scores(both[0], target)


def _rows(graph: Graph, said: Said) -> Tensor:
    return answer_rows(graph, said.energy, said.forces, said.stress)


def _known(graph: Graph) -> Said:
    energy, forces, stress = graph.graph.get("energy"), graph.node.get("forces"), graph.graph.get("stress")
    if not isinstance(energy, Tensor):
        energy = torch.full((graph.num_graphs,), float("nan"), dtype=torch.float64)
    forces = forces.double() if isinstance(forces, Tensor) else None
    return Said(energy.double(), forces, stress.double() if isinstance(stress, Tensor) else None)


def _chunks(graph: Graph) -> Iterator[Tensor]:
    """The numbers of structures behind one another, of about so many edges together."""
    ends = graph.adj.pattern.indptr[graph.ptr[1:]].long() + torch.arange(1, graph.num_graphs + 1)
    _, counts = (ends.sub(1).div(_EDGES, rounding_mode="floor")).unique_consecutive(return_counts=True)
    yield from torch.arange(graph.num_graphs).split(counts.tolist())
