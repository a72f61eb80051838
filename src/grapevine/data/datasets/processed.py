"""Keeps data sets in the form in which they are used, so that a second load reads tensors and nothing else.

They are kept in the cache folder, never beside the raw files: a user's folder stays as it is.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from grapevine.data.dataset import Dataset
from grapevine.data.datasets.fetch import cache_folder
from grapevine.data.store import VERSION, load_saved, save_dataset, saved_note
from grapevine.errors import InputError

FORMAT = 1  # raised when a reader gives something else for the same files


def load_processed(name: str, files: Iterable[Path], read: Callable[[], Dataset]) -> Dataset:
    """What `read` gives, from the cache if the files are those of which it was made: same paths, sizes and times.

    Nothing that is wrong with the cache is an error: a broken file is made anew, and one that can not be written is
    a warning.
    """
    files = sorted(path.resolve() for path in files)
    note: dict[str, Any] = {"format": FORMAT, "files": [_state(path) for path in files]}
    place = hashlib.sha256("\n".join([name, *map(str, files)]).encode()).hexdigest()[:12]
    path = cache_folder() / "processed" / f"{name.replace(':', '-')}-{place}.safetensors"
    kept = _kept(path, note)
    if kept is not None:
        return kept
    dataset = read()
    try:
        save_dataset(dataset, path, note=note)
    except OSError as error:
        warnings.warn(f"{name} can not be kept for the next time in {path.parent}: {error}", stacklevel=3)
    return dataset


def _kept(path: Path, note: dict[str, Any]) -> Dataset | None:
    """What is in the cache, if it is of these files; None if it is not there, of other ones or broken."""
    try:
        return load_saved(path) if saved_note(path) == note | {"version": VERSION} else None
    except InputError:
        return None


def _state(path: Path) -> list[Any]:
    state = path.stat()
    return [path.name, state.st_size, state.st_mtime_ns]
