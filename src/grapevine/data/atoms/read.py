"""Reads structures of atoms from any file we know: the reader is chosen by the file's name and what it holds."""

from pathlib import Path

import numpy as np
import torch

from grapevine.data.atoms.ase_files import read_ase_database, read_ase_file
from grapevine.data.atoms.extxyz import read_extxyz
from grapevine.data.atoms.frame import Frame, Units
from grapevine.data.atoms.json_cells import UNITS as CELL_UNITS
from grapevine.data.atoms.json_cells import load_json, read_json_cells
from grapevine.data.atoms.labels import make_structures
from grapevine.data.atoms.npz_frames import read_npz_frames
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.qm9 import UNITS as QM9_UNITS
from grapevine.data.atoms.qm9 import is_qm9, read_qm9
from grapevine.data.atoms.structures import Structures, join_structures
from grapevine.data.atoms.units import ENERGY, LENGTH
from grapevine.data.readers.numbers import read_bytes
from grapevine.data.readers.xyz_blocks import read_xyz_blocks
from grapevine.data.tables.rejects import Rejects
from grapevine.errors import check

_XYZ = (".xyz", ".extxyz")


def read_structures(path: str | Path, *, options: ReadOptions | None = None) -> Structures:
    """The structures of a file, or of all .xyz files of a folder, in angstrom and electronvolt.

    Known are XYZ files, plain and extended, QM9's own (`.xyz`, with fifteen properties), and as `.txt` the blocks that
    a blank line ends; MD17 and rMD17 (`.npz`); lists of cells (`.json`); databases of ASE (`.db`, `.json`), and the
    other formats of ASE. Text files also end in `.gz`. Frames that can not be used are left out and listed.

    Args:
        options: under which names the labels stand and in which units; by default both are found.

    Raises:
        InputError: if there is no file, it can not be read, no frame has a given key, or nothing good is left.
        ImportError: if the format needs ASE, and it is not installed.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "water.xyz"
    >>> _ = file.write_text("3\\nenergy=-14.2\\nO 0 0 0.12\\nH 0 0.76 -0.48\\nH 0 -0.76 -0.48\\n")
    >>> water = read_structures(file)
    >>> water, water.energy.tolist()
    (Structures(1 structures, 3 atoms of H, O; 1 energies, 0 forces, 0 stresses), [-14.2])
    """
    path, options = Path(path), options or ReadOptions()
    check(isinstance(options, ReadOptions), f"options must be ReadOptions, got {type(options).__name__}")
    check(path.exists(), f"there is no file {path}")
    found = _read_folder(path, options) if path.is_dir() else _read_file(path, options)
    is_some = len(found) > 0 or len(found.isolated_energies) > 0
    why = "; ".join(found.rejects.first(2)) or "it is empty"
    check(is_some, f"{path} has no structure that can be used: {why}")
    return found


def _read_folder(path: Path, options: ReadOptions) -> Structures:
    files = sorted(one for one in path.iterdir() if _kind(one) in _XYZ)
    check(len(files) > 0, f"{path} holds no .xyz files")
    if _is_qm9_file(files[0]):
        return _qm9(files, path.name, options)
    return join_structures([_read_file(file, options) for file in files])


def _read_file(path: Path, options: ReadOptions) -> Structures:
    kind, rejects = _kind(path), Rejects()
    if kind in _XYZ:
        if _is_qm9_file(path):
            return _qm9([path], path.name, options)
        return _made(read_extxyz(path, options, rejects), path, options, Units(), rejects)
    if kind == ".txt":
        return _of_blocks(path, options)
    if kind == ".npz":
        return _made(read_npz_frames(path), path, options, Units(energy="kcal/mol"), rejects)
    if kind == ".json":
        content = load_json(path)
        if isinstance(content, list):
            return _made(read_json_cells(content, path, rejects), path, options, CELL_UNITS, rejects)
        return _made(read_ase_database(path), path, options, Units(), rejects)
    if kind == ".db":
        return _made(read_ase_database(path), path, options, Units(), rejects)
    return _made(read_ase_file(path), path, options, Units(), rejects)


def _made(frames: list[Frame], path: Path, options: ReadOptions, units: Units, rejects: Rejects) -> Structures:
    return make_structures(frames, options, units, name=path.name, rejects=rejects, about={})


def _qm9(paths: list[Path], name: str, options: ReadOptions) -> Structures:
    """Its numbers are converted as they are read, whatever units are asked for."""
    rejects = Rejects()
    is_own = options.energy_unit in (None, "Ha") and options.length_unit in (None, "angstrom")
    check(is_own, f"{name} is of QM9, whose energies are in hartree and places in angstrom: leave the units out")
    chosen = ReadOptions(energy_key=options.energy_key, keep_isolated=options.keep_isolated)
    return make_structures(read_qm9(paths, rejects), chosen, Units(), name=name, rejects=rejects, about=QM9_UNITS)


def _of_blocks(path: Path, options: ReadOptions) -> Structures:
    """The number that ends each block is its energy."""
    read = read_xyz_blocks(path, features=None)
    graph = read.dataset.graph
    pos, energy = (tensor.to(torch.float64).numpy() for tensor in (graph.pos, graph.y))
    ids = np.array(read.dataset.ids, dtype=object)
    return Structures(
        z=graph.z.numpy(), pos=pos * LENGTH[options.length_unit or "angstrom"], ptr=graph.ptr.numpy(),
        energy=energy * ENERGY[options.energy_unit or "eV"], ids=ids,
        name=path.name, rejects=read.rejects, notes=read.notes,
    )  # fmt: skip


def _kind(path: Path) -> str:
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix.lower()


def _is_qm9_file(path: Path) -> bool:
    if path.suffix == ".gz":
        lines = read_bytes(path)[:4096].decode("utf-8", "replace").splitlines()
    else:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = [file.readline(), file.readline()]
    return len(lines) > 1 and is_qm9(lines[1])
