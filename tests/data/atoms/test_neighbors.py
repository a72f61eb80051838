"""Neighbour lists against ASE's, in cells of every shape; and the list that is kept from step to step."""

import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from grapevine.data.atoms import SkinNeighbors, neighbor_list
from grapevine.errors import InputError

ase = pytest.importorskip("ase")
ase_neighbors = pytest.importorskip("ase.neighborlist")
pytest.importorskip("vesin")

SLAB, WIRE = [True, True, False], [False, False, True]


def rows(edge_index: Tensor, shift: Tensor) -> list[tuple[int, ...]]:
    """Target, source and shift of each edge."""
    return list(map(tuple, torch.cat([edge_index.flip(0).T, shift.long()], dim=1).tolist()))


def by_ase(pos: Tensor, cell: Tensor, pbc: list[bool], cutoff: float) -> list[tuple[int, ...]]:
    atoms = ase.Atoms("H" * len(pos), positions=pos.numpy(), cell=cell.numpy(), pbc=pbc)
    target, source, shift = ase_neighbors.neighbor_list("ijS", atoms, cutoff)
    return sorted(map(tuple, np.c_[target, source, shift].tolist()))


def check_as_ase(pos: Tensor, cell: Tensor, pbc: list[bool], cutoff: float) -> int:
    edge_index, shift = neighbor_list(pos, cutoff, cell=cell, pbc=torch.tensor(pbc))
    mine = rows(edge_index, shift)
    assert mine == by_ase(pos, cell, pbc, cutoff)  # ASE's sorted, ours as they came
    return len(mine)


@pytest.mark.parametrize("seed", range(40))
def test_cells_of_any_shape(seed):
    """Triclinic, left-handed, far thinner than the cut-off, partly periodic, atoms far outside."""
    generator = torch.Generator().manual_seed(seed)
    cell = torch.randn(3, 3, generator=generator).double() * (0.5 + 3 * torch.rand(3, 1, generator=generator))
    if cell.det().abs() < 0.3:
        cell = cell + 2 * torch.eye(3)
    pbc = (torch.rand(3, generator=generator) < 0.6).tolist()
    pos = 4 * torch.randn(1 + seed % 7, 3, generator=generator).double()
    check_as_ase(pos, cell, pbc, 1 + 3 * float(torch.rand(1, generator=generator)))


@pytest.mark.parametrize("pbc", [SLAB, WIRE, [True] * 3])
def test_slabs_and_wires(pbc):
    cell = torch.tensor([[3.1, 0, 0], [1.2, 3.3, 0], [0.4, 0.3, 3.7]], dtype=torch.float64)
    pos = torch.rand(12, 3, dtype=torch.float64) * 9 - 4
    count = check_as_ase(pos, cell, pbc, 4.2)
    bare = cell.where(torch.tensor(pbc)[:, None], 0.0)  # no vector where nothing repeats
    edge_index, shift = neighbor_list(pos, 4.2, cell=bare, pbc=torch.tensor(pbc))
    assert len(shift) == count
    assert rows(edge_index, shift) == by_ase(pos, cell, pbc, 4.2)


def test_one_atom_and_its_images():
    cell = torch.diag(torch.tensor([0.6, 8.0, 9.0], dtype=torch.float64))
    assert check_as_ase(torch.zeros(1, 3, dtype=torch.float64), cell, [True] * 3, 5.0) == 16


def test_molecules_need_no_cell():
    pos = torch.rand(30, 3, dtype=torch.float64) * 4
    edge_index, shift = neighbor_list(pos, 1.7)
    assert rows(edge_index, shift) == by_ase(pos, torch.zeros(3, 3), [False] * 3, 1.7)
    assert shift.dtype == torch.int32
    assert not shift.any()


def test_a_batch_is_its_structures():
    """Molecules and cells in any order, one without atoms and one with a single atom."""
    sizes, pbcs = [4, 0, 7, 1, 9, 3], [[False] * 3, [True] * 3, [True] * 3, [False] * 3, SLAB, [False] * 3]
    cell = torch.randn(6, 3, 3, dtype=torch.float64) + 3 * torch.eye(3)
    pos = 3 * torch.rand(sum(sizes), 3, dtype=torch.float64)
    graph_id = torch.arange(6).repeat_interleave(torch.tensor(sizes))
    together = rows(*neighbor_list(pos, 3.0, cell=cell, pbc=torch.tensor(pbcs), graph_id=graph_id))
    alone, first = [], 0
    for k, size in enumerate(sizes):
        if size:
            part = neighbor_list(pos[first : first + size], 3.0, cell=cell[k], pbc=torch.tensor(pbcs[k]))
            alone += [(i + first, j + first, *shift) for i, j, *shift in rows(*part)]
        first += size
    assert together == alone
    assert together == sorted(together)


def test_every_pair_is_there_in_both_directions():
    pos, cell = 5 * torch.rand(20, 3), 4 * torch.eye(3) + 0.3
    found = set(rows(*neighbor_list(pos, 3.5, cell=cell)))
    assert found == {(j, i, -a, -b, -c) for i, j, a, b, c in found}


def test_gradients_and_single_precision_do_not_matter():
    pos = (5 * torch.rand(20, 3)).requires_grad_()
    assert torch.equal(neighbor_list(pos, 2.0)[0], neighbor_list(pos.detach().double(), 2.0)[0])


