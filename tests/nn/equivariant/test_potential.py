"""Energies, forces and stress of a potential against finite differences of a pair potential summed by hand."""

import io

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork, Elements
from grapevine.nn.equivariant.geometry import directions, edge_vectors, lengths, vectors_of
from grapevine.nn.equivariant.potential import Potential
from grapevine.testing.structures import crystal, molecule
from tests.nn.equivariant.structures import Pairs, named, salt

CUTOFF = 4.0
STEP = 1e-4


def pairs(**options) -> Potential:
    return Potential(Pairs(elements=(1, 6, 8), cutoff=CUTOFF), **options).eval()


class Constant(AtomNetwork):
    """A network that looks at no neighbour, with one weight for all."""

    def __init__(self):
        super().__init__(elements=(1, 6, 8), cutoff=CUTOFF)
        self.weight = torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64))

    def forward(self, z, adj, vector):
        self.rows_of(z, adj, vector)
        return self.weight.expand(len(z), 1)


def moved(graph: Graph, atom: int, axis: int, by: float) -> Graph:
    step = torch.zeros_like(graph.pos)
    step[atom, axis] = by
    return graph.replace(pos=graph.pos + step)


@pytest.mark.parametrize("make", [lambda: named("ethanol"), salt], ids=["molecule", "crystal"])
def test_forces_are_finite_differences(make):
    graph, potential = make(), pairs(scale=2.5)
    forces = potential(graph).forces
    for atom in range(graph.num_nodes):
        for axis in range(3):
            up, down = (potential(moved(graph, atom, axis, by), forces=False).energy for by in (STEP, -STEP))
            assert forces[atom, axis].item() == pytest.approx(-((up - down) / (2 * STEP)).item(), abs=1e-6)
    torch.testing.assert_close(forces.sum(0), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-12)


def test_stress_is_finite_differences_of_the_strain():
    graph, potential = salt(), pairs()
    stress = potential(graph, stress=True).stress[0]
    volume = torch.linalg.det(graph.cell[0]).abs()
    for a in range(3):
        for b in range(3):
            energies = []
            for by in (STEP, -STEP):
                strain = torch.eye(3, dtype=torch.float64)
                strain[a, b] += by / 2
                strain[b, a] += by / 2
                strained = graph.replace(pos=graph.pos @ strain, graph={"cell": graph.cell @ strain})
                energies.append(potential(strained, forces=False).energy)
            wanted = (energies[0] - energies[1]) / (2 * STEP) / volume
            assert stress[a, b].item() == pytest.approx(wanted.item(), abs=1e-7)
    torch.testing.assert_close(stress, stress.T)


def test_stress_pulls_inwards_where_a_larger_cell_costs_energy():
    """ASE's sign: the trace is positive where dE / dV is."""
    graph = salt()
    bound = pairs(scale=-1.0)(graph, stress=True)  # attraction alone
    assert bound.stress[0].trace() > 0


def test_a_batch_is_its_structures():
    parts, potential = [named(name) for name in ("ethanol", "lone atom", "water")], pairs(shift={1: -3, 6: 5, 8: 7})
    single = [potential(part) for part in parts]
    batched = potential(Graph.batch(parts))
    torch.testing.assert_close(batched.energy, torch.cat([one.energy for one in single]))
    torch.testing.assert_close(batched.forces, torch.cat([one.forces for one in single]))
    crystals = [salt(), crystal(torch.tensor([6]), torch.zeros(1, 3).double(), 2.5 * torch.eye(3).double(), CUTOFF)]
    single = [potential(part, stress=True) for part in crystals]
    batched = potential(Graph.batch(crystals), stress=True)
    torch.testing.assert_close(batched.stress, torch.cat([one.stress for one in single]))


def test_a_lone_atom_has_its_shift_and_no_force():
    answers = pairs(shift={1: -3, 6: 5, 8: 7})(named("lone atom"))
    assert answers.energy.tolist() == [7]
    assert answers.forces.tolist() == [[0, 0, 0]]


def test_a_network_that_sees_no_neighbour_gives_no_force():
    answers = Potential(Constant(), shift=1.0)(named("water"))
    assert answers.energy.tolist() == [9]
    assert not answers.forces.any()
    assert answers.energy.requires_grad


def test_shift_and_scale_by_element():
    graph = named("water")
    plain = pairs()(graph)
    answers = pairs(shift=torch.tensor([1.0, 2.0, 3.0]), scale={1: 2, 6: 3, 8: 4})(graph)
    factor = torch.tensor([4.0, 2.0, 2.0], dtype=torch.float64)
    torch.testing.assert_close(answers.atom_energy, plain.atom_energy * factor)
    torch.testing.assert_close(answers.energy, answers.interaction + 5)
    torch.testing.assert_close(pairs(shift=[1.0, 2.0, 3.0]).shift_of(graph), torch.tensor([5.0]).double())


def test_large_shifts_swallow_nothing_in_float32():
    graph = named("water", dtype=torch.float32)
    potential = pairs(shift=-12345.678901234).float()
    answers = potential(graph)
    assert answers.forces.dtype == answers.interaction.dtype == torch.float32
    assert potential.shift.dtype == answers.energy.dtype == torch.float64
    assert answers.energy.item() == answers.interaction.double().item() - 3 * 12345.678901234


