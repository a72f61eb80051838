"""2,000 small organic molecules with their geometry, energy, dipole moment and frontier orbitals.

Molecules of H, C, N, O and F with at most nine heavy atoms, drawn from a grammar; geometry and labels by the
tight-binding method GFN2-xTB at its own minimum. Bannwarth, Ehlert & Grimme 2019, "GFN2-xTB".
`scripts/make_molecules.py` made them.
"""

from importlib.resources import as_file, files

import numpy as np
import torch
from safetensors.numpy import load_file

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.info import DatasetInfo
from grapevine.data.molecules.features import pack_to_graph
from grapevine.data.molecules.packed import PackedMolecules
from grapevine.data.molecules.spec import FeatureSet
from grapevine.data.split import Split
from grapevine.errors import check

NAME = "molecules"
TARGETS = {
    "atomisation": "atomisation energy in eV: the molecule's less that of its free atoms, negative",
    "energy": "total energy in eV",
    "dipole": "dipole moment in debye",
    "homo": "energy of the highest occupied orbital in eV",
    "lumo": "energy of the lowest empty orbital in eV",
    "gap": "energy between the highest occupied and the lowest empty orbital in eV",
}
_DEFAULT = "atomisation"
_FILE = "molecules.safetensors"


def _info(target: str) -> DatasetInfo:
    return DatasetInfo(
        NAME if target == _DEFAULT else f"{NAME}:{target}",
        f"small organic molecules and their {TARGETS[target]}, by GFN2-xTB",
        level="graph",
        task="regression",
        metric="mae",
        split="80 % teach, 10 % choose, 10 % judge, drawn at random once",
        num_nodes=27538,
        num_edges=26673,
        num_graphs=2000,
        num_features=13,
        num_classes=None,
        licence="MIT",
        citation='made for Grapevine; Bannwarth, Ehlert & Grimme 2019, "GFN2-xTB", J. Chem. Theory Comput. 15',
    )


INFOS = tuple(_info(target) for target in TARGETS)


def load(name: str = NAME, *, features: FeatureSet = "gilmer") -> Dataset:
    """The molecules with every hydrogen, bonds both ways, `z`, `pos` in angstrom, and `y` [g] the target of the name.

    "molecules" asks for the atomisation energy, "molecules:gap" and the like for another of `TARGETS`. All targets
    are in the graph under their names; energies in eV, the dipole moment in debye. `ids` are the SMILES,
    stereo included.

    The atomisation energy is the molecule's energy less that of its free atoms, each in its ground state's
    multiplicity, so it is negative. GFN2-xTB knows no spin polarisation, so its free atoms lie too high: the energies
    are about 1.4 times those of density functional theory, chiefly by a shift for each atom.

    Args:
        features: the set of atom and bond features.

    Raises:
        InputError: if there is no such target or set of features.

    >>> load("molecules:gap").splits[0]
    Split(1600 train, 200 val, 200 test)
    """
    target = _DEFAULT if name == NAME else name.removeprefix(f"{NAME}:")
    check(target in TARGETS, f"the targets of {NAME} are {', '.join(TARGETS)}, got {target!r}")
    arrays = _arrays()
    labels = {key: torch.from_numpy(arrays[key]).float() for key in TARGETS}
    graph = pack_to_graph(_packed(arrays), features).replace(graph={**labels, "y": labels[target]})
    split = Split(*(torch.from_numpy(arrays["part"] == part) for part in range(3)))
    smiles = bytes(arrays["smiles"]).decode().split("\n")
    units = "pos in angstrom, energies in electronvolt, dipole in debye"
    about = {"target": TARGETS[target], "units": units, "unit": "debye" if target == "dipole" else "eV"}
    return Dataset(name, graph, "graph", (split,), np.array(smiles), metric="mae", smiles=tuple(smiles), about=about)


def packed() -> PackedMolecules:
    """The molecules as codes with their places, of which every set of features can be made without RDKit.

    >>> packed()
    PackedMolecules(2000 molecules, 27538 atoms, 26673 bonds, with places)
    """
    return _packed(_arrays())


def _packed(arrays: dict[str, np.ndarray]) -> PackedMolecules:
    return PackedMolecules(
        arrays["ptr"].astype(np.int64), arrays["bond_ptr"].astype(np.int64), arrays["atom"], arrays["mass"],
        arrays["ends"].astype(np.int32), arrays["bond"], arrays["pos"],
    )  # fmt: skip


def _arrays() -> dict[str, np.ndarray]:
    with as_file(files("grapevine.data.datasets") / "files" / _FILE) as path:
        arrays = load_file(path)
    return arrays | {"gap": arrays["lumo"] - arrays["homo"]}
