"""Blocks of atoms with places: QM9's files read whole, perceived bonds against drawn ones, and bad blocks."""

import sys

import numpy as np
import pytest
import torch

from grapevine.data.molecules.packed import AtomCode, BondCode
from grapevine.data.readers.xyz_blocks import read_xyz_blocks
from grapevine.errors import InputError
from tests.data.files import SHARED, needs

QM9 = SHARED / "qm9_small"
WATER = "water\nO 0 0 0.12\nH 0 0.76 -0.48\nH 0 -0.76 -0.48\n-10.1\n"
BAD = {
    "name\nO 0 0 0\n": (1, "three lines"),
    "name\nO 0 0 0\nQ 1 0 0\n-1\n": (3, "an element and three coordinates"),
    "name\nO 0 0 0\nH 1 0\n-1\n": (3, "an element and three coordinates"),
    "name\nO 0 0 0\nH 1 0 far\n-1\n": (3, "a number"),
    "name\nO 0 0 nan\nH 1 0 0\n-1\n": (2, "a number"),
    "name\nO 0 0 0\nH 1 0 0\nminus one\n": (4, "a number"),
    "name\nO 0 0 0\nH 1 0 0\n": (3, "a number"),
}


@needs("qm9_small")
def test_qm9_is_read_as_its_lines_say():
    read = read_xyz_blocks(QM9 / "val.txt", QM9 / "test.txt")
    graph = read.dataset.graph
    assert graph.num_graphs == 1479 + 1480
    assert len(read.rejects) == 0
    assert read.notes == ()  # bond orders were found for every molecule
    (split,) = read.dataset.splits
    assert (int(split.train.sum()), int(split.val.sum()), int(split.test.sum())) == (1331, 148, 1480)
    assert split.test.nonzero().min() == 1479
    blocks = (QM9 / "val.txt").read_text().strip().split("\n\n") + (QM9 / "test.txt").read_text().strip().split("\n\n")
    for k in (0, 700, 1478, 1479, 2958):
        name, *atoms, y = blocks[k].split("\n")
        rows = slice(int(graph.ptr[k]), int(graph.ptr[k + 1]))
        assert read.dataset.ids[k] == name
        assert float(graph.y[k]) == pytest.approx(float(y), rel=1e-6)
        places = [[float(field) for field in line.split()[1:]] for line in atoms]
        torch.testing.assert_close(graph.pos[rows], torch.tensor(places))
        letters = {1: "H", 6: "C", 7: "N", 8: "O", 9: "F"}
        assert [letters[z] for z in graph.z[rows].tolist()] == [line.split()[0] for line in atoms]


@needs("qm9_small")
def test_every_atom_of_qm9_has_its_valence():
    packed = read_xyz_blocks(QM9 / "test.txt").packed
    ends = packed.ends + np.repeat(packed.ptr[:-1], np.diff(packed.bond_ptr))[:, None]
    order = np.array([np.nan, 1, 2, 3, *[np.nan] * 8, 1.5])[packed.bond[:, BondCode.TYPE]]
    valence = np.bincount(ends.ravel(), np.repeat(order, 2), minlength=len(packed.atom))
    usual = np.array([0, 1, 0, 0, 0, 0, 4, 3, 2, 1])[packed.atom[:, AtomCode.Z]]
    charge, z = packed.atom[:, AtomCode.CHARGE], packed.atom[:, AtomCode.Z]
    is_plain = (charge == 0) & (packed.atom[:, AtomCode.AROMATIC] == 0)  # Kekule orders of aromatic rings are not kept
    assert is_plain.mean() > 0.7
    assert np.array_equal(valence[is_plain], usual[is_plain])
    assert (packed.atom[:, AtomCode.RADICALS] == 0).all()
    assert set(z[charge != 0].tolist()) <= {6, 7, 8}
    owner = np.repeat(np.arange(packed.num_molecules), np.diff(packed.ptr))
    assert (np.bincount(owner, charge) == 0).all()


