"""Every network of atoms obeys the laws of such networks, and makes a potential; broken ones are found out."""

import importlib
import pkgutil

import pytest
import torch
from torch import nn

from grapevine.graph import Graph
from grapevine.nn import equivariant
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.potential import Potential
from grapevine.ops.segment import segment_reduce
from grapevine.testing.atoms import (
    AtomCase,
    check_atom_case,
    check_batch,
    check_bits,
    check_direction,
    check_forces,
    check_hard_places,
    check_lone_atoms,
    check_order,
    check_parameters,
    check_precision,
    check_rotation,
    check_saved,
    check_skin,
    check_smooth_cutoff,
    check_supercell,
    check_translation,
    check_unknown_element,
)
from grapevine.testing.structures import cluster, thin_crystal
from tests.nn.equivariant.atom_cases import CASES, CUTOFF, ELEMENTS
from tests.nn.equivariant.structures import Pairs


@pytest.mark.parametrize(
    ("case", "law"),
    [pytest.param(case, law, id=f"{case.name}-{law.__name__}") for case in CASES for law in case.laws],
)
def test_laws(case, law):
    law(case.make())


def test_every_architecture_stands_in_the_table():
    public = set()
    for module in pkgutil.iter_modules(equivariant.__path__):
        names = vars(importlib.import_module(f"{equivariant.__name__}.{module.name}")).values()
        public |= {kind for kind in names if isinstance(kind, type) and issubclass(kind, AtomNetwork)}
    missing = {kind.__name__ for kind in public - {AtomNetwork}} - {type(case.make()).__name__ for case in CASES}
    assert not missing


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_makes_a_potential(case):
    """Forces and stress in one pass are the gradients, by places and by strain, of the energy."""
    network = case.make().double()
    if network.out_channels != 1:
        pytest.skip("gives more than one number")
    potential = Potential(network, shift=-2.0, scale=1.5).eval()
    graph = Graph.batch([thin_crystal(ELEMENTS, CUTOFF)] * 2)
    pos, strain = graph.pos.clone().requires_grad_(), torch.zeros(2, 3, 3).double().requires_grad_()
    stretch = torch.eye(3).double() + (strain + strain.transpose(1, 2)) / 2
    strained = (pos.unsqueeze(1) @ stretch[graph.graph_id]).squeeze(1)
    energy = potential(graph.replace(pos=strained, graph={"cell": graph.cell @ stretch}), forces=False).energy
    by_pos, by_strain = torch.autograd.grad(energy.sum(), [pos, strain])
    answers = potential(graph, stress=True)
    torch.testing.assert_close(answers.energy, energy.detach())
    torch.testing.assert_close(answers.forces, -by_pos, rtol=1e-9, atol=1e-9)
    volume = torch.linalg.det(graph.cell).abs().view(-1, 1, 1)
    torch.testing.assert_close(answers.stress, by_strain / volume, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_its_forces_can_be_trained(case):
    """A step down the gradient of a loss of energies and forces makes that loss smaller."""
    network = case.make().double()
    if network.out_channels != 1:
        pytest.skip("gives more than one number")
    potential, graph = Potential(network), cluster(ELEMENTS, CUTOFF)
    wanted = Potential(Pairs(elements=ELEMENTS, cutoff=CUTOFF)).eval()(graph)

    def loss() -> torch.Tensor:
        answers = potential(graph)
        return (answers.forces - wanted.forces).square().mean() + (answers.energy - wanted.energy).square().mean()

    before = loss()
    gradients = torch.autograd.grad(before, [*potential.parameters()], materialize_grads=True)
    length = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    with torch.no_grad():
        for parameter, gradient in zip(potential.parameters(), gradients, strict=True):
            parameter -= 1e-5 * gradient / length
    assert loss() < before


class _Broken(nn.Module):
    """A sum of f(r) over the neighbours, and what else is wrong with it."""

    def __init__(self, wrong: str = ""):
        super().__init__()
        self.elements, self.cutoff, self.wrong = ELEMENTS, CUTOFF, wrong
        self.weight, self.unused = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, z, adj, vector):
        wrong = self.wrong
        r = vector.norm(dim=1)
        value = (1 - r / CUTOFF).clamp(min=0) ** 3 * self.weight
        if wrong == "turns":
            value = value * vector[:, 0]
        if wrong == "numbers":
            value = value * adj.src
        if wrong == "jumps":
            value = value + 1
        if wrong == "detached":
            value = value * (1 - r.detach() / CUTOFF)
        if wrong == "inverse":
            value = value / r
        if wrong == "deaf":
            value = value * (r < CUTOFF / 3)
        if wrong == "float64":
            value = value.double()
        pattern = adj.pattern.transposed if wrong == "backwards" else adj.pattern
        out = segment_reduce(pattern, value.unsqueeze(1))
        if wrong == "total":
            out = out + out.sum()
        return out / adj.in_degree.unsqueeze(1) if wrong == "mean" else out


@pytest.mark.parametrize(
    ("wrong", "law", "message"),
    [
        ("turns", check_rotation, "turning the structure"),
        ("numbers", check_order, "renumbering"),
        ("numbers", check_supercell, "a doubled cell"),
        ("backwards", check_direction, "does not hear"),
        ("total", check_direction, "goes the other way"),
        ("total", check_batch, "a batch changes"),
        ("mean", check_lone_atoms, "not finite"),
        ("jumps", check_smooth_cutoff, "the output jumps"),
        ("jumps", check_skin, "behind the cut-off change"),
        ("deaf", check_smooth_cutoff, "half the cut-off is not heard"),
        ("detached", check_forces, "finite differences give"),
        ("inverse", check_hard_places, "two atoms at one place has an output"),
        ("", check_parameters, "unused has no gradient"),
        ("", check_unknown_element, "is taken"),
        ("float64", check_precision, "in float32 the output is torch.float64"),
    ],
)
def test_a_broken_network_is_found_out(wrong, law, message):
    with pytest.raises(AssertionError, match=message.replace(".", "[.]")):
        law(_Broken(wrong))


def test_a_good_network_obeys():
    check_atom_case(AtomCase("pairs", lambda: Pairs(elements=ELEMENTS, cutoff=CUTOFF)))
    for law in (check_translation, check_precision, check_saved, check_bits):
        law(_Broken())
