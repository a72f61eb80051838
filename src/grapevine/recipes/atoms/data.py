"""From files of structures to what a potential learns from: the structures with their neighbours, and the split."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.data.atoms.dataset import StructureDataset, structures_dataset
from grapevine.data.atoms.doubts import copies
from grapevine.data.atoms.elements import symbol_of
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.read import read_structures
from grapevine.data.atoms.structures import Structures, join_structures
from grapevine.data.split import Split
from grapevine.data.split.split import split_of
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.recipes.atoms.config import AtomsSource, AtomsSplit
from grapevine.task.task import PARTS, Part

_TEACH, _JUDGE = ("train.txt", "val.txt"), "test.txt"
_SHARES, _SHARES_BESIDE_TEST = (0.8, 0.1, 0.1), (0.9, 0.1, 0.0)
_LARGE_FORCE = 15.0  # eV/angstrom, root mean square: more than atoms that are kept together feel


@dataclass(frozen=True)
class AtomsData:
    """Structures to learn from.

    Args:
        name: of the data.
        graph: the structures with their neighbours, as `structures_dataset` makes it.
        split: over them.
        ids: what the user calls each.
        isolated: eV of lone atoms by atomic number, where they are known.
        rejects: what could not be used.
        notes: what was found, a sentence each.
    """

    name: str
    graph: Graph
    split: Split
    ids: np.ndarray
    isolated: Mapping[int, float]
    rejects: Rejects
    notes: tuple[str, ...]

    @property
    def rejected(self) -> pl.DataFrame | None:
        return self.rejects.frame if len(self.rejects) else None

    @property
    def parts(self) -> dict[Part, Int[Tensor, " k"]]:
        """The numbers of the structures of each part."""
        return {part: getattr(self.split, part).nonzero().squeeze(1) for part in PARTS}

    @property
    def elements(self) -> tuple[int, ...]:
        """The atomic numbers that occur, ascending."""
        return tuple(self.graph.z.unique().tolist())


def load_atoms(source: AtomsSource, split: AtomsSplit, cutoff: float) -> AtomsData:
    """Read the structures, find their neighbours and split them.

    Raises:
        InputError: if a file can not be read, nothing in it can be learnt from, or the split asks for more than is
            there.
        ImportError: if a format or a periodic cell needs a package that is not installed.
    """
    read, judged = _read(source)
    notes = [f"{source.name}: {in_words(read)}", *read.notes]
    read, judged, more = _only_known(read, judged, source)
    found = structures_dataset(replace(read, ids=np.arange(len(read))), cutoff)
    kept = found.structures.ids
    parts, drawn = _split(kept, judged, split)
    parts, repeated = _without_copies(parts, found.structures)
    isolated = dict(read.isolated_energies)
    if source.isolated is not None:
        told = read_structures(source.isolated, options=source.options).isolated_energies
        check(len(told) > 0, f"{source.isolated} holds no frame of one atom by itself, with its energy")
        isolated |= told
    notes = (*notes, *more, *drawn, *repeated)
    return _of_known_elements(
        AtomsData(source.name, found.graph, parts, read.ids[kept], isolated, found.rejects, notes)
    )


def load_structures(path: Path | str, options: ReadOptions, cutoff: float) -> tuple[StructureDataset, np.ndarray]:
    """Structures to be answered, labelled or not, lone atoms too; and what the user calls each."""
    read = read_structures(path, options=replace(options, keep_isolated=True))
    found = structures_dataset(replace(read, ids=np.arange(len(read))), cutoff)
    return found, read.ids[found.structures.ids]


def teaching_file(folder: Path) -> Path | None:
    """The file that teaches, of a folder with test.txt; None if it is no such folder."""
    if not (folder / _JUDGE).is_file():
        return None
    return next((folder / name for name in _TEACH if (folder / name).is_file()), None)


def _read(source: AtomsSource) -> tuple[Structures, np.ndarray]:
    """The structures of all files, and which of them are to judge as they come from a file of their own."""
    path, test = Path(source.path), None if source.test is None else Path(source.test)
    teach = teaching_file(path) if path.is_dir() else None
    if teach is not None:
        path, test = teach, path / _JUDGE if test is None else test
    files = [path] if test is None else [path, test]
    parts = [read_structures(file, options=source.options) for file in files]
    check(len(parts[0]) > 0, f"{path} holds lone atoms alone: give structures to learn from too")
    judged = np.repeat(np.arange(len(parts)), [len(part) for part in parts]) == 1
    return join_structures(parts), judged


def _only_known(read: Structures, judged: np.ndarray, source: AtomsSource) -> tuple[Structures, np.ndarray, list[str]]:
    """The structures with any label, and what is to be said of labels that are missing."""
    has_energy, has_forces = read.has_energy, read.has_forces
    known = has_energy | has_forces | read.has_stress
    if not known.any():
        raise InputError(f"no structure of {source.path} has an energy or forces{_names_there(source)}")
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} structures have neither energy nor forces: they are left out")
    if not has_forces.any():
        notes.append("there are no forces: energies alone teach")
    elif not has_forces[known].all():
        notes.append(f"{int((known & ~has_forces).sum())} structures have no forces: they teach by their energy alone")
    if not has_energy.any():
        notes.append("there are no energies: forces alone teach, and energies are known up to a constant")
    elif not has_energy[known].all():
        notes.append(f"{int((known & ~has_energy).sum())} structures have no energy: they teach by their forces alone")
    size = np.sqrt(np.mean(read.forces[np.isfinite(read.forces)] ** 2)) if has_forces.any() else 0.0
    if size > _LARGE_FORCE:
        notes.append(
            f"forces are {size:.0f} eV/angstrom, root mean square: if they are in another unit, say --energy-unit"
        )
    kept = np.flatnonzero(known)
    return read.take(kept), judged[kept], notes


def _of_known_elements(data: AtomsData) -> AtomsData:
    """Without the structures of elements that no training structure holds: nothing can be said of them."""
    graph, owner = data.graph, data.graph.graph_id
    taught = graph.z[data.split.train[owner]].unique()
    strange = ~torch.isin(graph.z, taught)
    if not bool(strange.any()):
        return data
    is_out = torch.bincount(owner[strange], minlength=graph.num_graphs) > 0
    names = ", ".join(map(symbol_of, graph.z[strange].unique().tolist()))
    note = f"{int(is_out.sum())} structures hold {names}, which no training structure holds: they are left out"
    kept = (~is_out).nonzero().squeeze(1)
    split = Split(*(mask[kept] for mask in (data.split.train, data.split.val, data.split.test)))
    return replace(data, graph=take(graph, kept), split=split, ids=data.ids[kept.numpy()], notes=(*data.notes, note))


def _names_there(source: AtomsSource) -> str:
    """The names of what frames hold, as the reader tells them to who asks for one that is not there."""
    try:
        read_structures(source.path, options=replace(source.options, energy_key="energy"))
    except InputError as error:
        _, _, names = str(error).rpartition("the names are: ")
        return f"; the names there are: {names}. Say which with --energy-key and --forces-key"
    return ""


def _split(kept: np.ndarray, judged: np.ndarray, rule: AtomsSplit) -> tuple[Split, list[str]]:
    """The parts, of the structures that were kept; those of a test file all judge."""
    is_judge = judged[kept]
    items, last = np.flatnonzero(~is_judge), np.flatnonzero(is_judge)
    check(len(items) > 0, "no structure is left to learn from")
    sizes = rule.sizes or (_SHARES_BESIDE_TEST if len(last) else _SHARES)
    is_three = len(last) > 0 and max(sizes) > 1 and sizes[2] > 0
    check(not is_three, f"a file of its own judges: give two counts for the other, not {_slashed(sizes)}")
    counts = _counts(sizes, len(items))
    if rule.kind == "random":
        items = items[torch.randperm(len(items), generator=torch.Generator().manual_seed(rule.seed)).numpy()]
    ends = np.cumsum(counts)
    parts = [items[: ends[0]], items[ends[0] : ends[1]], items[ends[1] : ends[2]] if not len(last) else last]
    how = "at random" if rule.kind == "random" else "in the order of the file"
    note = f"{len(parts[0]):,} structures teach, {len(parts[1]):,} choose and {len(parts[2]):,} judge, split {how}"
    note = f"{note}; those that judge are a file of their own" if len(last) else note
    return split_of([torch.from_numpy(np.sort(part)) for part in parts], len(kept)), [note]


def _without_copies(split: Split, structures: Structures) -> tuple[Split, list[str]]:
    """Copies of what teaches do not judge, nor copies of what chooses."""
    first = torch.from_numpy(copies(structures))
    is_val = split.val & ~torch.isin(first, first[split.train])
    is_test = split.test & ~torch.isin(first, first[split.train | split.val])
    lost = int((split.val & ~is_val).sum() + (split.test & ~is_test).sum())
    notes = [f"{lost} copies of structures that teach or choose are left out of the parts that judge"] if lost else []
    return Split(split.train, is_val, is_test), notes


def _counts(sizes: tuple[float, float, float], total: int) -> tuple[int, int, int]:
    """How many structures each part has, at least one to teach."""
    if max(sizes) <= 1:
        check(sizes[0] > 0 and sum(sizes) <= 1 + 1e-9, f"shares must be at most 1 together, got {_slashed(sizes)}")
        train, val = max(1, round(sizes[0] * total)), round(sizes[1] * total)
        val = max(val, 1) if sizes[1] > 0 and total - train > 0 else val
        val = min(val, total - train)
        whole = sum(sizes) > 1 - 1e-9
        return train, val, total - train - val if whole else min(round(sizes[2] * total), total - train - val)
    check(all(size == int(size) for size in sizes), f"counts must be whole numbers, got {_slashed(sizes)}")
    asked = sum(map(int, sizes))
    check(asked <= total, f"the split {_slashed(sizes)} asks for {asked} structures, and there are {total}")
    check(sizes[0] >= 1, f"a structure must teach, got {_slashed(sizes)}")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def _slashed(sizes: tuple[float, ...]) -> str:
    return "/".join(f"{size:g}" for size in sizes)


def in_words(read: Structures) -> str:
    """What there is, in words."""
    symbols = ", ".join(symbol_of(z) for z in read.elements)
    sizes = read.sizes
    span = f"{sizes.min()}" if sizes.min() == sizes.max() else f"{sizes.min()} to {sizes.max()}"
    periodic = int(read.pbc.any(1).sum())
    cells = "" if not periodic else ", all periodic" if periodic == len(read) else f", {periodic:,} periodic"
    known = f"{int(read.has_energy.sum()):,} energies, {int(read.has_forces.sum()):,} with forces"
    stress = int(read.has_stress.sum())
    known += f", {stress:,} with stress" if stress else ""
    return f"{len(read):,} structures of {span} atoms of {symbols}{cells}; {known}"


def mean_neighbors(graph: Graph, items: Tensor) -> float:
    """How many neighbours an atom of these structures has on average; 1 where none has any."""
    owner = graph.graph_id
    is_in = torch.zeros(graph.num_graphs, dtype=torch.bool).index_fill(0, items, True)
    atoms = is_in[owner]
    edges = int(atoms[graph.adj.dst.long()].sum())
    return edges / int(atoms.sum()) if edges else 1.0
