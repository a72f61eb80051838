"""Structures of atoms with their energies, forces and stresses, in batches packed by their number of edges.

rows of a batch of g structures and n atoms:  g rows  (E / n_g, E, -, stress)   and n rows  (-, -, F_i, -)

E is the interaction energy: what the isolated atoms, or a fit of the composition, leave of the energy.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows
from grapevine.data.atoms.cells import full_cell
from grapevine.data.atoms.edge_batches import edge_batches
from grapevine.data.split import Split
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.nn.equivariant.potential import Potential
from grapevine.task.energy_forces import FORCES, NUM_COLUMNS, EnergyForces
from grapevine.task.parts import part_of_each
from grapevine.task.task import PARTS, Answers, Batch, Level, Part, Task

_SEEN = ("z", "pos", "shift", "cell", "pbc")
_NOTHING = float("nan")


class PotentialRows(nn.Module):
    """A potential as training calls a model: model(graph, items), the rows of a batch.

    Args:
        has_forces, has_stress: whether they are found; energies alone take half the time, and less memory.

    >>> from grapevine.nn.equivariant.schnet import SchNet
    >>> model = PotentialRows(Potential(SchNet(elements=(1,))), has_forces=True)
    >>> model(Graph([[0, 1], [1, 0]], z=torch.tensor([1, 1]), pos=torch.eye(3)[:2]), None).shape
    torch.Size([3, 14])
    """

    def __init__(self, potential: Potential, *, has_forces: bool, has_stress: bool = False):
        super().__init__()
        self.potential, self.has_forces, self.has_stress = potential, has_forces, has_stress

    def forward(self, graph: Graph, items: Int[Tensor, " k"] | None) -> Float[Tensor, "k 14"]:
        check(items is None, "every structure of a batch is answered")
        said = self.potential(graph, forces=self.has_forces, stress=self.has_stress)
        return answer_rows(graph, said.interaction, said.forces, said.stress, fill=0.0)


def answer_rows(
    graph: Graph,
    energy: Float[Tensor, " g"],
    forces: Float[Tensor, "n 3"] | None,
    stress: Float[Tensor, "g 3 3"] | None,
    *,
    fill: float = _NOTHING,
) -> Float[Tensor, "k 14"]:
    """The rows of answers: of the structures, then of the atoms; `fill` stands where a row has no such number."""
    sizes = graph.ptr.diff().clamp(min=1).to(energy.dtype)
    num_graphs, num_atoms = graph.num_graphs, graph.num_nodes
    none = energy.new_full((1, 1), fill)
    above = [energy.unsqueeze(1) / sizes.unsqueeze(1), energy.unsqueeze(1), none.expand(num_graphs, 3)]
    above.append(none.expand(num_graphs, 9) if stress is None else stress.reshape(num_graphs, 9).to(energy.dtype))
    of_atoms = none.expand(num_atoms, 3) if forces is None else forces.to(energy.dtype)
    below = [none.expand(num_atoms, FORCES.start), of_atoms, none.expand(num_atoms, NUM_COLUMNS - FORCES.stop)]
    return torch.cat([torch.cat(above, 1), torch.cat(below, 1)])


def seen_by(graph: Graph, dtype: torch.dtype, *, has_stress: bool = False) -> Graph:
    """What a potential may see of structures, in its dtype: no answers, which may be missing.

    Args:
        has_stress: stresses will be asked for, so that cells need a volume; those of structures that do not repeat in
            every direction are completed.
    """
    held = {
        level: {k: t for k, t in getattr(graph, level).items() if k in _SEEN} for level in ("node", "edge", "graph")
    }
    held["node"]["pos"] = graph.pos.to(dtype)
    if "cell" in held["graph"]:
        held["graph"]["cell"] = (_with_volume(graph) if has_stress else graph.cell).to(dtype)
    return Graph._made(graph.adj, held, graph.ptr)  # pyright: ignore[reportArgumentType] its levels


class StructureTask(Task):
    """The structures of a data set; each epoch packs them anew.

    Structures whose energy is not known teach by their forces, those without forces by their energy.

    Args:
        graph: z, pos and shift, cell and pbc where something repeats; and of energy, forces and stress what there is,
            NaN where one is not known.
        split: over the structures.
        objective: what counts how much.
        offset: [g] what is taken off each energy before it is learnt, eV in float64.
        batch_size: structures a step, in the mean: a step takes as many edges as so many of the training structures
            have on average, so that large structures come in smaller batches.
        dtype: of places and answers, as the model's weights are.

    Raises:
        InputError: if there is nothing to learn from, or nothing that the objective gives a weight.

    >>> edges = torch.tensor([[0, 1], [1, 0]])
    >>> pair = Graph(edges, z=torch.tensor([1, 1]), pos=torch.eye(3)[:2], graph={"energy": torch.tensor([-1.0])})
    >>> all_of = Split(*(torch.tensor([k == 0]) for k in range(3)))
    >>> task = StructureTask(pair, all_of, EnergyForces(), offset=torch.tensor([-0.5]))
    >>> next(task.batches(seed=0)).target[:, :2]
    tensor([[-0.2500, -0.5000],
            [    nan,     nan],
            [    nan,     nan]])
    """

    level: Level = "graph"
    objective: EnergyForces  # pyright: ignore[reportIncompatibleVariableOverride] nobody changes a task's objective

    def __init__(
        self,
        graph: Graph,
        split: Split,
        objective: EnergyForces,
        *,
        offset: Float[Tensor, " g"] | None = None,
        batch_size: int = 10,
        dtype: torch.dtype = torch.float32,
    ):
        check(batch_size >= 1, f"a batch must hold a structure, got a batch_size of {batch_size}")
        check_rows("the split", split.train, graph.num_graphs, "structures")
        self.split, self.objective, self.batch_size, self.dtype = split, objective, batch_size, dtype
        self.labels, self._given = _labels(graph, offset), (graph, offset)
        self.seen = seen_by(graph, dtype, has_stress=self.has_stress)
        known = _is_known(self.labels, objective)
        parts = (getattr(split, part).to(known.device) for part in PARTS)
        self.items: dict[Part, Tensor] = {
            part: (mask & known).nonzero().squeeze(1) for part, mask in zip(PARTS, parts, strict=True)
        }
        teaches = "the training part must hold a structure whose energy, or forces, or stress is known"
        check(len(self.items["train"]) > 0, teaches)
        self.num_edges = torch.bincount(self.seen.graph_id[self.seen.adj.dst.long()], minlength=graph.num_graphs)
        mean = self.num_edges[self.items["train"]].clamp(min=1).double().mean().item()
        self.max_edges = max(1, round(batch_size * mean))
        self._judged: dict[Part, list[_Taken]] = {}

    @property
    def has_forces(self) -> bool:
        """Whether a model need find forces for it."""
        return self.objective.forces_weight > 0 and "forces" in self.labels.node

    @property
    def has_stress(self) -> bool:
        return self.objective.stress_weight > 0 and "stress" in self.labels.graph

    def batches(self, seed: int) -> Iterator[Batch]:
        items = self.items["train"]
        packed = edge_batches(self.num_edges[items].cpu(), self.max_edges, torch.Generator().manual_seed(seed))
        for numbers in packed:
            taken = self._take(items[numbers.to(items.device)])
            yield Batch(taken.graph, None, taken.target)

    def answers(self, model: nn.Module, parts: Sequence[Part]) -> dict[Part, Answers]:
        for part in parts:
            if part not in self._judged:
                self._judged[part] = [self._take(ids) for ids in self._chunks(self.items[part])]
        return {part: self._answers(model, self._judged[part]) for part in parts}

    def all_answers(self, model: nn.Module) -> tuple[Answers, Int[Tensor, " k"]]:
        ids = torch.arange(self.seen.num_graphs, device=self.seen.device)
        said = self._answers(model, (self._take(some) for some in self._chunks(ids)))
        return said, part_of_each(self.split, self.seen.device)[said.items]

    def to(self, device) -> "StructureTask":
        graph, offset = self._given
        offset = None if offset is None else offset.to(device)
        return StructureTask(
            graph.to(device), self.split, self.objective, offset=offset, batch_size=self.batch_size, dtype=self.dtype
        )

    def _take(self, ids: Tensor) -> "_Taken":
        """Some of the structures as a batch, the rows of their answers, and of which structure each row is."""
        graph, labels = take(self.seen, ids), take(self.labels, ids)
        rows = answer_rows(graph, labels.energy, labels.node.get("forces"), labels.graph.get("stress"))  # pyright: ignore[reportArgumentType] they are dense
        target = rows.to(self.dtype)
        return _Taken(graph, target, torch.cat([ids, ids[graph.graph_id]]))

    def _chunks(self, ids: Tensor) -> Iterator[Tensor]:
        """One behind the other, each of the edges of a training batch, or a single structure."""
        place = self.num_edges[ids].clamp(min=1).cumsum(0).sub_(1).div(self.max_edges, rounding_mode="floor")
        _, counts = place.unique_consecutive(return_counts=True)
        yield from ids.split(counts.tolist())

    def _answers(self, model: nn.Module, taken: "Sequence[_Taken] | Iterator[_Taken]") -> Answers:
        model.eval()
        said, target, items = [], [], []
        with torch.no_grad():  # not inference mode: forces need a gradient of their own
            for batch in taken:
                said.append(model(batch.graph, None))
                target.append(batch.target)
                items.append(batch.items)
        if not said:
            nothing = torch.empty(0, NUM_COLUMNS, device=self.seen.device, dtype=self.dtype)
            return Answers(nothing, nothing, torch.empty(0, dtype=torch.int64, device=self.seen.device))
        return Answers(torch.cat(said), torch.cat(target), torch.cat(items))


class _Taken(NamedTuple):
    graph: Graph
    target: Tensor
    items: Tensor


def _labels(graph: Graph, offset: Tensor | None) -> Graph:
    """The answers alone, without edges; energies with their offset off, NaN where there are none."""
    nothing = torch.zeros(2, 0, dtype=torch.int64, device=graph.device)
    energy = graph.graph.get("energy")
    if not isinstance(energy, Tensor):
        energy = torch.full((graph.num_graphs,), _NOTHING, dtype=torch.float64, device=graph.device)
    energy = energy.double() if offset is None else energy.double() - offset.double()
    held = {"node": {}, "edge": {}, "graph": {"energy": energy}}
    held["node"] |= {k: t for k, t in graph.node.items() if k == "forces"}
    held["graph"] |= {k: t for k, t in graph.graph.items() if k == "stress"}
    empty = Graph(nothing, num_nodes=graph.num_nodes)
    return Graph._made(empty.adj, held, graph.ptr)  # pyright: ignore[reportArgumentType] its levels


def _with_volume(graph: Graph) -> Tensor:
    """The cells, those of structures that repeat in fewer than three directions completed: a stress needs a volume."""
    cell, pbc = graph.cell.clone(), graph.pbc
    for number in (~pbc.all(1)).nonzero().squeeze(1).tolist():
        pos = graph.pos[graph.ptr[number] : graph.ptr[number + 1]]
        full = full_cell(
            *(
                t.cpu().double().numpy() if t.is_floating_point() else t.cpu().numpy()
                for t in (cell[number], pbc[number], pos)
            )
        )
        cell[number] = torch.from_numpy(full).to(cell)
    return cell


def _is_known(labels: Graph, objective: EnergyForces) -> Tensor:
    """[g] of which structures something is known that counts."""
    known = labels.energy.isfinite() & (objective.energy_weight > 0)
    if "stress" in labels.graph and objective.stress_weight > 0:
        known = known | labels.stress.isfinite().flatten(1).any(1)
    if "forces" in labels.node and objective.forces_weight > 0:
        has = labels.forces.isfinite().any(1)
        known = known | (torch.bincount(labels.graph_id[has], minlength=labels.num_graphs) > 0)
    return known
