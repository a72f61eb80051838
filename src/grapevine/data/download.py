"""Fetches a file from the network: whole or not at all, and checked."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str, int, int], None]  # what is being done, how much is done, how much there is (0: unknown)

_SECONDS = 30  # without an answer
_BLOCK = 1 << 16


def download(address: str, path: Path, *, sha256: str | None = None, on_progress: Progress | None = None) -> None:
    """Fetch `address` into the file `path`, which appears only when all of it is there and it is the right one.

    Raises:
        OSError: if the network, the server or the disk fails, or the file is cut short or a wrong one.
    """
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            _receive(answer, path, sha256, on_progress)
    except http.client.HTTPException as error:
        raise OSError(f"{address} gave no proper answer: {error!r}") from error


def _receive(answer, path: Path, sha256: str | None, on_progress: Progress | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _copy(answer, file, f"downloading {path.name}", on_progress)
        if sha256 not in (None, digest):
            raise OSError(f"{path.name} is not the file that was published: its SHA-256 is {digest}")
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def _copy(answer, file, label: str, on_progress: Progress | None) -> str:
    """Copy the answer block by block and return its SHA-256."""
    size, done, digest = int(answer.headers.get("Content-Length", 0)), 0, hashlib.sha256()
    while block := answer.read(_BLOCK):
        file.write(block)
        digest.update(block)
        done += len(block)
        if on_progress is not None:
            on_progress(label, done, size)
    if size and done != size:
        raise OSError(f"the connection ended after {done} of {size} bytes")
    return digest.hexdigest()
