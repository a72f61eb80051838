"""Reads trajectories of a molecule from .npz: MD17 (z, R, E, F), rMD17 (nuclear_charges, coords, energies, forces).

Chmiela et al. 2017, "Machine learning of accurate energy-conserving molecular force fields"; Christensen & von
Lilienfeld 2020, "On the role of gradients for machine learning of molecular energies and forces". Both in kcal/mol.
"""

import zipfile
from pathlib import Path

import numpy as np

from grapevine.data.atoms.frame import FREE, NO_CELL, Frame
from grapevine.errors import InputError, check

_NAMES = {"z": ("z", "nuclear_charges"), "pos": ("R", "coords"), "energy": ("E", "energies"), "forces": ("F", "forces")}


def read_npz_frames(path: Path) -> list[Frame]:
    """The frames of the file, labels under the names energy and forces.

    Raises:
        InputError: if an array is missing or of another shape than its atoms and frames ask for.
    """
    held = _arrays(path)
    check("z" in held and "pos" in held, f"{path} must hold z and R, or nuclear_charges and coords")
    z, pos = held["z"], held["pos"]
    fits = z.ndim == 1 and pos.ndim == 3 and pos.shape[1:] == (len(z), 3)
    check(fits, f"{path}: places must be [frames, atoms, 3] of the {z.shape} atoms, got {pos.shape}")
    z = z.astype(np.int64)
    energy, forces = held.get("energy"), held.get("forces")
    if energy is not None:
        energy = energy.astype(np.float64).reshape(-1)
        check(len(energy) == len(pos), f"{path}: there are {len(pos)} frames and {len(energy)} energies")
    check(forces is None or forces.shape == pos.shape, f"{path}: forces must be as places, {pos.shape}")
    frames = []
    for k, places in enumerate(pos.astype(np.float64)):
        info = {} if energy is None else {"energy": energy[k : k + 1]}
        arrays = {} if forces is None else {"forces": forces[k].astype(np.float64)}
        frames.append(Frame(k + 1, z, places, NO_CELL, FREE, info, arrays))
    return frames


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {what: next((name for name in names if name in file), None) for what, names in _NAMES.items()}
            return {what: file[name] for what, name in found.items() if name is not None}
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} can not be read as .npz of numbers: {error}") from error