def test_it_works_where_gradients_are_off():
    graph, potential = named("ethanol"), pairs()
    wanted = potential(graph).forces
    with torch.no_grad():
        assert torch.equal(potential(graph).forces, wanted)
        assert torch.equal(pairs().train()(graph).forces, wanted)
    with torch.inference_mode():
        made_inside = named("ethanol")
        made_inside = made_inside.replace(z=made_inside.z + 0)
        assert torch.equal(potential(made_inside).forces, wanted)


def test_answers_can_be_differentiated_in_training_only():
    graph = named("water")
    potential = Potential(Pairs(elements=(1, 8), cutoff=CUTOFF))
    answers = potential(graph.replace(pos=graph.pos.clone().requires_grad_()))
    assert answers.forces.requires_grad
    assert not potential.eval()(graph).forces.requires_grad
    assert potential(graph, differentiable=True).forces.requires_grad


def test_forces_are_differentiable():
    potential, graph = pairs(), named("water")

    def forces(pos):
        return potential(graph.replace(pos=pos), differentiable=True).forces

    assert torch.autograd.gradcheck(forces, graph.pos.clone().requires_grad_())


def test_it_saves_and_loads_with_shift_and_scale():
    saved = io.BytesIO()
    torch.save(pairs(shift={1: -1 / 3, 6: 5, 8: 7}, scale=0.1).state_dict(), saved)
    saved.seek(0)
    other = pairs().float()
    other.load_state_dict(torch.load(saved, weights_only=True))
    assert other.shift.tolist() == [-1 / 3, 5, 7]
    assert other.scale.tolist() == [0.1] * 3


def test_periodic_vectors():
    """An atom in a cube hears its own images: six at the lattice constant, twelve at the face diagonals."""
    graph = crystal(torch.tensor([6]), torch.zeros(1, 3), 2.5 * torch.eye(3), 3.6)
    r = lengths(vectors_of(graph))
    assert graph.num_edges == 18
    assert sorted(r.tolist()) == pytest.approx([2.5] * 6 + [2.5 * 2**0.5] * 12)


def test_vectors_point_at_the_one_who_speaks():
    pos = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], dtype=torch.float64)
    adj = Adjacency([[1], [0]], num_nodes=2)  # atom 0 hears atom 1
    assert edge_vectors(pos, adj).tolist() == [[1.0, 2.0, 3.0]]
    cells = torch.stack([torch.eye(3), 10 * torch.eye(3)]).double()
    shift = torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)
    for graph_id, wanted in (([0, 0], [1.0, 3.0, 3.0]), ([1, 1], [1.0, 12.0, 3.0])):
        of = torch.tensor(graph_id)
        assert edge_vectors(pos, adj, shift=shift, cell=cells, graph_id=of).tolist() == [wanted]


def test_length_and_direction_of_nothing():
    vector = torch.tensor([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0]], dtype=torch.float64, requires_grad=True)
    r = lengths(vector)
    assert r.tolist() == [0, 5]
    unit = directions(vector, r)
    assert unit.tolist() == [[0, 0, 0], [0, 0.6, 0.8]]
    (first,) = torch.autograd.grad(r.sum() + unit.sum(), vector, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), vector)
    assert bool(first.isfinite().all())
    assert bool(second.isfinite().all())


def test_wrong_input():
    graph, potential = named("water"), pairs()
    with pytest.raises(InputError, match="atom 1 has atomic number 9, and this network knows the elements 1, 6, 8"):
        potential(graph.replace(z=torch.tensor([8, 9, 1])))
    for wrong in (0, -1, 200):
        with pytest.raises(InputError, match=f"atomic number {wrong},"):
            Elements((1,))(torch.tensor([wrong]))
    place = graph.pos.clone()
    place[2, 0] = float("nan")
    with pytest.raises(InputError, match="the place of atom 2 is"):
        potential(graph.replace(pos=place))
    with pytest.raises(InputError, match="stress needs cell"):
        potential(graph, stress=True)
    flat = salt().replace(graph={"cell": torch.zeros(1, 3, 3).double()})
    with pytest.raises(InputError, match="structure 0 has none"):
        potential(flat, stress=True)
    with pytest.raises(InputError, match="none for \\[6, 8\\]"):
        pairs(shift={1: 2.0})
    with pytest.raises(InputError, match="one for each of 3 elements"):
        pairs(scale=torch.ones(2))
    with pytest.raises(InputError, match="must hold pos"):
        potential(Graph([[0], [1]], z=torch.tensor([1, 1])))
    with pytest.raises(InputError, match="must hold z"):
        potential(Graph([[0], [1]], pos=torch.zeros(2, 3)))
    with pytest.raises(InputError, match="one number an atom"):
        Potential(Pairs(elements=(1,), cutoff=1.0, out_channels=2))
    with pytest.raises(InputError, match="each atomic number once"):
        Elements((1, 1))
    with pytest.raises(InputError, match="from 1 to 118"):
        Elements((0,))
    with pytest.raises(InputError, match="shift and cell go together"):
        edge_vectors(graph.pos, graph.adj, cell=torch.eye(3))


def test_weights_and_places_of_two_dtypes():
    graph = molecule(torch.tensor([1, 1]), torch.eye(2, 3), CUTOFF)
    with pytest.raises(InputError, match=r"vector is .*32 and the weights are .*64"):
        Potential(Constant())(graph)
