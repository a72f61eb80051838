"""What there is to know of a run, of a data set by its name, or of data: plain values, for people and for JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.datasets import DatasetInfo, dataset_info
from grapevine.data.datasets.fetch import folders_of
from grapevine.data.download import Progress
from grapevine.data.structure_files import KIND, holds_structures
from grapevine.errors import InputError
from grapevine.recipes.source import Source, load
from grapevine.report.graph_statistics import GraphStatistics, graph_statistics
from grapevine.train.run import SavedRun, load_run

_RUN_FILES = ("config.json", "config.toml")


def info(what: Path | str | Source, *, root: Path | None = None, on_progress: Progress | None = None) -> dict[str, Any]:
    """All that is known, under "kind": "run", "dataset" or "data".

    Of a run: what was asked, its scores, model, parameters, time and data. Of a data set by its name: what is
    registered of it, and the figures of its graph if its files are there or it comes with the program; nothing is
    downloaded. Of other data: the figures of the graph, or of the structures of atoms, and what was found in reading.

    Args:
        what: a run folder, the name of a data set, or a source.
        root: the folder of a data set's files; None: the cache folder.

    Raises:
        InputError: if there is no such thing.

    >>> found = info("karate")
    >>> found["num_nodes"], found["graph"]["num_components"], found["graph"]["homophily"]["edge"] > 0.8
    (34, 1, True)
    """
    if isinstance(what, Source):
        if what.path is not None and holds_structures(Path(what.path)):
            from grapevine.recipes.atoms.info import describe_structures  # imports what reads structures

            return describe_structures(what.path)
        if what.dataset is None:
            return _of_data(what, on_progress)
        what, root = what.dataset, root if what.root is None else Path(what.root)
    if is_run(what) or Path(what).is_dir():
        return _of_run(Path(what))
    found = dataset_info(str(what))
    described = {"kind": "dataset", **_plain(asdict(found)), "graph": None}
    if is_there(found, root):
        source = Source(dataset=found.name, root=None if root is None else str(root))
        described["graph"] = _figures(load(source, on_progress=on_progress).dataset)
    return described


def is_run(place: Path | str) -> bool:
    """Whether it is a run folder, finished or not."""
    path = Path(place)
    is_unfinished = bool(path.name) and path.with_name(path.name + ".partial").is_dir()
    return any((path / file).is_file() for file in _RUN_FILES) or is_unfinished


def is_there(found: DatasetInfo, root: Path | None) -> bool:
    """Whether a data set can be loaded without a download."""
    if not found.folder:
        return True
    folders = folders_of(found, root)
    if not found.files:  # its publisher has no file that can be read
        return any((folder / f"{found.name}.npz").is_file() for folder in folders)
    if found.name.startswith("tu:"):  # its archive is unpacked, and then no longer there
        name = found.name.removeprefix("tu:")
        texts = (f"{name}_A.txt", f"{name}.txt")
        places = [*folders, *(folder / "tu_raw" for folder in folders)]
        folders = [place for one in places for place in (one, one / name)]
        if any((folder / text).is_file() for folder in folders for text in texts):
            return True
    files = found.files
    return any(all(_has(folder, file.name, *file.also) for file in files) for folder in folders)


def _has(folder: Path, *names: str) -> bool:
    return any((folder / name).is_file() for name in names)


def _of_run(folder: Path) -> dict[str, Any]:
    run = load_run(folder)
    metrics, recipe, config = run.metrics, run.recipe, run.config
    if config.get("kind") == KIND:
        return _of_potential(folder, run)
    asked = {name: value for name, value in recipe.get("task", {}).items() if name != "links" or _is_link(recipe)}
    try:
        return {
            "kind": "run",
            "folder": str(folder),
            "name": recipe["name"],
            "grapevine": config["grapevine"],
            "data": {name: value for name, value in recipe["source"].items() if name != "table"},
            "asked": asked,
            "objective": config["objective"],
            "classes": config["class_names"],
            "model": config["model"],
            "prepare": recipe.get("prepare", {}),
            "members": config["members"],
            "features": config["inputs"]["channels"],
            "training": recipe["training"],
            "metric": metrics["metric"],
            "scores": metrics["scores"],
            "spread": metrics["spread"],
            "parameters": metrics["parameters"],
            "seconds": metrics["seconds"],
            "epochs": metrics["epochs"],
            "notes": metrics["notes"],
            "warnings": metrics["warnings"],
            "rejected": metrics["rejected"],
        }
    except KeyError as error:
        raise InputError(f"{folder} is a run of another version: its files hold no {error}") from error


def _of_potential(folder: Path, run: SavedRun) -> dict[str, Any]:
    metrics, recipe, config = run.metrics, run.recipe, run.config
    told = ("metric", "units", "scores", "baselines", "parameters", "seconds", "epochs", "notes", "warnings")
    return {
        "kind": "run",
        "folder": str(folder),
        "name": recipe.get("name"),
        "grapevine": config.get("grapevine"),
        "data": recipe.get("source"),
        "model": config.get("model"),
        "loss": recipe.get("loss"),
        "training": recipe.get("training"),
        **{name: metrics.get(name) for name in (*told, "rejected")},
    }


def _is_link(recipe: Mapping[str, Any]) -> bool:
    return recipe.get("task", {}).get("level") == "link"


def _of_data(source: Source, on_progress: Progress | None) -> dict[str, Any]:
    loaded = load(source, on_progress=on_progress)
    return {
        "kind": "data",
        "name": loaded.dataset.name,
        "level": loaded.dataset.level,
        "num_splits": len(loaded.dataset.splits),
        "about": dict(loaded.dataset.about),
        "notes": list(loaded.notes),
        "rejected": 0 if loaded.rejected is None else len(loaded.rejected),
        "graph": _figures(loaded.dataset),
    }


def _figures(dataset: Dataset) -> dict[str, Any]:
    graph, level = dataset.graph, dataset.level
    held = graph.levels.get("y")
    y = graph.y if held == level and level in ("node", "graph") and graph.y.ndim == 1 else None
    if y is not None and dataset.class_names is None and not y.is_floating_point() and int(y.max()) > 1000:
        y = y.to(torch.float64)  # whole numbers of so many values are no classes
    return _told(graph_statistics(graph, y), dataset)


def _told(figures: GraphStatistics, dataset: Dataset) -> dict[str, Any]:
    """The arrays by their range; the rest as it is."""
    told = asdict(figures)
    for name in ("in_degree", "out_degree", "nodes_per_graph", "edges_per_graph"):
        told[name] = _range(told[name])
    if figures.class_counts is not None:
        names = dataset.class_names or tuple(map(str, range(len(figures.class_counts))))
        told["class_counts"] = dict(zip(names, figures.class_counts.tolist(), strict=False))
    return _plain(told)


def _range(values: np.ndarray) -> dict[str, float]:
    if len(values) == 0:
        return {}
    return {"min": int(values.min()), "mean": float(values.mean()), "max": int(values.max())}


def _plain(value: Any) -> Any:
    """Without arrays and tuples, and None for what is no number."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value != value:
        return None
    return value