def test_two_atoms_across_the_cell_wall_at_one_place():
    pos = torch.tensor([[0.0, 0, 0], [3.0, 0, 0], [1.5, 0, 0]])
    with pytest.raises(InputError, match=r"atoms 0 and 1 are at one place"):
        neighbor_list(pos, 2.0, cell=3 * torch.eye(3))


@pytest.mark.parametrize(
    ("pos", "options", "message"),
    [
        ([[0, 0, 0], [0, float("nan"), 0]], {}, "atom 1 has a coordinate that is not finite"),
        ([[0, 0, 0], [0, float("inf"), 0]], {}, "atom 1 has a coordinate that is not finite"),
        ([[0, 0, 0], [2, 0, 0], [0, 0, 1e-5]], {}, "atoms 0 and 2 are at one place"),
        ([[0, 0, 0]], {"cell": torch.diag(torch.tensor([1.0, 1.0, 0.0]))}, "its cell has no volume"),
        ([[0, 0, 0]], {"cell": torch.ones(3, 3)}, "its cell has no volume"),
        ([[0, 0, 0]], {"pbc": True}, "a periodic structure needs a cell"),
        ([[0, 0, 0]], {"cell": torch.eye(2)}, "cell must be"),
        ([[0, 0, 0]], {"cell": torch.eye(3), "pbc": torch.tensor([1, 1, 1])}, "pbc must be boolean"),
        ([[0, 0, 0]], {"cell": torch.eye(3), "pbc": torch.tensor([True, False])}, "pbc must be"),
        ([[0, 0, 0]], {"cell": 1e-3 * torch.eye(3)}, "is its cell right"),
        ([[0, 0, 0], [1, 0, 0]], {"graph_id": torch.tensor([1, 0])}, "graph_id must ascend"),
        ([[0, 0, 0]], {"cell": torch.eye(3).expand(2, 3, 3)}, "2 cells need graph_id"),
    ],
)
def test_wrong_input(pos, options, message):
    with pytest.raises(InputError, match=message):
        neighbor_list(torch.tensor(pos, dtype=torch.float64), 2.0, **options)


def test_the_structure_is_named():
    pos = torch.tensor([[0.0, 0, 0], [0, 0, 1], [5, 5, 5], [5, 5, 5]])
    with pytest.raises(InputError, match="atoms 0 and 1 of structure 1 are at one place"):
        neighbor_list(pos, 2.0, graph_id=torch.tensor([0, 0, 1, 1]))


@pytest.mark.parametrize("cutoff", [0, -1.0, float("nan"), float("inf"), "5"])
def test_wrong_cutoffs(cutoff):
    with pytest.raises(InputError, match="cutoff must be a positive distance"):
        neighbor_list(torch.zeros(1, 3), cutoff)


def test_without_vesin(monkeypatch):
    monkeypatch.setitem(sys.modules, "vesin", None)
    neighbor_list(torch.zeros(1, 3), 2.0)  # molecules do not need it
    with pytest.raises(ImportError, match=r"pip install 'grapevine-gnn\[atoms\]'"):
        neighbor_list(torch.zeros(1, 3), 2.0, cell=torch.eye(3))


@pytest.mark.parametrize("cell", [None, 7 * torch.eye(3) + 0.5 * torch.rand(3, 3)])
def test_a_kept_list_is_a_new_one(cell):
    keep, pos = SkinNeighbors(2.5, skin=0.6), 6 * torch.rand(40, 3, dtype=torch.float64)
    for _ in range(60):
        pos = pos + 0.03 * torch.randn(40, 3)
        mine, new = keep(pos, cell=cell), neighbor_list(pos, 2.5, cell=cell)
        assert all(torch.equal(one, other) for one, other in zip(mine, new, strict=True))
    assert 1 < keep.num_builds < 30


def test_when_a_list_is_made_anew():
    keep, pos, cell, z = SkinNeighbors(2.5, skin=0.5), 3 * torch.rand(6, 3), 4 * torch.eye(3), torch.ones(6).long()
    builds = []
    far = pos.clone()
    far[0, 0] += 0.26
    steps = (
        (pos, cell, z), (pos + 0.1, cell, z), (far, cell, z), (far, 1.001 * cell, z), (far, 1.001 * cell, z + 1),
        (far[:5], 1.001 * cell, z[:5]), (far[:5], None, z[:5]), (far[:5], None, None),
    )  # fmt: skip
    for where, box, numbers in steps:
        keep(where, cell=box, z=numbers)
        builds.append(keep.num_builds)
    assert builds == [1, 1, 2, 3, 4, 5, 6, 7]


def test_a_kept_list_is_not_changed_from_outside():
    keep, pos = SkinNeighbors(1.5, skin=0.2), torch.tensor([[0.0, 0, 0], [0, 0, 2.0]], dtype=torch.float64)
    assert keep(pos)[0].shape == (2, 0)
    pos[1, 2] = 1.0  # in place, as an integrator moves atoms
    assert keep(pos)[0].shape == (2, 2)


def test_a_kept_list_sees_bad_input():
    keep, pos = SkinNeighbors(1.5), torch.eye(3)
    keep(pos)
    with pytest.raises(InputError, match="not finite"):
        keep(pos * float("nan"))
    with pytest.raises(InputError, match="at one place"):
        keep(pos * 1e-5)
    with pytest.raises(InputError, match="skin must be a distance"):
        SkinNeighbors(1.5, skin=-1.0)
    with pytest.raises(InputError, match="cutoff must be a positive distance"):
        SkinNeighbors(0.0)
