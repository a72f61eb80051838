"""The folder a trained model is kept in: config.toml, config.json, model.safetensors, metrics.json and what goes along.

While it trains it is called NAME.partial and holds the configuration and the checkpoints; whole, it is renamed to NAME
in one step. So a run folder is whole or is not there, and an older one is never overwritten: the second run of a name
is NAME-2.

    config.toml          trains it again, with the same result
    config.json          builds the model; with model.safetensors it is all that predicting needs
    model.safetensors    the weights by name; those of member k of an ensemble as members.k.NAME
    metrics.json         what it came to                metrics.csv          what each epoch came to
    predictions.parquet  what it says of each item      rejected.csv         rows of the data that could not be read
    encoder.json         how columns became features    report.html          all of it for people
"""

import errno
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.train.run_files import read_json, read_table, read_text, read_toml, write_files

_NEEDED = ("config.toml", "config.json", "model.safetensors", "metrics.json")
_PARTIAL = ".partial"


@dataclass(frozen=True)
class Run:
    """What a run folder holds; None is what this run has not.

    Args:
        weights: the tensors by name, as in the model's state_dict.
        config: plain values that build the model (config.json).
        metrics: plain values that it came to (metrics.json); what is not finite is written as null, read as None.
        recipe: plain values that train it again (config.toml); None is left out, since a default restores it.
        epochs: a row for each epoch (metrics.csv).
        predictions: a row for each item (predictions.parquet).
        encoder: plain values that turn columns into features (encoder.json).
        rejected: a row for each row that could not be read (rejected.csv).
        report: a page for people (report.html).
    """

    weights: Mapping[str, Tensor]
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    recipe: Mapping[str, Any] = field(default_factory=dict)
    epochs: pl.DataFrame | None = None
    predictions: pl.DataFrame | None = None
    encoder: Mapping[str, Any] | None = None
    rejected: pl.DataFrame | None = None
    report: str | None = None


