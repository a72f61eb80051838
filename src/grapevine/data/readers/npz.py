"""Opens npz archives of plain arrays; an array of Python objects, which only a pickle could give, is refused."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grapevine.errors import InputError, check

_BROKEN = (ValueError, OSError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def read_npz(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The needed arrays, and those of the optional ones that are there and hold no objects.

    Raises:
        InputError: if the file is missing, broken or cut short, or a needed array is not there or holds objects.
    """
    path = Path(path)
    check(path.is_file(), f"there is no file {path}")
    arrays = {}
    try:
        with np.load(path, allow_pickle=False) as archive:
            held = set(archive.files)
            missing = [name for name in needed if name not in held]
            listed = ", ".join(sorted(held)) or "nothing"
            check(not missing, f"{path} has no array {', '.join(missing)}; it has {listed}")
            for name in [*needed, *(name for name in optional if name in held)]:
                try:
                    arrays[name] = archive[name]
                except ValueError as error:
                    is_objects = "Object arrays" in str(error)
                    if name in needed or not is_objects:
                        what = "it holds Python objects, which are not read" if is_objects else str(error)
                        raise InputError(f"{path} is refused at {name}: {what}") from None
    except InputError:
        raise
    except (*_BROKEN, AttributeError, TypeError) as error:  # a single array is no archive and has no files
        raise InputError(f"{path} is no npz archive, or is cut short: {error}") from None
    return arrays


def check_shape(path: Path, name: str, array: np.ndarray, shape: tuple[int | None, ...], kinds: str) -> None:
    """Raise an InputError unless the array has that shape (None: any size) and is of one of those kinds of NumPy."""
    is_fit = array.ndim == len(shape) and all(want in (None, got) for want, got in zip(shape, array.shape, strict=True))
    wanted = "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"
    check(is_fit, f"{path}: {name} must have shape {wanted}, got {list(array.shape)}")
    check(array.dtype.kind in kinds, f"{path}: {name} holds {array.dtype}, expected a kind of {', '.join(kinds)}")
