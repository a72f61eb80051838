"""What a report is made from: plain numbers, arrays and tables; what is None is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int, Shaped

from grapevine.errors import check
from grapevine.report.graph_statistics import GraphStatistics


@dataclass(frozen=True)
class Score:
    """A metric's value, and how far it is spread over seeds, folds or members."""

    mean: float
    std: float | None = None  # None: it was measured once


@dataclass(frozen=True)
class Headline:
    """The number that people came for.

    Args:
        metric: its name, as "accuracy".
        part: where it was measured, as "test".
        score: the chosen model's.
        times: over how many of what the spread is taken, as "10 seeds"; empty for a single run.
        baselines: what it is to be measured against, by name, as "MLP, no edges" or "most frequent class".
    """

    metric: str
    part: str
    score: Score
    times: str = ""
    is_higher_better: bool = True
    baselines: Mapping[str, Score] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRow:
    """A model that was tried: its score, and what it took."""

    name: str
    score: Score
    num_parameters: int | None = None
    seconds: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Models trained under one budget and scored alike, the chosen one among them."""

    metric: str
    part: str
    rows: tuple[ModelRow, ...]
    chosen: str
    is_higher_better: bool = True


@dataclass(frozen=True)
class TrainingLogs:
    """The epoch table of each seed or member (metrics.csv), the columns as in `grapevine.train.record.Epoch.row`.

    Args:
        logs: tables with the column epoch and any of loss, val_loss, val_metric, learning_rate, grad_norm,
            dead_units and similarity.LAYER; the first one is of the chosen model.
        best_epochs: the epoch whose weights were kept, for each table.
        metric: what val_metric is called.
        warnings: what tripped on the way.
    """

    logs: tuple[pl.DataFrame, ...]
    best_epochs: tuple[int | None, ...]
    metric: str = "metric"
    warnings: tuple[str, ...] = ()

    def __post_init__(self):
        check(len(self.logs) > 0, "training logs need at least one table")
        check(len(self.logs) == len(self.best_epochs), "each training log needs its best epoch, or None")
        check(all("epoch" in log.columns for log in self.logs), "a training log needs the column epoch")


@dataclass(frozen=True)
class ClassAnswers:
    """What the chosen model said of the items of one part whose class is asked; links are of two classes, no and yes.

    Args:
        name: of the target, as in the user's table.
        target: [k] the class of each item, -1 where it is unknown.
        probability: [k, c] of each class, calibrated if it was calibrated.
        before: [k, c] before temperature scaling, if there was one.
        ids: [k] what the user calls the items.
        smiles: [k] of each item, where they are molecules and their names say something else.
    """

    name: str
    part: str
    class_names: tuple[str, ...]
    target: Int[np.ndarray, " k"]
    probability: Float[np.ndarray, "k c"]
    before: Float[np.ndarray, "k c"] | None = None
    ids: Shaped[np.ndarray, " k"] | None = None
    smiles: Shaped[np.ndarray, " k"] | None = None

    def __post_init__(self):
        shape = (len(self.target), len(self.class_names))
        given = [self.probability] if self.before is None else [self.probability, self.before]
        for rows in given:
            check(rows.shape == shape, f"{self.name}: probabilities must be of shape {shape}, got {rows.shape}")
        for what, given in (("id", self.ids), ("SMILES", self.smiles)):
            is_fit = given is None or len(given) == shape[0]
            check(is_fit, f"{self.name}: there must be an {what} for each of {shape[0]}")


@dataclass(frozen=True)
class NumberAnswers:
    """What the chosen model said of the items of one part whose number is asked.

    Args:
        target, prediction: [k]; an unknown target is NaN.
        spread: [k] the standard deviation that the model, or its ensemble, claims.
        unit: of both, as "eV".
        smiles: [k] of each item, where they are molecules and their names say something else.
    """

    name: str
    part: str
    target: Float[np.ndarray, " k"]
    prediction: Float[np.ndarray, " k"]
    spread: Float[np.ndarray, " k"] | None = None
    ids: Shaped[np.ndarray, " k"] | None = None
    unit: str = ""
    smiles: Shaped[np.ndarray, " k"] | None = None

    def __post_init__(self):
        k = len(self.target)
        for what, given in (
            ("prediction", self.prediction), ("spread", self.spread), ("id", self.ids), ("SMILES", self.smiles),
        ):  # fmt: skip
            check(given is None or len(given) == k, f"{self.name}: there must be a {what} for each of the {k} targets")


@dataclass(frozen=True)
class Embeddings:
    """Where the model puts the items before its last layer; the report samples them and lays them out flat.

    Args:
        points: [k, d].
        value: [k] classes (integers, with their names) or numbers that colour them.
        is_wrong: [k] whether the model's class is not the item's.
    """

    points: Float[np.ndarray, "k d"]
    value: Shaped[np.ndarray, " k"]
    class_names: tuple[str, ...] | None = None
    is_wrong: Bool[np.ndarray, " k"] | None = None
    method: Literal["tsne", "pca"] = "tsne"


@dataclass(frozen=True)
class Reason:
    """Why rows of the user's files were left out: how many, and the first of them, as "line 7: a,,b"."""

    reason: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What an audit found, for instance a leak between parts; "error" means that the scores can not be trusted."""

    severity: Literal["error", "warning", "info"]
    message: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Problems:
    """What is wrong with the data.

    Args:
        rejected: rows that could not be read.
        unknown_categories, missing_values: how many cells, by column.
        findings: of the audit.
    """

    rejected: tuple[Reason, ...] = ()
    unknown_categories: Mapping[str, int] = field(default_factory=dict)
    missing_values: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class ReportData:
    """All that a report can say; what is None or empty is left out.

    Args:
        title: as "cora, GCN".
        question: one sentence: what was asked of what.
        headline: the number that people came for.
        scores: every metric by part.
        comparison: the models that were tried.
        training: how training went.
        answers: what the chosen model said, of each target.
        forces: of a potential, what it said of the forces on the atoms of each element.
        embeddings: where it puts the items.
        graph: the graph's statistics, `class_names` beside them.
        problems: what is wrong with the data.
        configuration: plain values, the run's config.toml.
        environment: versions, as from `environment()`.
    """

    title: str
    question: str = ""
    headline: Headline | None = None
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    comparison: Comparison | None = None
    training: TrainingLogs | None = None
    answers: tuple[ClassAnswers | NumberAnswers, ...] = ()
    forces: tuple[NumberAnswers, ...] = ()
    embeddings: Embeddings | None = None
    graph: GraphStatistics | None = None
    class_names: tuple[str, ...] | None = None
    problems: Problems | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
