"""Fetches a file from the network: whole or not at all, checked, and continued where an earlier attempt ended."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

Progress = Callable[[str, int, int], None]  # what is being done, how much is done, how much there is (0: unknown)

_SECONDS = 30  # without an answer
_BLOCK = 1 << 16


def download(address: str, path: Path, *, sha256: str | None = None, on_progress: Progress | None = None) -> None:
    """Fetch `address` into the file `path`, which appears only when all of it is there and it is the right one.

    Until then it is kept as `path`.part; a later call asks the server for the rest only, and begins anew if that
    server sends all or the whole turns out wrong. Of several processes that want one file, one fetches it.

    Raises:
        OSError: if the network, the server or the disk fails, or the file is cut short or a wrong one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    try:
        with FileLock(lock):
            if not path.is_file():
                _fetch(address, path, sha256, on_progress)
    except http.client.HTTPException as error:
        raise OSError(f"{address} gave no proper answer: {error!r}") from error
    finally:
        lock.unlink(missing_ok=True)


def _fetch(address: str, path: Path, sha256: str | None, on_progress: Progress | None) -> None:
    partial = path.with_name(f"{path.name}.part")
    was_begun = _receive(address, partial, on_progress)
    digest = _digest(partial)
    if was_begun and sha256 not in (None, digest):  # what was there before may be of another version
        partial.unlink()
        _receive(address, partial, on_progress)
        digest = _digest(partial)
    if sha256 not in (None, digest):
        partial.unlink()
        raise OSError(f"{path.name} is not the file that was published: its SHA-256 is {digest}")
    os.replace(partial, path)


def _receive(address: str, partial: Path, on_progress: Progress | None) -> bool:
    """Bring the partial file to its full size; whether a part of it was there before and was kept."""
    done = partial.stat().st_size if partial.is_file() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        with error:
            if not done or error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            if error.headers.get("Content-Range", "").endswith(f"*/{done}"):
                return True  # all of it is there already
        partial.unlink()
        return _receive(address, partial, on_progress)
    with answer:
        is_rest = answer.status == http.client.PARTIAL_CONTENT
        if is_rest and not answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            raise OSError(f"{address} sent {answer.headers.get('Content-Range')!r}, asked for bytes {done}-")
        with partial.open("ab" if is_rest else "wb") as file:
            _copy(answer, file, f"downloading {partial.stem}", done if is_rest else 0, on_progress)
    return is_rest


def _copy(answer, file, label: str, done: int, on_progress: Progress | None) -> None:
    """Copy the answer block by block behind the `done` bytes that are there."""
    length = int(answer.headers.get("Content-Length", 0))
    size = done + length if length else 0
    while block := answer.read(_BLOCK):
        file.write(block)
        done += len(block)
        if on_progress is not None:
            on_progress(label, done, size)
    if size and done != size:
        raise OSError(f"the connection ended after {done} of {size} bytes; the next attempt goes on from there")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
