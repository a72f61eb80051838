"""Keeps training on disk so that it goes on after a kill at any moment as if nothing had been.

A checkpoint is one safetensors file: tensors, and beside them in its header the other state as JSON and a checksum of
the tensors. It is written elsewhere, flushed to the disk and renamed; the one before is kept as previous.safetensors.
Epochs draw their random numbers from (seed, epoch) alone, so no generator's state is kept.
"""

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from grapevine.errors import InputError, check

LAST, PREVIOUS, BEST = "last.safetensors", "previous.safetensors", "best.safetensors"


@dataclass(frozen=True)
class State:
    """What a checkpoint holds: tensors by name, and what JSON can hold."""

    tensors: Mapping[str, Tensor]
    content: Mapping[str, Any] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one training, in a folder of their own.

    Args:
        folder: it is made if it is not there.
        identity: what JSON can hold and must be the same for training to go on from a checkpoint.

    Raises:
        InputError: if the folder can not be made or written to.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]):
        self._folder, self._identity = Path(folder), json.loads(json.dumps(identity))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"the folder {folder} can not be made: {error}") from error
        check(os.access(self._folder, os.W_OK | os.X_OK), f"the folder {folder} can not be written to")
        self._written_at = monotonic()
        self.warnings: list[str] = []

    def is_due(self, epoch: int, every: float, unit: str) -> bool:
        """Whether it is time for the next one."""
        if unit == "epochs":
            return epoch % max(round(every), 1) == 0
        return monotonic() - self._written_at >= every

    def write(self, state: State) -> None:
        """Keep the state as the last one, and the last one as the previous one."""
        content = dict(state.content) | {"identity": self._identity}
        data = _packed(State(state.tensors, content))
        last = self._folder / LAST
        with _Whole(self._folder) as partial:
            partial.write(data)
            if last.exists():
                os.replace(last, self._folder / PREVIOUS)
            partial.move(last)
        self._written_at = monotonic()

    def write_best(self, state: State) -> None:
        """Keep the best weights in a file of their own, for whoever wants those alone."""
        with _Whole(self._folder) as partial:
            partial.write(_packed(state))
            partial.move(self._folder / BEST)

    def read(self) -> State | None:
        """The last state, or the previous one where the last is damaged, with a warning; None if there is none.

        Raises:
            InputError: if it is of another configuration, or none of those that are there can be read.
        """
        problems = []
        for name in (LAST, PREVIOUS):
            path = self._folder / name
            if not path.exists():
                continue
            try:
                state = read_state(path)
            except InputError as error:
                problems.append(str(error))
                continue
            self._check_same(path, state.content.get("identity"))
            self.warnings.extend(f"{problem}; training goes on from {name}" for problem in problems)
            return state
        check(not problems, "; ".join(problems) + "; delete the folder to begin anew")
        return None

    def _check_same(self, path: Path, found: object) -> None:
        changed = sorted(_differences(found, self._identity))
        if changed:
            raise InputError(
                f"{path} is of another training, with another {', '.join(changed[:5])}; "
                "take the same configuration to go on, or another folder to begin anew"
            )


def read_state(path: Path) -> State:
    """Read one checkpoint file.

    Raises:
        InputError: if it is damaged or is no checkpoint.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        content = json.loads(metadata["content"])
        is_whole = metadata["checksum"] == checksum(tensors)
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise InputError(f"the checkpoint {path} can not be read ({error})") from error
    check(is_whole, f"the checkpoint {path} is damaged (its checksum is another one)")
    return State(tensors, content)


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """A CRC-32 of the names and the bytes of tensors in main memory."""
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(name.encode(), total)
        flat = tensors[name].contiguous()
        flat = flat.as_strided((flat.numel(),), (1,))  # a single number may have a stride of 0, which no view takes
        total = zlib.crc32(flat.view(torch.uint8).numpy().data, total)
    return f"{total:08x}"


class _Whole:
    """A file that appears at its place whole or not at all, whatever happens meanwhile; one process writes a folder."""

    def __init__(self, folder: Path):
        self._folder, self._path = folder, folder / ".partial"  # what a kill leaves is written over

    def __enter__(self) -> "_Whole":
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        with open(self._path, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def move(self, path: Path) -> None:
        os.replace(self._path, path)
        if os.name == "posix":  # the name, too, must reach the disk
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _packed(state: State) -> bytes:
    tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in state.tensors.items()}
    return save(tensors, {"content": json.dumps(dict(state.content)), "checksum": checksum(tensors)})


def _differences(found: object, wanted: object, name: str = "") -> set[str]:
    """The names of what differs, of nested mappings with dots."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        keys = found.keys() | wanted.keys()
        parts = (_differences(found.get(k), wanted.get(k), f"{name}.{k}".lstrip(".")) for k in keys)
        return set().union(*parts)
    return set() if found == wanted else {name or "identity"}
