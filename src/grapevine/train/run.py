"""The folder a trained model is kept in: model.safetensors, config.json, metrics.json.

It is written elsewhere and then renamed, so a run folder is whole or is not there, and an older one is never
overwritten: the second run of a name is NAME-2.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from grapevine.errors import InputError, check

_WEIGHTS, _CONFIG, _METRICS = "model.safetensors", "config.json", "metrics.json"


@dataclass(frozen=True)
class Run:
    """What a run folder holds: the weights by name, what builds the model, and what it came to."""

    weights: Mapping[str, Tensor]
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]


def make_runs_folder(out: Path) -> None:
    """Make the folder that run folders go into, before hours are spent on what could not be saved.

    Raises:
        InputError: if it can not be made or written to.
    """
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {out} can not be made: {error}") from error
    check(os.access(out, os.W_OK | os.X_OK), f"the folder {out} can not be written to")


def save_run(run: Run, out: Path, name: str) -> Path:
    """Write the run into a new folder in `out`, called `name`, or `name-2` and so on where there is one already."""
    out = Path(out)
    make_runs_folder(out)
    partial = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=out))
    try:
        save_file({key: tensor.contiguous() for key, tensor in run.weights.items()}, partial / _WEIGHTS)
        for file, content in ((_CONFIG, run.config), (_METRICS, run.metrics)):
            (partial / file).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        partial.chmod(0o755)
        return _rename(partial, out, name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def load_run(folder: Path) -> Run:
    """Read a run folder back.

    Raises:
        InputError: if the folder is not there or is not one that `save_run` wrote.
    """
    folder = Path(folder)
    check(folder.is_dir(), f"there is no run folder {folder}")
    try:
        texts = ((folder / file).read_text(encoding="utf-8") for file in (_CONFIG, _METRICS))
        config, metrics = (json.loads(text) for text in texts)
        return Run(load_file(folder / _WEIGHTS), config, metrics)
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{folder} is not a whole run folder: {error}") from error


def _rename(partial: Path, out: Path, name: str) -> Path:
    for number in count(1):
        folder = out / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            try:
                os.rename(partial, folder)
            except FileExistsError:  # another process was faster
                continue
            return folder
    raise AssertionError("count never ends")
