"""What a potential is measured against: the mean energy per atom, and a sum over the atoms; both feel no forces."""

from collections.abc import Mapping

import torch

from grapevine.data.atoms.composition import CompositionFit
from grapevine.graph import Graph
from grapevine.recipes.atoms.apply import Said, Scores, judge
from grapevine.task.task import PARTS, Part

NAMES = {"mean": "the mean energy of an atom", "composition": "a linear fit of the composition"}


def baselines(
    graph: Graph, fit: CompositionFit | None, parts: Mapping[Part, torch.Tensor]
) -> dict[str, dict[str, Scores]]:
    """The scores of both by name and part; without energies, that of no forces at all.

    Args:
        fit: of the energies of the training structures; None where there are none.
    """
    nothing = torch.zeros(graph.num_nodes, 3, dtype=torch.float64)
    unknown = torch.full((graph.num_graphs,), float("nan"), dtype=torch.float64)
    if fit is None:
        said = {"mean": Said(unknown, nothing)}
    else:
        sizes = graph.ptr.diff().double()
        said = {"mean": Said(fit.mean_per_atom * sizes, nothing), "composition": Said(fit.predict(graph), nothing)}
    return {name: {part: judge(one, graph, parts[part]) for part in PARTS} for name, one in said.items()}
