"""Energies, forces and stress in one loss: equal to the formula by hand, and blind to what is not known."""

import numpy as np
import pytest
import torch
from torch import nn

from grapevine.data.atoms.dataset import structures_dataset
from grapevine.data.atoms.structures import Structures
from grapevine.data.split.split import split_of
from grapevine.errors import InputError
from grapevine.nn.equivariant.potential import Potential
from grapevine.nn.equivariant.schnet import SchNet
from grapevine.task.energy_forces import ENERGY, FORCES, PER_ATOM, STRESS, EnergyForces
from grapevine.task.structure import PotentialRows, StructureTask

SIZES = (3, 1, 5, 2, 4, 3, 2, 6)


def some_graph(has_stress=False, unknown=(), has_forces=True):
    """Molecules of several sizes with random answers; of the unknown ones nothing is known but forces."""
    random = np.random.default_rng(0)
    total = sum(SIZES)
    energy = random.normal(size=len(SIZES))
    energy[list(unknown)] = np.nan
    cell = np.tile(8.0 * np.eye(3), (len(SIZES), 1, 1))
    return structures_dataset(
        Structures(
            z=random.integers(1, 3, total), pos=random.normal(scale=1.5, size=(total, 3)), cell=cell,
            ptr=np.concatenate([[0], np.cumsum(SIZES)]), energy=energy,
            forces=random.normal(size=(total, 3)) if has_forces else None,
            stress=random.normal(size=(len(SIZES), 3, 3)) if has_stress else None,
        ), 3.0,
    ).graph  # fmt: skip


def some_task(graph, objective=None, **options):
    split = split_of([torch.arange(0, 5), torch.arange(5, 7), torch.arange(7, 8)], len(SIZES))
    return StructureTask(graph, split, objective or EnergyForces(), **options)


def some_model(**options):
    torch.manual_seed(0)
    network = SchNet(elements=(1, 2), cutoff=3.0, hidden_channels=8, num_layers=1, num_basis=5)
    return PotentialRows(Potential(network), has_forces=True, **options)


@pytest.mark.parametrize("kind", ["mse", "huber"])
def test_the_loss_is_the_formula(kind):
    graph = some_graph(has_stress=True, unknown=(1,))
    objective = EnergyForces(energy_weight=2, forces_weight=30, stress_weight=5, scale=0.5, loss_name=kind)
    task = some_task(graph, objective, batch_size=100)
    batch = next(task.batches(seed=3))
    model = some_model(has_stress=True)
    found = objective.loss(model(batch.graph, None), batch.target)
    said = model.potential(batch.graph, stress=True)
    ids = torch.tensor([k for n in batch.graph.ptr.diff() for k in range(5) if SIZES[k] == n])

    def mean(error):
        error = error[error.isfinite()].double() / 0.5
        each = (
            error**2
            if kind == "mse"
            else torch.where(error.abs() < 0.1, error**2 / 2, 0.1 * (error.abs() - 0.05)) / 0.1
        )
        return each.mean()

    forces = torch.cat([graph.forces[graph.ptr[k] : graph.ptr[k + 1]] for k in ids])
    energies = (said.interaction - graph.energy[ids]) / batch.graph.ptr.diff()
    by_hand = 2 * mean(energies) + 30 * mean(said.forces - forces) + 5 * mean(said.stress - graph.stress[ids])
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_what_is_not_known_does_not_count():
    objective = EnergyForces(stress_weight=1)
    target = torch.full((2, 14), float("nan"))
    output = torch.full((2, 14), 7.0, requires_grad=True)
    objective.loss(output, target).backward()
    assert not output.grad.any()
    target[0, PER_ATOM] = 5.0
    assert objective.loss(output, target).item() == 4.0
    assert objective.scores(output, target) == {"energy_mae": 2000.0, "energy_rmse": 2000.0}


def test_scores_are_in_milli_units_and_energies_whole_too():
    target, output = torch.full((3, 14), float("nan")), torch.zeros(3, 14)
    target[0, ENERGY], target[1, FORCES], target[2, FORCES] = 2.0, torch.tensor([1.0, 0, 0]), torch.tensor([0, 2.0, 0])
    target[0, STRESS] = 1.0
    scores = EnergyForces().scores(output, target)
    assert scores["structure_mae"] == 2000
    assert scores["forces_mae"] == pytest.approx(500)
    assert scores["forces_rmse"] == pytest.approx(1000 * np.sqrt(5 / 6))
    assert scores["stress_mae"] == 1000
    assert "energy_mae" not in scores


def test_each_epoch_packs_the_training_structures_anew_by_their_edges():
    graph = some_graph()
    task = some_task(graph, batch_size=2)
    epochs = [[batch.graph for batch in task.batches(seed)] for seed in (0, 1, 0)]
    for epoch in epochs:
        sizes = sorted(n for one in epoch for n in one.ptr.diff().tolist())
        assert sizes == sorted(SIZES[:5])
        assert all(one.num_edges <= task.max_edges or one.num_graphs == 1 for one in epoch)
    first, second, again = ([one.pos.tolist() for one in epoch] for epoch in epochs)
    assert first == again
    assert first != second


def test_models_see_no_answers():
    batch = next(some_task(some_graph()).batches(0))
    assert set(batch.graph.levels) == {"z", "pos", "shift", "cell", "pbc"}


def test_answers_are_those_of_each_structure_by_itself():
    graph = some_graph()
    task, model = some_task(graph, batch_size=1, dtype=torch.float64), some_model().double()
    answers, part = task.all_answers(model)
    assert answers.items[: SIZES[0] + 1].tolist() == [0] * (SIZES[0] + 1)
    assert sorted(set(part.tolist())) == [0, 1, 2]
    for number in range(len(SIZES)):
        said = model(graph.unbatch()[number], None)
        assert torch.allclose(answers.output[answers.items == number], said, atol=1e-12)
    val = task.answers(model, ["val", "test"])
    assert val["val"].items.unique().tolist() == [5, 6]
    assert val["test"].items.unique().tolist() == [7]


def test_energies_alone_ask_for_no_forces():
    graph = some_graph()
    assert not some_task(some_graph(has_forces=False)).has_forces
    assert not some_task(graph, EnergyForces(forces_weight=0)).has_forces
    with pytest.raises(InputError, match="training part must hold a structure whose energy"):
        some_task(graph, EnergyForces(forces_weight=0, energy_weight=0))


def test_an_offset_is_taken_off_in_double_precision():
    graph = some_graph()
    far = graph.replace(graph={"energy": graph.energy - 1e6})
    task = some_task(far, offset=torch.full((len(SIZES),), -1e6, dtype=torch.float64))
    energies = task.answers(nn.Module.__new__(_Silent), ["val"])["val"].target[:, ENERGY]
    known = energies[energies.isfinite()]
    assert torch.allclose(known.double(), graph.energy[5:7], atol=1e-6)


class _Silent(nn.Module):
    """Says zeros."""

    def eval(self):
        return self

    def __call__(self, graph, items):
        return torch.zeros(graph.num_graphs + graph.num_nodes, 14)
