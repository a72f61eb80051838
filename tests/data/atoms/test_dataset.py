"""Structures as graphs, energies by composition, and batches by edges."""

import numpy as np
import pytest
import torch

from grapevine.data.atoms import (
    ReadOptions,
    Structures,
    composition_fit,
    connect,
    edge_batches,
    join_structures,
    neighbor_list,
    read_structures,
    structures_dataset,
)
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.take import take
from tests.data.files import SHARED, needs

pytest.importorskip("vesin")


def mixed(seed: int = 0) -> Structures:
    """Molecules and cells, some labels missing."""
    generator = np.random.default_rng(seed)
    sizes = np.array([5, 1, 8, 3])
    ptr = np.concatenate([[0], np.cumsum(sizes)])
    forces = generator.normal(size=(17, 3))
    forces[5:6] = np.nan
    return Structures(
        z=generator.choice([1, 6, 8], 17), pos=3 * generator.random((17, 3)), ptr=ptr,
        cell=np.stack([np.eye(3) * 3.5 + 0.1 * k for k in range(4)]),
        pbc=np.array([[False] * 3, [True] * 3, [True, True, False], [False] * 3]),
        energy=np.array([-1.0, np.nan, -3.0, -4.0]), forces=forces, properties={"gap": np.arange(4.0)},
    )  # fmt: skip


def test_each_structure_is_its_graph():
    structures = mixed()
    made = structures_dataset(structures, 3.0, target="gap")
    graph = made.graph
    assert (made.dataset.level, made.dataset.ids.tolist()) == ("graph", [0, 1, 2, 3])
    assert {"stress", "dipole"} & set(graph.levels) == set()  # no structure has one
    assert graph.y.tolist() == [0, 1, 2, 3]
    assert graph.energy.dtype == graph.pos.dtype == torch.float64
    for k, part in enumerate(graph.unbatch()):
        pbc = torch.from_numpy(structures.pbc[k])
        edge_index, shift = neighbor_list(part.pos, 3.0, cell=part.cell[0], pbc=pbc)
        assert torch.equal(part.adj.edge_index, edge_index)
        assert torch.equal(part.edge["shift"], shift)
        alone = structures_dataset(structures.take(np.array([k])), 3.0, target="gap").graph
        assert torch.equal(alone.adj.edge_index, edge_index)
    chosen = take(graph, torch.tensor([3, 1]))
    again = structures_dataset(structures.take(np.array([3, 1])), 3.0).graph
    assert torch.equal(chosen.edge["shift"], again.edge["shift"])
    assert torch.equal(chosen.adj.edge_index, again.adj.edge_index)


def test_edges_are_made_later_too():
    structures = mixed()
    bare = structures_dataset(structures).graph
    assert bare.num_edges == 0
    made, wanted = connect(bare, 3.0), structures_dataset(structures, 3.0).graph
    assert torch.equal(made.adj.edge_index, wanted.adj.edge_index)
    assert torch.equal(made.edge["shift"], wanted.edge["shift"])
    assert made.levels == wanted.levels
    molecules = Graph.batch([Graph(torch.zeros(2, 0).long(), pos=torch.rand(n, 3)) for n in (3, 0, 2, 0)])
    assert connect(molecules, 5.0).adj.num_edges == 6 + 2
    with pytest.raises(InputError, match="the atoms need places, pos"):
        connect(Graph([[0], [1]]), 2.0)


def test_the_vector_points_to_the_neighbour():
    """A chain of two kinds along x: the first hears the second from both sides."""
    pair = Structures(
        z=np.array([1, 2]), pos=np.array([[0.0, 0, 0], [1.0, 0, 0]]), ptr=np.array([0, 2]),
        cell=np.diag([2.5, 9, 9])[None], pbc=np.ones((1, 3), bool),
    )  # fmt: skip
    graph = structures_dataset(pair, 1.6).graph
    vector = graph.pos[graph.adj.src] + graph.edge["shift"].double() @ graph.cell[0] - graph.pos[graph.adj.dst]
    heard = vector[graph.adj.dst == 0][:, 0].tolist()
    assert sorted(heard) == [-1.5, 1.0]


def test_two_atoms_at_one_place_are_left_out():
    structures = mixed()
    structures.pos[7] = structures.pos[6]
    made = structures_dataset(structures, 3.0)
    assert made.graph.num_graphs == 3
    assert made.structures.ids.tolist() == [0, 1, 3]
    assert "two atoms at one place: atoms 0 and 1" in made.rejects.first()[0]
    with pytest.raises(InputError, match="no structure to use"):
        structures_dataset(structures.take(np.array([2])), 3.0)
    with pytest.raises(InputError, match="structure 2 are at one place"):
        connect(structures_dataset(structures).graph, 3.0)


def test_targets():
    with pytest.raises(InputError, match=r"there is no target 'lumo': the structures have energy, gap"):
        structures_dataset(mixed(), target="lumo")
    assert structures_dataset(mixed(), target="energy").graph.y[0] == -1


def test_names_of_atoms_have_their_level():
    with pytest.raises(InputError, match="forces always belongs to the node"):
        Graph([[0], [1]], graph={"forces": torch.zeros(1, 3)})
    with pytest.raises(InputError, match="shift always belongs to the edge"):
        Graph([[0], [1]], node={"shift": torch.zeros(2, 3)})


