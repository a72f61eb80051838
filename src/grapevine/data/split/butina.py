"""Groups molecules that are alike: clusters of fingerprints by the method of Butina (1999)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from grapevine.data.molecules.mols import each_mol
from grapevine.data.molecules.rdkit_parts import rdkit_part
from grapevine.errors import check


def cluster_keys(
    smiles: Sequence[str], *, distance: float = 0.4, radius: int = 2, bits: int = 2048
) -> Int[np.ndarray, " n"]:
    """[n] the number of each molecule's cluster, the largest ones first.

    Two molecules are neighbours if the Tanimoto distance of their Morgan fingerprints is at most `distance`. The one
    with the most neighbours and those that no cluster has yet are the first cluster, and so on; of as many, the later
    molecule comes first. Time grows with the square of n: a minute for some 30 000 molecules.

    Raises:
        InputError: for a text that is no molecule, or a distance that is not in [0, 1].
        ImportError: if RDKit is not installed.

    >>> cluster_keys(["CCCCO", "CCCCCO", "c1ccccc1", "CCCCCCO"]).tolist()
    [0, 0, 1, 0]
    """
    check(0 <= distance <= 1, f"distance must be in [0, 1], got {distance}")
    morgan = rdkit_part("Chem.rdFingerprintGenerator").GetMorganGenerator(radius=radius, fpSize=bits)
    fingerprints = [morgan.GetFingerprint(mol) for mol in each_mol(smiles)]
    bulk = rdkit_part("DataStructs").BulkTanimotoSimilarity
    pairs = []
    for row in range(1, len(fingerprints)):
        alike = np.asarray(bulk(fingerprints[row], fingerprints[:row]))
        near = (1 - alike <= distance).nonzero()[0]
        pairs.append(np.stack([np.full(len(near), row), near]))
    return _clusters(np.concatenate([np.zeros((2, 0), np.int64), *pairs], axis=1), len(fingerprints))


def _clusters(pairs: np.ndarray, count: int) -> np.ndarray:
    """The cluster of each of `count` items, of pairs of neighbours each given once."""
    both = np.concatenate([pairs, pairs[::-1]], axis=1)
    both = both[:, both[0].argsort(kind="stable")]
    starts = np.searchsorted(both[0], np.arange(count + 1))
    degree = np.diff(starts)
    cluster, number = np.full(count, -1, np.int64), 0
    for centre in np.lexsort((-np.arange(count), -degree)).tolist():
        if cluster[centre] >= 0:
            continue
        near = both[1, starts[centre] : starts[centre + 1]]
        cluster[[centre, *near[cluster[near] < 0].tolist()]] = number
        number += 1
    _, key, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[key] if count else cluster
