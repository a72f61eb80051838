"""Codes and features against RDKit atom by atom, the OGB's own featuriser, chemprop's, and the tables of the papers."""

import numpy as np
import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem")

from grapevine.data.molecules.codes import pack_by_atom  # noqa: E402
from grapevine.data.molecules.features import (  # noqa: E402
    atom_channels,
    atom_features,
    atom_names,
    bond_channels,
    bond_features,
    bond_names,
    pack_to_graph,
)
from grapevine.data.molecules.packed import AtomCode, BondCode, PackedMolecules  # noqa: E402
from grapevine.data.molecules.parse import ParseOptions, parse  # noqa: E402
from grapevine.data.molecules.pickled import PickledMolecules, pickle_molecules, unpickle  # noqa: E402
from grapevine.data.molecules.spec import FEATURE_SETS  # noqa: E402
from grapevine.errors import InputError  # noqa: E402
from tests.data.molecules.cases import SMILES  # noqa: E402

MOLS = [Chem.MolFromSmiles(smiles) for smiles in SMILES]
PACKED = parse(SMILES, ParseOptions(roles=True)).packed


def test_each_code_is_what_rdkit_says_of_the_atom():
    atoms = [atom for mol in MOLS for atom in mol.GetAtoms()]
    expected = {
        AtomCode.Z: [a.GetAtomicNum() for a in atoms],
        AtomCode.DEGREE: [a.GetDegree() for a in atoms],
        AtomCode.CHARGE: [a.GetFormalCharge() for a in atoms],
        AtomCode.HYDROGENS: [a.GetTotalNumHs() for a in atoms],
        AtomCode.HYBRIDISATION: [int(a.GetHybridization()) for a in atoms],
        AtomCode.AROMATIC: [int(a.GetIsAromatic()) for a in atoms],
        AtomCode.CHIRALITY: [int(a.GetChiralTag()) for a in atoms],
        AtomCode.RADICALS: [a.GetNumRadicalElectrons() for a in atoms],
    }
    for column, values in expected.items():
        assert PACKED.atom[:, column].tolist() == values, column.name
    np.testing.assert_allclose(PACKED.mass, [a.GetMass() for a in atoms], rtol=1e-6)
    for k, size in enumerate(range(3, 9)):
        is_in = [a.IsInRingSize(size) for a in atoms]
        assert (PACKED.atom[:, AtomCode.RINGS] >> k & 1).astype(bool).tolist() == is_in
    assert (PACKED.atom[:, AtomCode.RINGS] != 0).tolist() == [a.IsInRing() for a in atoms]


def test_each_code_is_what_rdkit_says_of_the_bond():
    bonds = [bond for mol in MOLS for bond in mol.GetBonds()]
    assert PACKED.ends.tolist() == [[b.GetBeginAtomIdx(), b.GetEndAtomIdx()] for b in bonds]
    assert PACKED.bond[:, BondCode.TYPE].tolist() == [int(b.GetBondType()) for b in bonds]
    assert PACKED.bond[:, BondCode.CONJUGATED].tolist() == [b.GetIsConjugated() for b in bonds]
    assert PACKED.bond[:, BondCode.IN_RING].tolist() == [b.IsInRing() for b in bonds]
    assert PACKED.bond[:, BondCode.STEREO].tolist() == [int(b.GetStereo()) for b in bonds]


LARGE = [Chem.MolFromSmiles(smiles) for smiles in ("C" * 300, "C1" + "CC" * 200 + "C1", "OC" * 130 + "/C=C/[C@H](N)F")]


def assert_same(packed, expected):
    for name, array in expected.arrays().items():
        assert np.array_equal(packed.arrays()[name], array), name
        assert packed.arrays()[name].dtype == array.dtype, name


def test_bytes_say_the_same_as_every_atom_on_its_own():
    mols = [*MOLS, *LARGE]
    assert_same(unpickle(pickle_molecules(mols)), pack_by_atom(mols))


def test_bytes_of_another_version_are_asked_atom_by_atom(monkeypatch):
    import grapevine.data.molecules.pickled as module

    asked = []
    monkeypatch.setattr(module, "pack_by_atom", lambda mols: asked.append(1) or pack_by_atom(mols))
    expected = pack_by_atom(MOLS)
    monkeypatch.setattr(module, "_HEADER", np.array([0xDEADBEEF, 0, 17, 0, 0], "<u4"))
    assert_same(unpickle(pickle_molecules(MOLS)), expected)
    assert asked


def test_most_molecules_are_read_from_their_bytes(monkeypatch):
    """Where RDKit has a form that the kernel does not know, molecules are right but slow: then it is to be learnt."""
    import grapevine.data.molecules.pickled as module

    def refuse(mols):
        raise AssertionError("these were to be read from their bytes")

    monkeypatch.setattr(module, "pack_by_atom", refuse)
    plain = ["CCO", "c1ccncc1", "C[N+](C)(C)C", "F/C=C/F", "C[C@H](N)C(=O)O", "[CH3]", "C#N", "[Na+].[Cl-]"]
    unpickle(pickle_molecules([Chem.MolFromSmiles(smiles) for smiles in plain]))


def test_no_molecules_have_no_bytes():
    assert isinstance(pickle_molecules([]), PickledMolecules)
    assert unpickle(pickle_molecules([])).num_molecules == 0


