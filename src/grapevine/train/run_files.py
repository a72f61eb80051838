"""The formats of a run folder's files: TOML, JSON, safetensors, CSV, Parquet, HTML, each written whole or not at all.

A content is written under another name and renamed, so that a kill leaves the older file or the newer one.
"""

import json
import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import polars as pl
import tomli_w
from safetensors.torch import save_file

from grapevine.errors import InputError


def write_files(folder: Path, contents: Mapping[str, Any]) -> None:
    """Write each content in the format that its file's name ends with; None takes an older file away.

    Raises:
        InputError: if a content holds what its format can not.
    """
    for name, content in contents.items():
        path, writing = folder / name, folder / f".{name}.writing"
        try:
            if content is None:
                path.unlink(missing_ok=True)
            else:
                _WRITERS[path.suffix](content, writing)
                os.replace(writing, path)
        finally:
            writing.unlink(missing_ok=True)


def to_toml(values: Mapping[str, Any]) -> str:
    """Nested plain values as TOML; what is None is left out, since leaving it out means its default.

    Raises:
        InputError: if there is a value that TOML has no form for, or a None in a list; the message says where.

    >>> print(to_toml({"seed": 1, "device": None, "model": {"name": "gcn", "widths": (16, 7)}}), end="")
    seed = 1
    <BLANKLINE>
    [model]
    name = "gcn"
    widths = [
        16,
        7,
    ]
    """
    return tomli_w.dumps(_plain(values, "", drops_none=True))


def to_json(values: Mapping[str, Any]) -> str:
    """Nested plain values as JSON that every reader takes: what is not finite becomes null.

    Raises:
        InputError: if there is a value that JSON has no form for; the message says where.

    >>> to_json({"auc": float("nan"), "seeds": (1, 2)}).split()
    ['{', '"auc":', 'null,', '"seeds":', '[', '1,', '2', ']', '}']
    """
    return json.dumps(_finite(_plain(values, "", drops_none=False)), indent=2, ensure_ascii=False) + "\n"


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} can not be read: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name} is no TOML: {error}") from error


def read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path.name} must hold an object, it holds {type(content).__name__}")
    return content


def read_table(path: Path, *, only_header: bool = False) -> pl.DataFrame | None:
    """A table of CSV or Parquet, or only its columns; None if there is no such file."""
    if not path.exists():
        return None
    try:
        if path.suffix == ".parquet":
            lazy = pl.scan_parquet(path)
            return lazy.collect_schema().to_frame() if only_header else lazy.collect()
        return pl.read_csv(path, infer_schema_length=None, n_rows=0 if only_header else None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path.name} can not be read: {error}") from error


def _plain(value: Any, where: str, *, drops_none: bool) -> Any:
    """Dictionaries, lists, words, numbers and truths, and nothing else."""
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise InputError(f"{where or 'the configuration'} must have words as keys, got {wrong[0]!r}")
        kept = {key: each for key, each in value.items() if not (drops_none and each is None)}
        return {key: _plain(each, f"{where}.{key}".strip("."), drops_none=drops_none) for key, each in kept.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, f"{where}[{k}]", drops_none=drops_none) for k, each in enumerate(value)]
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, bool | int | float | str) or (value is None and not drops_none):
        return value
    raise InputError(f"{where} must be a plain value to be saved, got {value!r} of type {type(value).__name__}")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_tensors(weights: Mapping[str, Any], path: Path) -> None:
    """Copies, since safetensors takes no two names for the same memory."""
    save_file({name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}, path)


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


_WRITERS = {
    ".toml": lambda content, path: _write_text(to_toml(content), path),
    ".json": lambda content, path: _write_text(to_json(content), path),
    ".safetensors": _write_tensors,
    ".csv": lambda content, path: content.write_csv(path),
    ".parquet": lambda content, path: content.write_parquet(path),
    ".html": _write_text,
}
