"""Keeps parsed molecules as one safetensors file, and in the cache by the content of the file they are from."""

import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from grapevine.data.datasets.fetch import cache_folder
from grapevine.data.molecules.packed import CODES_VERSION, PackedMolecules
from grapevine.data.molecules.parse import Parsed, ParseOptions
from grapevine.data.molecules.rdkit_parts import rdkit_part
from grapevine.errors import InputError, check

_KEY = "grapevine_molecules"
_BLOCK = 1 << 20


def save_parsed(parsed: Parsed, path: Path) -> None:
    """Write the molecules to the file `path`, which appears whole or not at all; OSError if it can not be written.

    >>> from grapevine.data.molecules.parse import parse
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_parsed(parse(["CCO", "?"]), Path(folder, "two.safetensors"))
    ...     load_parsed(Path(folder, "two.safetensors")).packed
    PackedMolecules(1 molecules, 3 atoms, 2 bonds)
    """
    path = Path(path)
    texts = [text.encode() for text in parsed.smiles]
    arrays = parsed.packed.arrays() | {
        "rows": parsed.rows,
        "smiles": np.frombuffer(b"".join(texts), np.uint8),
        "smiles_ends": np.cumsum([len(text) for text in texts], dtype=np.int64),
    }
    header = {"version": CODES_VERSION, "reasons": list(parsed.reasons.items())}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(contiguous, partial, metadata={_KEY: json.dumps(header)})
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def load_parsed(path: Path) -> Parsed:
    """What `save_parsed` wrote.

    Raises:
        InputError: if the file is missing, broken, of another version or holds no molecules.
    """
    path = Path(path)
    check(path.is_file(), f"there is no file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {})[_KEY])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        version, reasons = header["version"], {int(row): str(why) for row, why in header["reasons"]}
        check(version == CODES_VERSION, f"{path} is of version {version}, expected {CODES_VERSION}")
        rows, letters, ends = (arrays.pop(name) for name in ("rows", "smiles", "smiles_ends"))
        smiles = tuple(
            letters[i:j].tobytes().decode() for i, j in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=False)
        )
        return Parsed(PackedMolecules(**arrays), rows, reasons, smiles)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} holds no saved molecules, or is broken: {error}") from error


def parsed_once(path: Path, column: str, options: ParseOptions, make: Callable[[], Parsed]) -> Parsed:
    """What `make` gives, from the cache if the same bytes were parsed in the same way by the same RDKit before.

    A broken file in the cache is made anew, and one that can not be written is a warning.
    """
    how = [column, asdict(options), CODES_VERSION, rdkit_part("rdBase").rdkitVersion]
    key = hashlib.sha256(json.dumps(how).encode())
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK):
            key.update(block)
    kept = cache_folder() / "molecules" / f"{Path(path).stem}-{key.hexdigest()[:24]}.safetensors"
    try:
        return load_parsed(kept)
    except InputError:  # not there, or broken
        parsed = make()
    try:
        save_parsed(parsed, kept)
    except OSError as error:
        warnings.warn(f"{path} can not be kept for the next time in {kept.parent}: {error}", stacklevel=3)
    return parsed
