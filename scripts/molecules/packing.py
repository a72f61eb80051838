"""Packs relaxed molecules into the file that comes with the package: flat arrays, as safetensors."""

from pathlib import Path

import numpy as np
from molecules.relax import METHOD
from safetensors.numpy import load_file, save_file

from grapevine.data.molecules.packed import AtomCode
from grapevine.data.molecules.parse import ParseOptions, parse

_SHARES = (0.8, 0.1)  # to teach and to choose; the rest judge
_LABELS = ("energy", "atomisation", "dipole", "homo", "lumo")


def pack_rows(rows: list[dict], path: Path, seed: int) -> None:
    """Write the molecules, sorted by size and SMILES, and a random split of them, 0 teaching, 1 choosing, 2 judging.

    Raises:
        ValueError: if a SMILES no longer gives the atoms whose places are known, or stands twice.
    """
    rows = sorted(rows, key=lambda row: (len(row["numbers"]), row["smiles"]))
    smiles = [row["smiles"] for row in rows]
    parsed = parse(smiles, ParseOptions(hydrogens=True, roles=True))
    packed = parsed.packed
    if len(set(smiles)) < len(rows) or parsed.reasons:
        raise ValueError(f"{len(rows) - len(set(smiles))} SMILES stand twice, {len(parsed.reasons)} can not be read")
    if packed.atom[:, AtomCode.Z].tolist() != [number for row in rows for number in row["numbers"]]:
        raise ValueError("atoms in another order")
    part = np.full(len(rows), 2, np.int8)
    order = np.random.default_rng(seed).permutation(len(rows))
    first, second = (round(share * len(rows)) for share in _SHARES)
    part[order[:first]], part[order[first : first + second]] = 0, 1
    arrays = {
        "smiles": np.frombuffer("\n".join(smiles).encode(), np.uint8),
        "ptr": packed.ptr.astype(np.int32),
        "bond_ptr": packed.bond_ptr.astype(np.int32),
        "atom": packed.atom,
        "mass": packed.mass,
        "ends": packed.ends.astype(np.uint8),
        "bond": packed.bond,
        "pos": np.array([place for row in rows for place in row["positions"]], np.float32),
        "part": part,
    }
    arrays |= {name: np.array([row[name] for row in rows], np.float64) for name in _LABELS}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(arrays, path, metadata={"about": f"{METHOD}; angstrom, electronvolt, debye"})
    path.chmod(0o644)  # safetensors leaves it to the owner


def unpacked_rows(path: Path) -> list[dict]:
    """The molecules of a file, as `pack_rows` takes them."""
    arrays = load_file(path)
    smiles, cuts = bytes(arrays["smiles"]).decode().split("\n"), arrays["ptr"][1:-1]
    numbers = [part.tolist() for part in np.split(arrays["atom"][:, AtomCode.Z], cuts)]
    places = [part.tolist() for part in np.split(arrays["pos"], cuts)]
    labels = [
        dict(zip(_LABELS, row, strict=True)) for row in zip(*(arrays[name].tolist() for name in _LABELS), strict=True)
    ]
    rows = zip(smiles, numbers, places, labels, strict=True)
    return [{"smiles": a, "numbers": b, "positions": c, **d} for a, b, c, d in rows]
