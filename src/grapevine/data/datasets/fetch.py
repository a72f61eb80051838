"""Finds the raw files of a data set in a folder or the cache, and downloads those that are not there."""

import os
from pathlib import Path

from grapevine.data.datasets.info import DatasetInfo, RawFile
from grapevine.data.download import Progress, download
from grapevine.errors import InputError


def cache_folder() -> Path:
    """Where downloads are kept: $XDG_CACHE_HOME/grapevine, or ~/.cache/grapevine."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "grapevine"


def fetch(info: DatasetInfo, root: Path | None, *, on_progress: Progress | None = None) -> dict[str, Path]:
    """The raw files by name, in `root` or its sub-folder of the usual name (default: the cache folder).

    Of the two folders it is the one that has more of the files; what is missing is downloaded into it.

    Raises:
        InputError: if files are missing and can not be downloaded; it says which, from where, and where to put them.
    """
    folders = folders_of(info, root)
    folder = max(folders, key=lambda folder: sum(_find(folder, file) is not None for file in info.files))
    for file in info.files:
        if _find(folder, file) is None:
            try:
                download(file.address, folder / file.name, sha256=file.sha256, on_progress=on_progress)
            except OSError as error:
                raise missing(info, folder, error) from error
    return {file.name: _find(folder, file) or folder / file.name for file in info.files}


def folders_of(info: DatasetInfo, root: Path | None) -> list[Path]:
    """Where the files may be, the usual place first; without a root in the cache only."""
    if root is None:
        return [cache_folder() / info.folder]
    root = Path(root).expanduser()
    return [root, root / info.folder]


def missing(info: DatasetInfo, folder: Path, error: OSError) -> InputError:
    """What to say where files are missing and can not be downloaded."""
    by_address: dict[str, list[str]] = {}
    for file in info.files:
        if _find(folder, file) is None:
            by_address.setdefault(file.address.removesuffix(file.name), []).append(file.name)
    wanted = "; ".join(f"{', '.join(names)} from {address}" for address, names in by_address.items())
    return InputError(f"{info.name} is not in {folder} and can not be downloaded ({error}); put there: {wanted}")


def _find(folder: Path, file: RawFile) -> Path | None:
    return next((folder / name for name in (file.name, *file.also) if (folder / name).is_file()), None)
