"""Runs side by side, and whether they may be compared at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from grapevine.errors import InputError, check
from grapevine.train.run import SavedRun, load_run

_NUMBERS = ("val", "val_std", "test", "test_std", "seconds")
_FIELDS = {"source": "data", "task": "question or split"}


@dataclass(frozen=True)
class RunTable:
    """Runs side by side.

    Args:
        frame: a row for each: run, data, model, metric, val and test with their deviations over seeds, parameters and
            seconds.
        notes: which of them are not comparable, and why; empty if all are.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {"runs": self.frame.to_dicts(), "notes": list(self.notes)}


def compare(runs: Sequence[Path | str]) -> RunTable:
    """The runs in a table, in the order given.

    Scores are comparable where data, question, split and metric are the same; `notes` says where they are not.

    Raises:
        InputError: if there is none, or one is no run folder.
    """
    check(len(runs) > 0, "say which runs to compare")
    saved = [load_run(Path(run)) for run in runs]
    rows = [_row(str(run), one) for run, one in zip(runs, saved, strict=True)]
    schema: dict[str, Any] = dict.fromkeys(_NUMBERS, pl.Float64)
    frame = pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)
    notes = []
    for (name, one), (other_name, other) in combinations(zip(map(str, runs), saved, strict=True), 2):
        differs = _differences(one, other)
        if differs:
            notes.append(f"{name} and {other_name} are not comparable: they differ in {', '.join(differs)}")
    return RunTable(frame, tuple(notes))


def _row(name: str, run: SavedRun) -> dict[str, Any]:
    metrics, recipe = run.metrics, run.recipe
    try:
        metric, scores, spread = metrics["metric"], metrics["scores"], metrics["spread"]
        return {
            "run": name,
            "data": _data(recipe["source"]),
            "model": metrics["model"] + (f" x {metrics['members']}" if metrics["members"] > 1 else ""),
            "metric": metric,
            "val": scores["val"].get(metric),
            "val_std": spread.get("val", {}).get(metric),
            "test": scores["test"].get(metric),
            "test_std": spread.get("test", {}).get(metric),
            "parameters": metrics["parameters"],
            "seconds": metrics["seconds"],
        }
    except KeyError as error:
        raise InputError(f"{name} is a run of another version: its files hold no {error}") from error


def _data(source: dict[str, Any]) -> str:
    places = [source.get(name) for name in ("dataset", "path", "nodes", "edges", "sql")]
    return next((str(place) for place in places if place is not None), "")


def _differences(one: SavedRun, other: SavedRun) -> list[str]:
    """In which of data, question or split, and metric two runs differ."""
    found = [word for field, word in _FIELDS.items() if _asked(one, field) != _asked(other, field)]
    return found + ["metric"] * (one.metrics.get("metric") != other.metrics.get("metric"))


def _asked(run: SavedRun, field: str) -> dict[str, Any]:
    """What decides on what is scored: not how it is taught, nor by which metric the best is chosen."""
    asked = dict(run.recipe.get(field, {}))
    if field == "task":
        is_link = asked.get("level") == "link"
        ignored = {"balanced", "batch_size", "num_batches", "metric", "split" if is_link else "links"}
        asked = {name: value for name, value in asked.items() if name not in ignored}
        if is_link:
            asked["links"] = {name: value for name, value in asked.get("links", {}).items() if name != "negatives"}
        return asked
    table = {name: value for name, value in asked.get("table", {}).items() if name not in ("use", "drop", "kinds")}
    places = {name: str(Path(asked[name]).absolute()) for name in ("nodes", "edges", "path") if name in asked}
    return {**asked, **places, "table": table, "root": None}
