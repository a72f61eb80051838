"""Features of atoms and bonds from their codes, without RDKit: published sets, by name.

"gilmer": Gilmer et al. 2017, table 1. "chemprop": chemprop 2, Heid et al. 2024. "ogb": the Open Graph Benchmark,
Hu et al. 2020, its whole numbers as one-hots. "full": chemprop's and the rings, radicals, donors and acceptors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.data.molecules.packed import AtomCode, BondCode, PackedMolecules
from grapevine.data.molecules.spec import FEATURE_SETS, FeatureSet
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import Tensors

_SINGLE_TO_AROMATIC = (1, 2, 3, 12)


@dataclass(frozen=True)
class _OneHot:
    """A one in the place of the value among the choices; another value is the last place, or none."""

    name: str
    choices: tuple[int, ...]
    has_other: bool = True
    labels: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        labels = self.labels or tuple(map(str, self.choices))
        return [f"{self.name} = {label}" for label in labels] + [f"{self.name} = other"] * self.has_other

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        place = np.full(256, len(self.choices) if self.has_other else -1, np.int64)
        place[np.array(self.choices) % 256] = np.arange(len(self.choices))
        place = place[values.astype(np.uint8)]
        rows = np.arange(len(values)) if self.has_other else (place >= 0).nonzero()[0]
        out[rows, place[rows]] = 1


@dataclass(frozen=True)
class _Number:
    """The value itself, times a scale."""

    name: str
    scale: float = 1.0

    @property
    def names(self) -> list[str]:
        return [self.name]

    def fill(self, values: np.ndarray, out: np.ndarray) -> None:
        out[:, 0] = values * np.float32(self.scale)


_Part = _OneHot | _Number
_HYBRIDISATIONS = ("s", "sp", "sp2", "sp2d", "sp3", "sp3d", "sp3d2")
_ELEMENTS = ("H", "C", "N", "O", "F")
_BOND_TYPES = ("single", "double", "triple", "aromatic")
_RING_SIZES = tuple(f"in a ring of {size}" for size in ("3", "4", "5", "6", "7", "8", "9 or more"))

_CHEMPROP_ATOM: tuple[_Part, ...] = (
    _OneHot("atomic number", (*range(1, 37), 53)),
    _OneHot("degree", tuple(range(6))),
    _OneHot("charge", (-1, -2, 1, 2, 0)),
    _OneHot("chirality", (0, 1, 2, 3), labels=("none", "clockwise", "counter-clockwise", "another")),
    _OneHot("hydrogens", tuple(range(5))),
    _OneHot("hybridisation", (1, 2, 3, 5, 4, 6, 7), labels=_HYBRIDISATIONS),
    _Number("aromatic"),
    _Number("mass", 0.01),
)
_CHEMPROP_BOND: tuple[_Part, ...] = (
    _Number("no bond"),
    _OneHot("type", _SINGLE_TO_AROMATIC, has_other=False, labels=_BOND_TYPES),
    _Number("conjugated"),
    _Number("in ring"),
    _OneHot("stereo", tuple(range(6)), labels=("none", "any", "Z", "E", "cis", "trans")),
)
_ATOM: dict[FeatureSet, tuple[_Part, ...]] = {
    "gilmer": (
        _OneHot("element", (1, 6, 7, 8, 9), has_other=False, labels=_ELEMENTS),
        _Number("atomic number"),
        _Number("acceptor"),
        _Number("donor"),
        _Number("aromatic"),
        _OneHot("hybridisation", (2, 3, 4), has_other=False, labels=("sp", "sp2", "sp3")),
        _Number("all hydrogens"),
    ),
    "chemprop": _CHEMPROP_ATOM,
    "ogb": (
        _OneHot("atomic number", tuple(range(1, 119))),
        _OneHot("chirality", (0, 1, 2, 3), labels=("none", "clockwise", "counter-clockwise", "another")),
        _OneHot("degree", tuple(range(11))),
        _OneHot("charge", tuple(range(-5, 6))),
        _OneHot("hydrogens", tuple(range(9))),
        _OneHot("radicals", tuple(range(5))),
        _OneHot("hybridisation", (2, 3, 4, 6, 7), labels=("sp", "sp2", "sp3", "sp3d", "sp3d2")),
        _OneHot("aromatic", (0, 1), has_other=False, labels=("no", "yes")),
        _OneHot("in ring", (0, 1), has_other=False, labels=("no", "yes")),
    ),
    "full": (
        *_CHEMPROP_ATOM, *map(_Number, _RING_SIZES), _Number("radicals"), _Number("acceptor"), _Number("donor"),
    ),
}  # fmt: skip
_BOND: dict[FeatureSet, tuple[_Part, ...]] = {
    "gilmer": (_OneHot("type", _SINGLE_TO_AROMATIC, has_other=False, labels=_BOND_TYPES),),
    "chemprop": _CHEMPROP_BOND,
    "ogb": (
        _OneHot("type", _SINGLE_TO_AROMATIC, labels=_BOND_TYPES),
        _OneHot("stereo", (0, 2, 3, 4, 5, 1), has_other=False, labels=("none", "Z", "E", "cis", "trans", "any")),
        _OneHot("conjugated", (0, 1), has_other=False, labels=("no", "yes")),
    ),
    "full": _CHEMPROP_BOND,
}


def atom_names(feature_set: FeatureSet) -> list[str]:
    """What each number of x is called.

    >>> atom_names("gilmer")[:3], len(atom_names("chemprop")), len(atom_names("ogb"))
    (['element = H', 'element = C', 'element = N'], 72, 174)
    """
    return [name for part in _ATOM[_known(feature_set)] for name in part.names]


def bond_names(feature_set: FeatureSet) -> list[str]:
    """What each number of edge_attr is called.

    >>> len(bond_names("gilmer")), len(bond_names("chemprop")), len(bond_names("ogb"))
    (4, 14, 13)
    """
    return [name for part in _BOND[_known(feature_set)] for name in part.names]


def atom_channels(feature_set: FeatureSet) -> int:
    """How many features an atom has."""
    return len(atom_names(feature_set))


def bond_channels(feature_set: FeatureSet) -> int:
    """How many features a bond has."""
    return len(bond_names(feature_set))


def atom_features(packed: PackedMolecules, feature_set: FeatureSet) -> Float[Tensor, "n a"]:
    """[n, a] float32, a row for each atom."""
    return _filled(_ATOM[_known(feature_set)], _atom_values(packed), len(packed.atom))


def bond_features(packed: PackedMolecules, feature_set: FeatureSet) -> Float[Tensor, "b e"]:
    """[b, e] float32, a row for each bond."""
    code = packed.bond
    values = {
        "no bond": np.zeros(len(code), np.int8), "type": code[:, BondCode.TYPE],
        "conjugated": code[:, BondCode.CONJUGATED], "in ring": code[:, BondCode.IN_RING],
        "stereo": code[:, BondCode.STEREO],
    }  # fmt: skip
    return _filled(_BOND[_known(feature_set)], values, len(code))


def pack_to_graph(packed: PackedMolecules, feature_set: FeatureSet = "chemprop") -> Graph:
    """The molecules as a batch of graphs: x, z, edge_attr, and pos where every molecule has one.

    Each bond is two edges, of one edge_attr: edges 2k and 2k + 1 of the input are bond k there and back, so that
    `adj.edge_id ^ 1` is the number of the edge that runs the other way.

    Raises:
        InputError: for an unknown set of features.

    >>> from grapevine.data.molecules.parse import parse
    >>> pack_to_graph(parse(["CO", "C"]).packed, "chemprop")
    Graph(2 graphs, 3 nodes, 2 edges; node: x [3, 72], z [3]; edge: edge_attr [2, 14])
    """
    ends = packed.ends + np.repeat(packed.ptr[:-1], np.diff(packed.bond_ptr))[:, None]
    edge_index = np.stack([ends.ravel(), ends[:, ::-1].ravel()]).astype(np.int64)
    adj = Adjacency(torch.from_numpy(edge_index), len(packed.atom))
    z = torch.from_numpy(packed.atom[:, AtomCode.Z].astype(np.int64))
    node: dict = {"x": atom_features(packed, feature_set), "z": z}
    if packed.pos is not None:
        node["pos"] = torch.from_numpy(packed.pos)
    edge: dict = {"edge_attr": bond_features(packed, feature_set)[adj.edge_id >> 1]}
    tensors: Tensors = {"node": node, "edge": edge, "graph": {}}
    return Graph._made(adj, tensors, torch.from_numpy(packed.ptr))


def _known(feature_set: FeatureSet) -> FeatureSet:
    check(feature_set in FEATURE_SETS, f"features must be one of {', '.join(FEATURE_SETS)}, got {feature_set!r}")
    return feature_set


def _atom_values(packed: PackedMolecules) -> dict[str, np.ndarray]:
    code = packed.atom
    rings, roles = code[:, AtomCode.RINGS], code[:, AtomCode.ROLES]
    values = {
        "atomic number": code[:, AtomCode.Z], "element": code[:, AtomCode.Z], "charge": code[:, AtomCode.CHARGE],
        "degree": code[:, AtomCode.DEGREE] + code[:, AtomCode.HYDROGENS], "chirality": code[:, AtomCode.CHIRALITY],
        "hydrogens": code[:, AtomCode.HYDROGENS], "hybridisation": code[:, AtomCode.HYBRIDISATION],
        "aromatic": code[:, AtomCode.AROMATIC], "mass": packed.mass, "radicals": code[:, AtomCode.RADICALS],
        "in ring": rings != 0, "donor": roles & 1, "acceptor": roles >> 1 & 1, "all hydrogens": _hydrogens(packed),
    }  # fmt: skip
    return values | {name: rings >> k & 1 for k, name in enumerate(_RING_SIZES)}


def _hydrogens(packed: PackedMolecules) -> np.ndarray:
    """[n] the hydrogens of each atom, those that are atoms of their own among them."""
    ends = packed.ends + np.repeat(packed.ptr[:-1], np.diff(packed.bond_ptr))[:, None]
    is_hydrogen = packed.atom[:, AtomCode.Z] == 1
    beside = np.concatenate([ends[is_hydrogen[ends[:, 1 - k]], k] for k in (0, 1)])
    return packed.atom[:, AtomCode.HYDROGENS] + np.bincount(beside, minlength=len(packed.atom))


def _filled(parts: Sequence[_Part], values: dict[str, np.ndarray], rows: int) -> Tensor:
    out = np.zeros((rows, sum(len(part.names) for part in parts)), np.float32)
    start = 0
    for part in parts:
        width = len(part.names)
        part.fill(values[part.name], out[:, start : start + width])
        start += width
    return torch.from_numpy(out)