def test_donors_and_acceptors_are_those_of_rdkits_feature_factory():
    from rdkit import RDConfig
    from rdkit.Chem.rdMolChemicalFeatures import BuildFeatureFactory

    factory = BuildFeatureFactory(f"{RDConfig.RDDataDir}/BaseFeatures.fdef")
    expected = []
    for mol in MOLS:
        marks = [0] * mol.GetNumAtoms()
        for bit, family in ((1, "Donor"), (2, "Acceptor")):
            for feature in factory.GetFeaturesForMol(mol, includeOnly=family):
                for k in feature.GetAtomIds():
                    marks[k] |= bit
        expected += marks
    assert PACKED.atom[:, AtomCode.ROLES].tolist() == expected
    assert 3 in expected
    assert not parse(SMILES).packed.atom[:, AtomCode.ROLES].any()


def test_the_ogb_set_is_its_own_featurisers_as_one_hots():
    features = pytest.importorskip("ogb.utils.features")
    atoms = np.array([features.atom_to_feature_vector(a) for mol in MOLS for a in mol.GetAtoms()])
    bonds = np.array([features.bond_to_feature_vector(b) for mol in MOLS for b in mol.GetBonds()])
    for found, codes, dims in (
        (atom_features(PACKED, "ogb"), atoms, features.get_atom_feature_dims()),
        (bond_features(PACKED, "ogb"), bonds, features.get_bond_feature_dims()),
    ):
        expected = np.concatenate([np.eye(dim)[codes[:, k]] for k, dim in enumerate(dims)], axis=1)
        assert np.array_equal(found.numpy(), expected)


def test_the_chemprop_set_is_chemprops():
    chemprop = pytest.importorskip("chemprop.featurizers")
    of_atom, of_bond = chemprop.MultiHotAtomFeaturizer.v2(), chemprop.MultiHotBondFeaturizer()
    atoms = np.array([of_atom(a) for mol in MOLS for a in mol.GetAtoms()])
    bonds = np.array([of_bond(b) for mol in MOLS for b in mol.GetBonds()])
    np.testing.assert_allclose(atom_features(PACKED, "chemprop").numpy(), atoms, atol=1e-6)
    assert np.array_equal(bond_features(PACKED, "chemprop").numpy(), bonds)


def test_the_chemprop_set_of_one_atom_and_one_bond_written_out():
    packed = parse(["F/C=C/[NH3+]"]).packed
    x, e = atom_features(packed, "chemprop"), bond_features(packed, "chemprop")
    # 36 elements, iodine, other | degree 0-5, other | charge -1 -2 1 2 0, other | tag | hydrogens | hybridisation
    starts = np.cumsum([0, 38, 7, 6, 5, 6, 8])
    ones = starts[:-1] + np.array([6, 4, 2, 0, 3, 4])  # N, 4 neighbours, +1, no tag, 3 hydrogens, sp3
    expected = np.zeros(72)
    expected[ones] = 1
    expected[-1] = 0.14007
    np.testing.assert_allclose(x[3].numpy(), expected, atol=1e-5)
    assert e[1].nonzero().flatten().tolist() == [2, 7 + 3]  # double, E
    e = bond_features(parse(["C1=CC=CC1"]).packed, "chemprop")
    assert e[1].nonzero().flatten().tolist() == [1, 5, 6, 7]  # single, conjugated, in a ring, no stereo


def test_the_gilmer_set_is_table_1_of_the_paper():
    packed = parse(["OC=C"], ParseOptions(roles=True, hydrogens=True)).packed
    x, e = atom_features(packed, "gilmer"), bond_features(packed, "gilmer")
    # H C N O F | number, acceptor, donor, aromatic | sp sp2 sp3 | hydrogens
    assert x[0].tolist() == [0, 0, 0, 1, 0, 8, 1, 1, 0, 0, 1, 0, 1]
    assert x[2].tolist() == [0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 1, 0, 2]
    assert x[3].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert e[:2].tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    flat = parse(["OC=C"], ParseOptions(roles=True)).packed
    assert torch.equal(atom_features(flat, "gilmer"), x[:3])


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_widths_are_known_beforehand(name):
    assert atom_features(PACKED, name).shape[1] == atom_channels(name) == len(set(atom_names(name)))
    assert bond_features(PACKED, name).shape[1] == bond_channels(name) == len(set(bond_names(name)))
    assert atom_features(PackedMolecules.concat([]), name).shape == (0, atom_channels(name))
    with pytest.raises(InputError, match="features must be one of gilmer, chemprop, ogb, full, got 'morgan'"):
        atom_channels("morgan")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_a_batch_is_the_graphs_of_its_molecules(name):
    batch = pack_to_graph(PACKED, name)
    assert batch.adj.is_symmetric()
    assert torch.equal(batch.adj.src[(batch.adj.edge_id ^ 1).argsort()[batch.adj.edge_id]], batch.adj.dst)
    for k, (graph, mol) in enumerate(zip(batch.unbatch(), MOLS, strict=True)):
        alone = pack_to_graph(PACKED.take(np.array([k])), name)
        assert torch.equal(graph.x, alone.x)
        assert torch.equal(graph.z, alone.z)
        assert torch.equal(graph.edge_attr, alone.edge_attr)
        assert torch.equal(graph.adj.edge_index, alone.adj.edge_index)
        bonded = torch.zeros(mol.GetNumAtoms(), mol.GetNumAtoms(), dtype=torch.long)
        bonded[graph.adj.dst, graph.adj.src] = 1
        assert bonded.tolist() == Chem.GetAdjacencyMatrix(mol).tolist()
