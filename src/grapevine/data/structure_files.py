"""Whether a file is one of structures of atoms, and a run folder one of a potential: without PyTorch, at once."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grapevine.errors import check

KIND = "atoms"
POTENTIALS = ("mace", "nequip", "painn", "schnet", "dtnn", "egnn", "dimenet")  # a test compares them with the rest
_SUFFIXES = (".xyz", ".extxyz", ".traj", ".db", ".aselmdb")


def holds_structures(path: Path) -> bool:
    """Whether a file's name says that it holds structures of atoms.

    >>> holds_structures(Path("frames.xyz.gz")), holds_structures(Path("friends.csv"))
    (True, False)
    """
    return (Path(path.stem).suffix if path.suffix == ".gz" else path.suffix).lower() in _SUFFIXES


def is_potential_run(folder: Path | str) -> bool:
    """Whether a run folder holds a potential; whoever reads it says what else is wrong with it."""
    try:
        content = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("kind") == KIND


def is_potential_recipe(path: Path | str) -> bool:
    """Whether a config.toml, or the run folder it is in, finished or not, is one of a potential."""
    path = Path(path)
    both = [path] if path.is_file() else [path / "config.toml", path.with_name(path.name + ".partial") / "config.toml"]
    for file in both:
        if file.is_file():
            try:
                return tomllib.loads(file.read_text(encoding="utf-8")).get("kind") == KIND
            except (OSError, ValueError):
                return False
    return False


def refuse_potential(content: Mapping[str, Any]) -> None:
    """Raise an InputError for the configuration of a potential where one of another kind of model is wanted."""
    is_other = content.get("kind") != KIND
    check(is_other, "this is a potential: predict, evaluate, relax, md, info and gv.atoms.Calculator are for it")