class SavedRun:
    """A run folder, with what `Run` has under the same names; the large files are read when they are asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.config: dict[str, Any] = read_json(folder / "config.json")
        self.metrics: dict[str, Any] = read_json(folder / "metrics.json")
        self.recipe: dict[str, Any] = read_toml(folder / "config.toml")

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        path = self.folder / "model.safetensors"
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path} can not be read: {error}") from error

    @cached_property
    def epochs(self) -> pl.DataFrame | None:
        return read_table(self.folder / "metrics.csv")

    @cached_property
    def predictions(self) -> pl.DataFrame | None:
        return read_table(self.folder / "predictions.parquet")

    @cached_property
    def encoder(self) -> dict[str, Any] | None:
        path = self.folder / "encoder.json"
        return read_json(path) if path.exists() else None

    @cached_property
    def rejected(self) -> pl.DataFrame | None:
        return read_table(self.folder / "rejected.csv")

    @cached_property
    def report(self) -> str | None:
        path = self.folder / "report.html"
        return read_text(path) if path.exists() else None

    def __repr__(self) -> str:
        return f"SavedRun({self.folder})"


class RunFolder:
    """A run that is not finished: a folder NAME.partial with its configuration and its checkpoints.

    It survives a kill at any moment; `resume` takes it up again.

    >>> import tempfile, torch
    >>> out = Path(tempfile.mkdtemp())
    >>> folder = RunFolder.begin(out, "cora-gcn", {"seed": 1})
    >>> folder.folder.name, folder.checkpoints.is_dir()
    ('cora-gcn.partial', True)
    >>> RunFolder.resume(out / "cora-gcn").recipe
    {'seed': 1}
    >>> folder.finish(Run({"w": torch.ones(1)}, {}, {"accuracy": 0.5}, {"seed": 1})).name
    'cora-gcn'
    """

    def __init__(self, folder: Path):
        self.folder = folder

    @classmethod
    def begin(cls, out: Path, name: str, recipe: Mapping[str, Any]) -> "RunFolder":
        """A new folder in `out` that will be called `name`, or `name-2` and so on where there is one already.

        Raises:
            InputError: if `name` can not be a folder's name, the folder can not be made or written to, or `recipe`
                holds what TOML can not.
        """
        out = Path(out)
        is_plain = name == Path(name).name != "" and not name.startswith(".") and not name.endswith(_PARTIAL)
        check(is_plain, f"a run's name must be a folder's name that does not end with {_PARTIAL}, got {name!r}")
        make_runs_folder(out)
        for number in count(1):
            whole = _numbered(out, name, number)
            if whole.exists():
                continue
            partial = whole.with_name(whole.name + _PARTIAL)
            try:
                partial.mkdir()
            except FileExistsError:
                continue
            folder = cls(partial)
            try:
                write_files(partial, {"config.toml": recipe})
                folder.checkpoints.mkdir()
            except BaseException:
                folder.discard()
                raise
            return folder
        raise AssertionError("count never ends")

    @classmethod
    def resume(cls, path: Path) -> "RunFolder":
        """The unfinished run that is, or was to be, at this path: NAME.partial or NAME.

        Raises:
            InputError: if the run is finished, or there is none; then it names the unfinished ones there.
        """
        path = Path(path)
        name = path.name.removesuffix(_PARTIAL)
        partial, whole = path.with_name(name + _PARTIAL), path.with_name(name)
        if (partial / "config.toml").is_file():
            (partial / "checkpoints").mkdir(exist_ok=True)
            return cls(partial)
        check(not whole.is_dir(), f"the run {whole} is finished: there is nothing to resume")
        others = ", ".join(str(other.folder) for other in unfinished_runs(path.parent)) or "none"
        raise InputError(f"there is no unfinished run {partial}; unfinished there: {others}")

    @property
    def name(self) -> str:
        """What the run will be called, if nobody takes the name before."""
        return self.folder.name.removesuffix(_PARTIAL)

    @property
    def checkpoints(self) -> Path:
        """The folder for checkpoints; it goes when the run is finished."""
        return self.folder / "checkpoints"

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The configuration it began with."""
        return read_toml(self.folder / "config.toml")

    def finish(self, run: Run) -> Path:
        """Write what the run came to, give the folder its name and drop the checkpoints; the folder's path.

        Raises:
            InputError: if it holds what the files can not; the folder then stays as it was, to be resumed.
        """
        contents = {
            "config.json": run.config,
            "model.safetensors": run.weights,
            "metrics.json": run.metrics,
            "metrics.csv": run.epochs,
            "predictions.parquet": run.predictions,
            "encoder.json": run.encoder,
            "rejected.csv": run.rejected,
            "report.html": run.report,
            "config.toml": run.recipe,
        }
        write_files(self.folder, contents)
        whole = _rename(self.folder, self.folder.parent, self.name)
        shutil.rmtree(whole / "checkpoints", ignore_errors=True)  # a kill before this leaves a whole run
        return whole

    def discard(self) -> None:
        """Delete the folder and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __repr__(self) -> str:
        return f"RunFolder({self.folder})"


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
    """Write the run into a new folder in `out`, called `name`, or `name-2` and so on where there is one already.

    Raises:
        InputError: if the folder can not be made, or the run holds what the files can not; nothing is left then.
    """
    folder = RunFolder.begin(out, name, run.recipe)
    try:
        return folder.finish(run)
    except BaseException:
        folder.discard()
        raise


def load_run(folder: Path) -> SavedRun:
    """A run folder's contents: the small files are read and the large ones looked into at once.

    Raises:
        InputError: if the folder is not there, is not finished, or a file is missing or damaged.
    """
    folder = Path(folder)
    if folder.name.endswith(_PARTIAL) or (not folder.exists() and folder.with_name(folder.name + _PARTIAL).is_dir()):
        raise InputError(f"the run {folder} is not finished: resume it first")
    check(folder.is_dir(), f"there is no run folder {folder}")
    missing = [file for file in _NEEDED if not (folder / file).is_file()]
    check(not missing, f"{folder} is not a whole run folder: there is no {', no '.join(missing)}")
    try:
        _look_into(folder)
        return SavedRun(folder)
    except InputError as error:
        raise InputError(f"{folder} is not a whole run folder: {error}") from error


def unfinished_runs(out: Path) -> list[RunFolder]:
    """The runs in `out` that can be resumed, by name."""
    found = sorted(Path(out).glob(f"*{_PARTIAL}")) if Path(out).is_dir() else []
    return [RunFolder(path) for path in found if (path / "config.toml").is_file()]


def join_members(members: list[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The weights of an ensemble: those of member k under members.k.NAME, as a ModuleList called members has them.

    >>> import torch
    >>> list(join_members([{"w": torch.zeros(1)}, {"w": torch.ones(1)}]))
    ['members.0.w', 'members.1.w']
    """
    return {f"members.{k}.{name}": tensor for k, member in enumerate(members) for name, tensor in member.items()}


def split_members(weights: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The weights of each member of an ensemble; of a single model, its own.

    >>> import torch
    >>> split_members(join_members([{"w": torch.zeros(1)}, {"w": torch.ones(1)}]))
    [{'w': tensor([0.])}, {'w': tensor([1.])}]
    """
    if not weights or not all(name.startswith("members.") for name in weights):
        return [dict(weights)]
    members: dict[int, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        _, k, inner = name.split(".", 2)
        members.setdefault(int(k), {})[inner] = tensor
    return [members[k] for k in sorted(members)]


def _look_into(folder: Path) -> None:
    """Whether the large files are as long as their own headers say."""
    try:
        with safe_open(folder / "model.safetensors", framework="pt"):
            pass
    except (OSError, SafetensorError) as error:
        raise InputError(f"model.safetensors can not be read: {error}") from error
    read_table(folder / "predictions.parquet", only_header=True)


def _numbered(out: Path, name: str, number: int) -> Path:
    return out / (name if number == 1 else f"{name}-{number}")


def _rename(partial: Path, out: Path, name: str) -> Path:
    for number in count(1):
        folder = _numbered(out, name, number)
        if not folder.exists():
            try:
                os.rename(partial, folder)
            except OSError as error:
                if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # another process was faster
                    continue
                raise
            return folder
    raise AssertionError("count never ends")
