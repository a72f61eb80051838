"""What the models of a comparison came to under one budget: a table for people, and its figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat, PositiveInt

from grapevine.data.tables import write_table
from grapevine.errors import InputError, check
from grapevine.recipes.predict import writable
from grapevine.recipes.result import Scores
from grapevine.report.blocks import NOTHING, figure_of
from grapevine.task.task import PARTS
from grapevine.train.settings import Accelerator

_UNITS = {"eV": {"meV": 1000.0, "kcal/mol": 23.060548}}  # in which chemists read an error (CODATA 2018)
_IN_UNITS = ("mae", "rmse")


class Budget(BaseModel):
    """What each model is given.

    Args:
        epochs: of each training, without stopping early; the weights of the best one on the validation part count.
        learning_rate: the first step of each training; None: 0.005 of graphs, else each model's own.
        hidden: width of the states; of attention that of all heads together.
        batch_size: graphs a step; of nodes, links and edges a step is the whole graph.
        seeds: trainings of each, whose scores are averaged.
        seed: the first seed.
        accelerator: where they are trained.
        own_process: a fresh process for each; otherwise there is no saying what memory each takes.

    >>> Budget(epochs=10).told("graph")
    '10 epochs, batches of 64 graphs, states 48 wide'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: PositiveInt = 30
    learning_rate: PositiveFloat | None = None
    hidden: PositiveInt = 48
    batch_size: PositiveInt = 64
    seeds: PositiveInt = 1
    seed: NonNegativeInt = 0
    accelerator: Accelerator = "auto"
    own_process: bool = True

    def told(self, level: str) -> str:
        """In words."""
        batches = f", batches of {self.batch_size} graphs" if level == "graph" else ""
        seeds = f", {self.seeds} seeds" if self.seeds > 1 else ""
        return f"{self.epochs} epochs{batches}, states {self.hidden} wide{seeds}"


@dataclass(frozen=True)
class ModelScore:
    """What a model came to.

    Args:
        name: of the network, "boosted trees", "linear fit" or "guess".
        scores, spread: by part and metric; of several seeds the mean and the standard deviation.
        num_parameters: None of what is no network.
        seconds: of one training.
        prediction: seconds for a thousand items, read from memory and batched.
        memory: bytes that the process grew by at the peak of its training, or that a GPU gave out; None if unknown.
        failed: why there are no scores.
    """

    name: str
    scores: Scores = field(default_factory=dict)
    spread: Scores = field(default_factory=dict)
    num_parameters: int | None = None
    seconds: float | None = None
    prediction: float | None = None
    memory: int | None = None
    failed: str = ""

    def score(self, part: str, metric: str) -> float:
        """NaN where there is none."""
        return self.scores.get(part, {}).get(metric, nan)

    def row(self, metric: str, *, has_spread: bool) -> dict[str, Any]:
        """As plain values by name, for tables and JSON; with the deviations over seeds where a table has them."""
        return {
            "model": self.name,
            **{part: _known(self.score(part, metric)) for part in PARTS},
            **{f"{part}_std": self.spread.get(part, {}).get(metric) for part in PARTS if has_spread},
            "parameters": self.num_parameters,
            "training_seconds": self.seconds,
            "prediction_seconds_per_1000": self.prediction,
            "peak_memory_mb": None if self.memory is None else self.memory / 1e6,
            "failed": self.failed or None,
        }


