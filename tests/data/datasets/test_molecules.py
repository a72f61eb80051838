"""The embedded molecules: what is in the file, against RDKit's reading of the SMILES and a fresh calculation."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from grapevine.data.datasets import molecules
from grapevine.data.molecules.packed import AtomCode
from grapevine.errors import InputError

ELEMENTS = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
UNPAIRED = {1: 1, 6: 2, 7: 3, 8: 2, 9: 1}  # of the free atom's ground state: 2S, 3P, 4S, 3P, 2P
RADII = {1: 0.31, 6: 0.76, 7: 0.71, 8: 0.66, 9: 0.57}  # covalent, angstrom; Cordero et al. 2008


@pytest.fixture(scope="module")
def dataset():
    return molecules.load()


def test_the_set_is_as_it_says(dataset):
    graph, info = dataset.graph, molecules.INFOS[0]
    assert (graph.num_graphs, graph.num_nodes, graph.num_edges) == (2000, info.num_nodes, 2 * info.num_edges)
    assert info.name == dataset.name == "molecules"
    assert (graph.x.shape[1], graph.edge_attr.shape[1]) == (info.num_features, 4)
    assert set(graph.z.tolist()) == set(ELEMENTS)
    sizes = graph.ptr.diff()
    heavy = torch.zeros(2000, dtype=torch.int64).index_add_(0, graph.graph_id, (graph.z > 1).long())
    assert (int(heavy.min()), int(heavy.max())) == (1, 9)
    assert int((heavy <= 7).sum()) > 1400
    assert sizes.min() >= 3
    assert len(set(dataset.smiles)) == 2000
    assert dataset.ids.tolist() == list(dataset.smiles)
    assert graph.adj.is_symmetric()
    for name in ("pos", *molecules.TARGETS):
        assert bool(getattr(graph, name).isfinite().all())
        assert getattr(graph, name).dtype == torch.float32
    assert torch.equal(graph.y, graph.atomisation)
    assert set(graph.levels) == {"x", "z", "pos", "edge_attr", "y", *molecules.TARGETS}  # and no forces


def test_the_split_is_random_and_covers_all(dataset):
    (split,) = dataset.splits
    assert [int(part.sum()) for part in (split.train, split.val, split.test)] == [1600, 200, 200]
    for part in (split.val, split.test):  # molecules stand by size: the parts are no end of the list
        assert 700 < part.nonzero().double().mean() < 1300


def test_every_target_has_its_name():
    assert [info.name for info in molecules.INFOS] == [
        "molecules", "molecules:energy", "molecules:dipole", "molecules:homo", "molecules:lumo", "molecules:gap",
    ]  # fmt: skip
    for info, target in zip(molecules.INFOS, molecules.TARGETS, strict=True):
        loaded = molecules.load(info.name)
        assert torch.equal(loaded.graph.y, getattr(loaded.graph, target))
        assert loaded.name == info.name
        assert "electronvolt" in loaded.about["units"]
        assert ("eV" in info.title) != (target == "dipole")
    with pytest.raises(InputError, match="atomisation, energy, dipole, homo, lumo, gap, got 'mass'"):
        molecules.load("molecules:mass")
    assert molecules.load(features="chemprop").graph.x.shape[1] == 72


def test_energies_are_physical(dataset):
    graph = dataset.graph
    bonds = torch.zeros(2000).index_add_(0, graph.graph_id[graph.adj.dst], torch.ones(graph.num_edges)) / 2
    per_bond = graph.atomisation / bonds
    assert per_bond.max() < -3.5  # every bond holds
    assert per_bond.min() > -15  # a triple bond holds most, as in HCN
    assert -7 < per_bond.mean() < -4
    torch.testing.assert_close(graph.gap, graph.lumo - graph.homo, atol=1e-5, rtol=0)
    assert graph.gap.min() > 1.5
    assert graph.homo.max() < -7
    assert graph.dipole.min() >= 0
    assert graph.dipole.max() < 12
    free = graph.energy - graph.atomisation  # of the free atoms: linear in the composition
    counts = torch.stack([torch.bincount(graph.graph_id[graph.z == z], minlength=2000) for z in ELEMENTS], 1).double()
    solved = torch.linalg.lstsq(counts, free.double()[:, None]).solution
    torch.testing.assert_close(counts @ solved, free.double()[:, None], atol=1e-3, rtol=0)


def test_symmetric_molecules_have_no_dipole_moment(dataset):
    names = dataset.ids.tolist()
    for smiles in ("C", "C=C", "C#C", "O=C=O", "c1ccccc1"):
        assert float(dataset.graph.dipole[names.index(smiles)]) < 0.02, smiles
    water = float(dataset.graph.dipole[names.index("O")])
    assert 1.8 < water < 2.4  # 1.85 measured


def test_atoms_are_as_far_apart_as_their_bonds_ask(dataset):
    graph = dataset.graph
    radius = torch.zeros(10).index_put((torch.tensor(list(RADII)),), torch.tensor(list(RADII.values())))[graph.z]
    src, dst = graph.adj.src.long(), graph.adj.dst.long()
    length = (graph.pos[src] - graph.pos[dst]).norm(dim=1)
    ratio = length / (radius[src] + radius[dst])
    assert 0.75 < ratio.min() < ratio.max() < 1.2
    for k in range(0, 2000, 40):  # atoms that are not bound stay apart
        one = graph.ptr[k], graph.ptr[k + 1]
        near = torch.cdist(graph.pos[one[0] : one[1]], graph.pos[one[0] : one[1]])
        reach = 1.15 * (radius[one[0] : one[1], None] + radius[None, one[0] : one[1]])
        inside = (graph.graph_id[dst] == k).sum()
        assert int((near < reach).sum() - len(near)) == int(inside), dataset.ids[k]


def test_codes_are_those_of_the_smiles(dataset):
    chem = pytest.importorskip("rdkit.Chem")
    from grapevine.data.molecules.pickled import pack

    mols = [chem.AddHs(chem.MolFromSmiles(smiles)) for smiles in dataset.ids.tolist()]
    fresh, held = pack(mols, roles=True), molecules.packed()
    for name, array in fresh.arrays().items():
        np.testing.assert_array_equal(array, getattr(held, name), err_msg=name)
    assert [chem.MolToSmiles(chem.RemoveHs(mol)) for mol in mols] == dataset.ids.tolist()
    assert held.atom[:, AtomCode.Z].tolist() == dataset.graph.z.tolist()


def test_stereo_of_the_smiles_is_that_of_the_places(dataset):
    chem = pytest.importorskip("rdkit.Chem")
    checked = 0
    for k in range(0, 2000, 10):
        smiles = str(dataset.ids[k])
        mol = chem.AddHs(chem.MolFromSmiles(smiles))
        conformer = chem.Conformer(mol.GetNumAtoms())
        conformer.SetPositions(dataset.graph.pos[dataset.graph.ptr[k] : dataset.graph.ptr[k + 1]].double().numpy())
        mol.AddConformer(conformer)
        mol = chem.RemoveHs(mol)
        chem.RemoveStereochemistry(mol)
        chem.AssignStereochemistryFrom3D(mol)
        assert chem.MolToSmiles(mol) == smiles
        checked += "@" in smiles or "/" in smiles
    assert checked > 30


def test_rdkit_is_not_needed():
    code = (
        "import sys; sys.modules['rdkit'] = None\n"
        "from grapevine.data.datasets import molecules\n"
        "print(molecules.load().graph.num_graphs)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2000", done.stderr


@pytest.mark.slow
def test_labels_are_those_of_a_fresh_calculation(dataset):
    interface = pytest.importorskip("tblite.interface", reason="tblite is not installed")
    bohr, hartree, debye = 0.529177210903, 27.211386245988, 2.541746473  # CODATA 2018

    def calculate(numbers, places, unpaired=0):
        calculator = interface.Calculator("GFN2-xTB", np.array(numbers), np.array(places, float) / bohr, uhf=unpaired)
        calculator.set("verbosity", 0)
        return calculator.singlepoint()

    atoms = {z: calculate([z], [[0, 0, 0]], unpaired).get("energy") for z, unpaired in UNPAIRED.items()}
    graph = dataset.graph
    for k in np.random.default_rng(1).choice(2000, 20, replace=False):
        rows = slice(int(graph.ptr[k]), int(graph.ptr[k + 1]))
        numbers = graph.z[rows].tolist()
        result = calculate(numbers, graph.pos[rows].tolist())
        energy, levels = result.get("energy"), result.get("orbital-energies") * hartree
        homo = sum({1: 1, 6: 4, 7: 5, 8: 6, 9: 7}[z] for z in numbers) // 2 - 1  # valence electrons, two an orbital
        wanted = {
            "energy": energy * hartree,
            "atomisation": (energy - sum(atoms[z] for z in numbers)) * hartree,
            "homo": levels[homo],
            "lumo": levels[homo + 1],
            "gap": levels[homo + 1] - levels[homo],
        }
        for name, value in wanted.items():
            assert float(getattr(graph, name)[k]) == pytest.approx(value, abs=1e-3), (dataset.ids[k], name)
        dipole = np.linalg.norm(result.get("dipole")) * debye
        assert float(graph.dipole[k]) == pytest.approx(dipole, abs=1e-2), dataset.ids[k]
        forces = -result.get("gradient") * hartree / bohr
        assert np.linalg.norm(forces, axis=1).max() < 0.02, dataset.ids[k]  # it is at rest
