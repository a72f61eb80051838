"""Scaffolds and clusters, against RDKit's own functions for them."""

import numpy as np
import pytest

Chem = pytest.importorskip("rdkit.Chem")

from rdkit import DataStructs  # noqa: E402
from rdkit.Chem import rdFingerprintGenerator  # noqa: E402
from rdkit.Chem.Scaffolds import MurckoScaffold  # noqa: E402
from rdkit.ML.Cluster import Butina  # noqa: E402

from grapevine.data.split.butina import cluster_keys  # noqa: E402
from grapevine.data.split.scaffold import scaffold_keys, scaffolds  # noqa: E402
from grapevine.errors import InputError  # noqa: E402
from tests.data.molecules.cases import SMILES  # noqa: E402

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccc2ccccc2c1", "C1CCOC1"]
MANY = [f"{'C' * k}{ring}" for ring in RINGS for k in range(7)] + ["C" * k + "O" for k in range(1, 9)] + SMILES


def test_scaffolds_are_those_of_rdkit():
    expected = [MurckoScaffold.MurckoScaffoldSmiles(smiles, includeChirality=False) for smiles in MANY]
    assert scaffolds(MANY) == expected
    keys = scaffold_keys(MANY)
    names = list(dict.fromkeys(expected))
    assert [names[k] for k in keys] == expected


def test_generic_scaffolds_forget_the_elements():
    keys = scaffold_keys(["Cc1ccccc1", "C1CCNCC1", "C1CCCC1", "CC"], generic=True)
    assert keys.tolist() == [0, 0, 1, 2]
    assert scaffolds(["c1ccccc1OC1CCNC1"], generic=True) == ["C1CCC(CC2CCCC2)CC1"]


@pytest.mark.parametrize("distance", [0.2, 0.4, 0.6])
def test_clusters_are_those_of_rdkit(distance):
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [morgan.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in MANY]
    far = [1 - s for k in range(1, len(prints)) for s in DataStructs.BulkTanimotoSimilarity(prints[k], prints[:k])]
    expected = Butina.ClusterData(far, len(prints), distance, isDistData=True)
    keys = cluster_keys(MANY, distance=distance)
    assert {frozenset(c) for c in expected} == {
        frozenset((keys == k).nonzero()[0].tolist()) for k in set(keys.tolist())
    }
    sizes = np.bincount(keys)
    assert (np.diff(sizes) <= 0).all()
    assert sizes[0] > 1


def test_one_molecule_and_none():
    assert cluster_keys(["CCO"]).tolist() == [0]
    assert cluster_keys([]).tolist() == []
    assert scaffold_keys([]).tolist() == []


def test_a_text_that_is_no_molecule_is_refused(capfd):
    with pytest.raises(InputError, match="molecule 1, 'C1CC', can not be read: unclosed ring"):
        scaffold_keys(["C", "C1CC"])
    with pytest.raises(InputError, match="molecule 0, '', can not be read: no molecule is given"):
        cluster_keys([""])
    with pytest.raises(InputError, match=r"distance must be in \[0, 1\]"):
        cluster_keys(["C"], distance=1.5)
    assert capfd.readouterr().err == ""