def test_perceived_bonds_are_those_of_a_drawn_molecule(tmp_path):
    """Embedded from its SMILES by RDKit, a molecule comes back with its own bonds, orders and elements."""
    chem = pytest.importorskip("rdkit.Chem")
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    drawn = ["CC(=O)NC", "c1ccoc1", "C#CC1CO1", "C[N+](=O)[O-]", "FC(F)=CC#N", "O=C1C=CC(=O)N1", "C1CC2CC1C2"]
    text = []
    for smiles in drawn:
        mol = chem.AddHs(chem.MolFromSmiles(smiles))
        rdDistGeom.EmbedMolecule(mol, randomSeed=1)
        rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
        places = mol.GetConformer().GetPositions()
        lines = [
            f"{a.GetSymbol()} {x:.6f} {y:.6f} {z:.6f}" for a, (x, y, z) in zip(mol.GetAtoms(), places, strict=True)
        ]
        text.append("\n".join([smiles, *lines, "0"]))
    (tmp_path / "drawn.txt").write_text("\n\n".join(text))
    packed = read_xyz_blocks(tmp_path / "drawn.txt").packed
    for k, smiles in enumerate(drawn):
        mol = chem.AddHs(chem.MolFromSmiles(smiles))
        wanted = {frozenset((b.GetBeginAtomIdx(), b.GetEndAtomIdx())): int(b.GetBondType()) for b in mol.GetBonds()}
        one = packed.take(np.array([k]))
        found = {frozenset(ends): code for ends, code in zip(one.ends.tolist(), one.bond[:, 0].tolist(), strict=True)}
        assert found == wanted, smiles
        assert one.atom[:, AtomCode.CHARGE].tolist() == [a.GetFormalCharge() for a in mol.GetAtoms()]


@pytest.mark.parametrize("block", BAD)
def test_a_bad_block_is_left_out_with_its_line(tmp_path, block):
    line, words = BAD[block]
    (tmp_path / "some.txt").write_text(f"{WATER}\n{block}\n\n{WATER}")
    read = read_xyz_blocks(tmp_path / "some.txt", features=None)
    assert read.dataset.graph.num_graphs == 2
    assert read.rejects.frame["line"].to_list() == [line + 6]
    assert words in read.rejects.frame["reason"][0]
    assert f"line {line + 6}" in read.notes[0]


def test_bonds_that_no_orders_fit_have_none(tmp_path):
    pytest.importorskip("rdkit")
    (tmp_path / "some.txt").write_text(f"{WATER}\nhydroxyl\nO 0 0 0\nH 0 0 0.97\n-4.6\n\nhelium\nHe 0 0 0\n0\n")
    read = read_xyz_blocks(tmp_path / "some.txt")
    assert read.dataset.graph.unbatch()[1].edge_attr.tolist() == [[0, 0, 0, 0]] * 2
    assert read.dataset.graph.unbatch()[0].edge_attr.tolist() == [[1, 0, 0, 0]] * 4
    assert len(read.notes) == 1
    assert "1 molecules" in read.notes[0]
    assert "hydroxyl" in read.notes[0]


def test_without_features_there_are_no_bonds_and_no_rdkit_is_needed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit.Chem", None)
    (tmp_path / "some.txt").write_text(WATER.replace("\n", "\r\n"))
    read = read_xyz_blocks(tmp_path / "some.txt", features=None)
    assert read.packed is None
    assert read.dataset.graph.z.tolist() == [8, 1, 1]
    assert read.dataset.graph.num_edges == 0
    assert read.dataset.graph.y.tolist() == pytest.approx([-10.1])
    with pytest.raises(ImportError, match="chem"):
        read_xyz_blocks(tmp_path / "some.txt")


def test_a_file_without_molecules_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(InputError, match="holds no molecule: it is empty"):
        read_xyz_blocks(tmp_path / "empty.txt")
    (tmp_path / "bad.txt").write_text("name\nO 0 0\n-1\n")
    with pytest.raises(InputError, match=r"bad\.txt holds no molecule: bad\.txt, line 2"):
        read_xyz_blocks(tmp_path / "bad.txt")
    with pytest.raises(InputError, match="there is no file"):
        read_xyz_blocks(tmp_path / "none.txt")
