"""Reads text files of molecules with places and one number each: blocks that a blank line ends.

A block is a line with the molecule's name, a line `element x y z` for each atom (angstrom) and a line with the number,
in the QM9 files of this layout the atomisation energy in electronvolt, negative for a bound molecule.
Tsubaki & Mizoguchi 2020, "Quantum deep field for data-driven wave function".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import numpy as np
import polars as pl
import torch

from grapevine.data.collection import collection
from grapevine.data.dataset import Dataset
from grapevine.data.molecules.features import pack_to_graph
from grapevine.data.molecules.packed import PackedMolecules
from grapevine.data.molecules.perceive import perceive
from grapevine.data.molecules.pickled import pack
from grapevine.data.molecules.spec import WITH_ROLES, FeatureSet
from grapevine.data.readers.numbers import read_bytes
from grapevine.data.split import Split, random_split
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import check
from grapevine.graph import Graph

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr "
    "Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
_NUMBER = {symbol: number for number, symbol in enumerate(_SYMBOLS.split(), 1)}
_VAL = 0.1  # of the file to teach with, where another one judges


@dataclass(frozen=True)
class XyzBlocks:
    """What was read of files of blocks.

    Args:
        dataset: a graph for each molecule, in the order of the files.
        packed: the molecules with their bonds as codes, of which features are made; None if none were asked for.
        rejects: the blocks that were left out, with the line and the reason.
        notes: what was done that the reader should know of, in words.
    """

    dataset: Dataset
    packed: PackedMolecules | None
    rejects: Rejects
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Block:
    name: str
    numbers: list[int]
    places: list[list[float]]
    y: float


class _Wrong(Exception):
    """A block that can not be read: why, on which line after its first one, and what it says there."""

    def __init__(self, reason: str, line: int, row: str):
        self.reason, self.line, self.row = reason, line, row


def read_xyz_blocks(path: Path, test: Path | None = None, *, features: FeatureSet | None = "gilmer") -> XyzBlocks:
    """The molecules of a file: z, pos (angstrom), y (the number), and by default bonds and features of both.

    Bonds are perceived from the places, every hydrogen is a node, and each bond is two edges. A block that can not be
    read is left out and stands in `rejects`.

    Args:
        test: a second file, whose molecules judge; of those of the first a tenth then choose, drawn at random once.
        features: the set of atom and bond features; None: no bonds are looked for, and RDKit is not needed.

    Raises:
        InputError: if a file is missing or holds no molecule.
        ImportError: if RDKit is not installed, unless `features` is None.
    """
    paths = [Path(path)] if test is None else [Path(path), Path(test)]
    rejects = Rejects()
    parts = [_blocks(one, rejects) for one in paths]
    for one, part in zip(paths, parts, strict=True):
        check(len(part) > 0, f"{one} holds no molecule: " + "; ".join(rejects.first(1) or ["it is empty"]))
    blocks = [block for part in parts for block in part]
    notes = [f"{len(rejects)} blocks could not be read: {'; '.join(rejects.first())}"] if len(rejects) else []
    packed = None
    if features is None:
        graph = _without_bonds(blocks)
    else:
        packed, unordered = _packed(blocks, features)
        graph = pack_to_graph(packed, features)
        if unordered:
            notes.append(f"no bond orders fit {len(unordered)} molecules, whose bonds have none: {_list(unordered)}")
    graph = graph.replace(graph={"y": torch.tensor([block.y for block in blocks])})
    splits = () if test is None else (_split(*map(len, parts)),)
    ids = np.array([block.name for block in blocks])
    about = {"title": "molecules with places", "units": "pos in angstrom, y as in the file (of QM9: electronvolt)"}
    dataset = Dataset(paths[0].stem, graph, "graph", splits, ids, metric="mae", about=about)
    return XyzBlocks(dataset, packed, rejects, tuple(notes))


def _blocks(path: Path, rejects: Rejects) -> list[_Block]:
    """The good blocks of a file; the bad ones go to the rejects."""
    found = []
    for start, lines in _parted(read_bytes(path).decode("utf-8", "replace").splitlines()):
        try:
            found.append(_block(lines))
        except _Wrong as wrong:
            rejects.add(wrong.reason, path.name, np.array([start + wrong.line]), pl.Series([wrong.row]))
    return found


def _parted(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The number of each block's first line, counted from 1, and its lines."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


def _block(lines: list[str]) -> _Block:
    if len(lines) < 3:
        raise _Wrong("a block has a name, atoms and a number, three lines or more", 0, lines[0])
    numbers, places = [], []
    for k, line in enumerate(lines[1:-1], 1):
        symbol, *fields = line.split()
        if symbol not in _NUMBER or len(fields) != 3:
            raise _Wrong("expected an element and three coordinates", k, line)
        numbers.append(_NUMBER[symbol])
        places.append([_finite(field, k, line) for field in fields])
    last = len(lines) - 1
    return _Block(lines[0].strip(), numbers, places, _finite(lines[-1].strip(), last, lines[-1]))


def _finite(text: str, line: int, row: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise _Wrong("expected a number", line, row)
    return value


def _packed(blocks: list[_Block], features: FeatureSet) -> tuple[PackedMolecules, list[str]]:
    """The codes of all molecules, and the names of those whose bonds have no order."""
    unordered = []

    def mols() -> Iterator:
        for block in blocks:
            mol, has_orders = perceive(block.numbers, np.array(block.places))
            if not has_orders:
                unordered.append(block.name)
            yield mol

    return pack(mols(), roles=features in WITH_ROLES), unordered


def _without_bonds(blocks: list[_Block]) -> Graph:
    z = torch.tensor([number for block in blocks for number in block.numbers])
    pos = torch.tensor([place for block in blocks for place in block.places])
    sizes = np.array([len(block.numbers) for block in blocks])
    return collection(np.zeros((2, 0), np.int64), sizes, node={"z": z, "pos": pos})


def _split(num_first: int, num_second: int) -> Split:
    """Of the first a tenth choose and the rest teach; the second judge."""
    drawn = random_split(num_first, train=1 - _VAL, val=_VAL)
    first, second = torch.zeros(num_first, dtype=torch.bool), torch.zeros(num_second, dtype=torch.bool)
    return Split(torch.cat([drawn.train, second]), torch.cat([drawn.val, second]), torch.cat([first, ~second]))


def _list(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
