"""Planetoid files: the real ones of Cora where they are, and small ones that a test writes."""

import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

CORA = Path(__file__).parents[2].parent / "shared" / "data" / "planetoid"
needs_cora = pytest.mark.skipif(not CORA.is_dir(), reason=f"Cora's raw files are not in {CORA}")

NUM_KNOWN, NUM_TRAIN, NUM_CLASSES, NUM_WORDS = 8, 4, 2, 6
TEST = [10, 8, 12]  # out of order; 9 and 11 are left out, as CiteSeer leaves out isolated nodes
GRAPH = {0: [1, 1, 0], 1: [0], 2: [3], 4: [10], 8: [12, 4]}  # repeated, looped and one-way edges


def write_planetoid(folder: Path, name: str = "citeseer", protocol: int = 2) -> dict[str, object]:
    """Write the eight files of a data set of 13 nodes and return their contents by part."""
    generator = np.random.default_rng(0)
    features = (generator.random((NUM_KNOWN + len(TEST), NUM_WORDS)) < 0.5).astype(np.float32)
    features[:, 0] = 1  # no empty row
    classes = np.eye(NUM_CLASSES, dtype=np.int32)[generator.integers(NUM_CLASSES, size=len(features))]
    parts = {
        "x": scipy.sparse.csr_matrix(features[:NUM_TRAIN]),
        "tx": scipy.sparse.csr_matrix(features[NUM_KNOWN:]),
        "allx": scipy.sparse.csr_matrix(features[:NUM_KNOWN]),
        "y": classes[:NUM_TRAIN],
        "ty": classes[NUM_KNOWN:],
        "ally": classes[:NUM_KNOWN],
        "graph": defaultdict(list, GRAPH),
    }
    for part, content in parts.items():
        (folder / f"ind.{name}.{part}").write_bytes(pickle.dumps(content, protocol=protocol))
    (folder / f"ind.{name}.test.index").write_text("".join(f"{node}\n" for node in TEST))
    return parts
