"""What a training came to: the model, its scores, a row for each item and each epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from torch import Tensor

from grapevine.recipes.config import TrainConfig
from grapevine.recipes.problem import Problem
from grapevine.recipes.source import Loaded
from grapevine.recipes.trained import Trained
from grapevine.report.data import Comparison
from grapevine.task.task import PARTS, Answers
from grapevine.train.record import Fit

Scores = Mapping[Any, Mapping[str, float]]  # by part and metric


@dataclass(frozen=True)
class TrainResult:
    """What a training came to.

    Args:
        config: with all that was inferred filled in: trained again it gives the same model.
        notes: what was found and inferred, a sentence each.
        trained: the model: of several seeds the one with the best validation metric, not the best test.
        fits: one for each seed or member.
        scores: by part and metric; of several seeds the mean, of an ensemble what its members say together.
        spread: the standard deviation over seeds; empty for one seed and for an ensemble.
        predictions: what the model says of each item, under the user's names.
        comparison: the models that were tried before, if any.
        folder: the run folder, if one was asked for.
    """

    config: TrainConfig
    notes: tuple[str, ...]
    loaded: Loaded
    problem: Problem
    trained: Trained
    fits: tuple[Fit, ...]
    scores: Scores
    spread: Scores
    predictions: pl.DataFrame
    comparison: Comparison | None = None
    folder: Path | None = None

    @property
    def seconds(self) -> float:
        """What the trainings took together."""
        return sum(one.seconds for one in self.fits)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the health monitors said, each once."""
        return tuple(dict.fromkeys(warning for one in self.fits for warning in one.warnings))

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain numbers and words, for JSON."""
        training = self.config.training
        return {
            "name": self.config.name,
            "model": self.config.model.name,
            "level": self.problem.level,
            "metric": self.trained.objective.metric,
            "scores": {part: dict(values) for part, values in self.scores.items()},
            "spread": {part: dict(values) for part, values in self.spread.items()},
            "seeds": [training.seed + k for k in range(len(self.fits))],
            "members": self.config.members,
            "best_epochs": [one.best_epoch for one in self.fits],
            "epochs": [one.epochs for one in self.fits],
            "each": [{part: dict(values) for part, values in one.scores.items()} for one in self.fits],
            "parameters": self.trained.num_parameters,
            "seconds": self.seconds,
            "temperature": self.trained.temperature,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "rejected": 0 if self.loaded.rejected is None else len(self.loaded.rejected),
            "comparison": None if self.comparison is None else _rows(self.comparison),
        }


def prediction_table(trained: Trained, problem: Problem, answers: Answers, part: Tensor) -> pl.DataFrame:
    """Who each row is about, its part, its answer if it is known, and what the model says."""
    names = problem.dataset.ids
    items = answers.items.cpu().numpy()
    if problem.level == "edge":
        items = problem.dataset.graph.adj.edge_index.cpu().numpy()[:, items]
    columns = {"id": items} if items.ndim == 1 else {"src": items[0], "dst": items[1]}
    named = {key: value if names is None else np.asarray(names)[value] for key, value in columns.items()}
    parts = np.array([*PARTS, ""], dtype=object)[part.cpu().numpy()].astype(str)  # -1 is the last one: in no part
    head = pl.DataFrame({**named, "part": parts})
    return pl.concat([head, trained.targets(answers.target), trained.frame(answers.output)], how="horizontal")


def epoch_table(fits: tuple[Fit, ...]) -> pl.DataFrame:
    """A row for each epoch of each seed or member."""
    rows = [{"seed": k, **epoch.row()} for k, one in enumerate(fits) for epoch in one.history]
    return pl.DataFrame(rows, infer_schema_length=None)


def _rows(comparison: Comparison) -> list[dict[str, Any]]:
    return [
        {
            "model": row.name,
            comparison.metric: row.score.mean,
            "std": row.score.std,
            "parameters": row.num_parameters,
            "seconds": row.seconds,
            "chosen": row.name == comparison.chosen,
        }
        for row in comparison.rows
    ]