def test_wrong_arrays():
    with pytest.raises(InputError, match=r"pos must have shape \(2, 3\)"):
        Structures(z=np.array([1, 1]), pos=np.zeros((3, 3)), ptr=np.array([0, 2]))
    with pytest.raises(InputError, match="ptr must rise from 0 to the 2 atoms"):
        Structures(z=np.array([1, 1]), pos=np.zeros((2, 3)), ptr=np.array([0, 1]))
    with pytest.raises(InputError, match="energy must have shape"):
        Structures(z=np.array([1]), pos=np.zeros((1, 3)), ptr=np.array([0, 1]), energy=np.zeros(2))


def test_energies_by_composition():
    """Of energies that are a sum over atoms nothing is left; a missing one does not count."""
    generator, of = torch.Generator().manual_seed(0), {1: -13.0, 6: -1030.0, 8: -2041.0}
    parts = []
    for k in range(20):
        z = torch.tensor([1, 6, 8])[torch.randint(0, 3, (3 + k % 4,), generator=generator)]
        energy = sum(of[number] for number in z.tolist()) if k else float("nan")
        forces = torch.full((len(z), 3), 2.0 if k else float("nan"))
        parts.append(
            Graph(
                torch.zeros(2, 0).long(),
                z=z,
                node={"forces": forces},
                graph={"energy": torch.tensor([energy]).double()},
            )
        )
    graph = Graph.batch(parts)
    fit = composition_fit(graph)
    assert dict(fit.shifts) == pytest.approx(of)
    assert (fit.is_determined, fit.num_structures, fit.scale) == (True, 19, 2.0)
    assert fit.rms == pytest.approx(0, abs=1e-8)
    assert fit.rms_of_mean > 100
    torch.testing.assert_close(fit.predict(graph)[1:], graph.energy[1:])
    with pytest.raises(InputError, match="no energy is known of N, Cu"):
        fit.predict(Graph(torch.zeros(2, 0).long(), z=torch.tensor([29, 7, 1])))
    with pytest.raises(InputError, match="none of the 1 structures has an energy"):
        composition_fit(take(graph, torch.tensor([0])))
    with pytest.raises(InputError, match="needs z and energy"):
        composition_fit(Graph([[0], [1]]))


def test_one_composition_gives_the_mean_to_each_atom():
    structures = Structures(
        z=np.array([8, 1, 1] * 4),
        pos=np.zeros((12, 3)),
        ptr=np.arange(0, 13, 3),
        energy=np.array([-14.0, -13, -15, -14]),
    )
    fit = composition_fit(structures_dataset(structures).graph)
    assert dict(fit.shifts) == pytest.approx({1: -14 / 3, 8: -14 / 3})
    assert not fit.is_determined
    assert fit.rms == pytest.approx(0.5**0.5)
    assert fit.scale == fit.rms_per_atom == pytest.approx(0.5**0.5 / 3)


@needs("atoms/md17_ethanol_2000.xyz")
def test_ethanol_as_a_data_set():
    path = SHARED / "atoms" / "md17_ethanol_2000.xyz"
    made = structures_dataset(read_structures(path, options=ReadOptions(energy_unit="kcal/mol")), 5.0)
    assert (made.graph.num_graphs, made.graph.num_nodes) == (2000, 18_000)
    assert made.graph.num_edges <= 2000 * 9 * 8
    assert composition_fit(made.graph).rms < 0.3  # eV: the spread of energies at 500 K


def test_properties_that_some_lack():
    one = Structures(z=np.array([1]), pos=np.zeros((1, 3)), ptr=np.array([0, 1]), properties={"gap": np.ones(1)})
    two = Structures(z=np.array([2]), pos=np.zeros((1, 3)), ptr=np.array([0, 1]), energy=np.array([-1.0]))
    both = join_structures([one, two])
    assert (both.z.tolist(), both.has_energy.tolist()) == ([1, 2], [False, True])
    assert np.isnan(both.properties["gap"][1])
    with pytest.raises(InputError, match="one part at least"):
        join_structures([])


@pytest.mark.parametrize("seed", range(5))
def test_batches_share_the_edges(seed):
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.randint(0, 300, (400,), generator=generator)
    sizes[7] = 5000
    batches = edge_batches(sizes, 2000, generator)
    assert torch.cat(batches).sort().values.tolist() == list(range(400))
    loads = torch.tensor([int(sizes[batch].sum()) for batch in batches])
    assert loads.sort().values[-1] == 5000  # alone
    rest = loads[loads != 5000]
    assert rest.max() <= 2000
    assert rest.min() > 2000 - 2 * 300
    assert len(rest) <= 1.1 * float(rest.sum()) / 2000 + 2


def test_batches_are_drawn_anew_and_repeatably():
    sizes = torch.full((50,), 10)
    generator = torch.Generator().manual_seed(0)
    one, two = edge_batches(sizes, 100, generator), edge_batches(sizes, 100, generator)
    again = edge_batches(sizes, 100, torch.Generator().manual_seed(0))
    assert [batch.tolist() for batch in one] == [batch.tolist() for batch in again]
    assert [batch.tolist() for batch in one] != [batch.tolist() for batch in two]
    assert [len(batch) for batch in one] == [10] * 5


def test_batches_of_little():
    assert edge_batches(torch.zeros(0, dtype=torch.int64), 10) == []
    assert len(edge_batches(torch.zeros(20, dtype=torch.int64), 10)) == 2  # atoms without edges count one each
    with pytest.raises(InputError, match="max_edges must be a positive number"):
        edge_batches(torch.ones(3, dtype=torch.int64), 0)