@dataclass(frozen=True)
class ModelComparison:
    """The models under one budget, best first.

    Args:
        metric: by which they are sorted, on the test part, or on validation where there is none.
        unit: of the answers, if it is known.
        rows: the models, those that failed last.
        notes: what was inferred, and which models do not fit the data.
    """

    name: str
    level: str
    metric: str
    unit: str | None
    budget: Budget
    rows: tuple[ModelScore, ...]
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pl.DataFrame:
        """A row for each; an error in eV also in meV and kcal/mol."""
        has_spread = self.budget.seeds > 1
        rows = [row.row(self.metric, has_spread=has_spread) for row in self.rows]
        for row in rows:
            row |= {
                f"test_{_worded(name)}": None if row["test"] is None else factor * row["test"]
                for name, factor in self._other_units.items()
            }
        kinds: dict[str, Any] = dict.fromkeys(rows[0], pl.Float64)
        kinds |= {"model": pl.String, "failed": pl.String, "parameters": pl.Int64}
        return pl.DataFrame(rows, schema=kinds)

    @property
    def title(self) -> str:
        """What was done, in a sentence."""
        return f"{self.name}: every model with {self.budget.told(self.level)}; its own depth and readout"

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The table for people: its head, and words for each cell."""
        unit = f" in {self.unit}" if self.unit and self.metric in _IN_UNITS else ""
        others = list(self._other_units)
        head = ["model", f"{self.metric.replace('_', ' ')}{unit}, test", "validation", *(f"test, {u}" for u in others)]
        head += ["parameters", "training, s", f"prediction, ms / 1,000 {self.level}s", "peak memory, MB"]
        any_failed = any(row.failed for row in self.rows)
        return head + ["why not"] * any_failed, [self._cells(row, any_failed) for row in self.rows]

    def to_markdown(self) -> str:
        """The table as Markdown, under what was done.

        >>> row = ModelScore("gin", {"test": {"mae": 0.1}})
        >>> ModelComparison("x", "graph", "mae", None, Budget(), (row,)).to_markdown().splitlines()[-1][:25]
        '| gin | 0.1 | – | – | – |'
        """
        head, rows = self.cells()
        under = ["---", *["---:"] * (len(head) - 1)]
        lines = [f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |" for cells in (head, under, *rows)]
        return "\n".join([f"{self.title}.", "", *lines]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        told = {"data": self.name, "level": self.level, "metric": self.metric, "unit": self.unit}
        return {**told, "budget": self.budget.model_dump(), "notes": list(self.notes), "models": self.frame.to_dicts()}

    def write(self, out: Path | str) -> Path:
        """Write the table to a .md file, or as figures to .csv, .tsv, .parquet, .jsonl or .arrow.

        Raises:
            InputError: for another suffix, or where it can not be written.
        """
        path = check_out(out)
        if path.suffix.lower() != ".md":
            write_table(self.frame, path)
            return path
        try:
            path.write_text(self.to_markdown(), encoding="utf-8")
        except OSError as error:
            raise InputError(f"can not write {path}: {error}") from error
        return path

    @property
    def _other_units(self) -> Mapping[str, float]:
        return _UNITS.get(self.unit or "", {}) if self.metric in _IN_UNITS else {}

    def _cells(self, row: ModelScore, any_failed: bool) -> list[str]:
        test = row.score("test", self.metric)
        figures = [_with_spread(row, part, self.metric) for part in ("test", "val")]
        figures += [figure_of(factor * test) for factor in self._other_units.values()]
        count = NOTHING if row.num_parameters is None else f"{row.num_parameters:,}"
        took = [row.seconds, _times(row.prediction, 1000), _times(row.memory, 1e-6)]
        return [row.name, *figures, count, *(figure_of(one, 3) for one in took), *[row.failed] * any_failed]


def check_out(out: Path | str) -> Path:
    """The path of a table, checked before anything is computed.

    Raises:
        InputError: if its suffix says no format, or its folder is not there.
    """
    path = Path(out)
    if path.suffix.lower() != ".md":
        return writable(path)
    check(path.parent.is_dir(), f"there is no folder {path.parent} to write {path.name} into")
    return path


def _with_spread(row: ModelScore, part: str, metric: str) -> str:
    mean, std = figure_of(row.score(part, metric)), row.spread.get(part, {}).get(metric)
    return mean if std is None or mean == NOTHING else f"{mean} ± {figure_of(std, 2)}"


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else factor * value


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _worded(unit: str) -> str:
    return unit.lower().replace("/", "_")
