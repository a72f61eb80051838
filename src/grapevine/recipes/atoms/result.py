"""What training a potential came to: the potential, its scores beside the baselines, a row for each structure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from grapevine.graph import Graph
from grapevine.recipes.atoms.apply import Said, Scores
from grapevine.recipes.atoms.config import AtomsConfig
from grapevine.recipes.atoms.data import AtomsData
from grapevine.recipes.atoms.trained import TrainedPotential
from grapevine.task.energy_forces import UNITS
from grapevine.task.task import PARTS
from grapevine.train.record import Fit


@dataclass(frozen=True)
class AtomsResult:
    """What a training came to.

    Args:
        config: with all that was found filled in: trained again it gives the same potential.
        notes: what was found and inferred, a sentence each.
        metric: the one that is shown first.
        fits: one for each part of training.
        said: what the potential says of every structure.
        scores: by part and metric, in `UNITS`.
        baselines: the same by the name of the baseline.
        folder: the run folder, if one was asked for.
    """

    config: AtomsConfig
    notes: tuple[str, ...]
    data: AtomsData
    trained: TrainedPotential
    metric: str
    fits: tuple[Fit, ...]
    said: Said
    scores: Mapping[str, Scores]
    baselines: Mapping[str, Mapping[str, Scores]]
    folder: Path | None = None

    @property
    def seconds(self) -> float:
        """What training took."""
        return sum(one.seconds for one in self.fits)

    @property
    def epochs(self) -> int:
        return sum(one.epochs for one in self.fits)

    @property
    def best_epoch(self) -> int:
        """Counted over all parts of training."""
        return sum(one.epochs for one in self.fits[:-1]) + self.fits[-1].best_epoch

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the health monitors said, each once."""
        return tuple(dict.fromkeys(warning for one in self.fits for warning in one.warnings))

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain numbers and words, for JSON."""
        rejected = self.data.rejected
        return {
            "name": self.config.name,
            "model": self.config.model.name,
            "level": "structure",
            "metric": self.metric,
            "units": dict(UNITS),
            "scores": {part: dict(values) for part, values in self.scores.items()},
            "spread": {},
            "baselines": {name: {part: dict(of) for part, of in one.items()} for name, one in self.baselines.items()},
            "seeds": [self.config.training.seed],
            "members": 1,
            "best_epochs": [self.best_epoch],
            "epochs": [self.epochs],
            "stopped_because": [one.stopped_because for one in self.fits],
            "parameters": self.trained.num_parameters,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
            "rejected": 0 if rejected is None else len(rejected),
        }


def structure_table(data: AtomsData, said: Said) -> pl.DataFrame:
    """A row for each structure: its part, its energy and what is said of it, and how far off its forces are."""
    parts = np.full(data.graph.num_graphs, "", dtype=object)
    for part in PARTS:
        parts[getattr(data.split, part).numpy()] = part
    head = pl.DataFrame({"id": [str(one) for one in data.ids], "part": parts.astype(str)})
    return pl.concat([head, said_table(data.graph, said)], how="horizontal")


def said_table(graph: Graph, said: Said) -> pl.DataFrame:
    """What is said of each structure, and where it is known what is so."""
    columns: dict[str, Any] = {"num_atoms": graph.ptr.diff().numpy(), "energy": said.energy.numpy()}
    known = graph.graph.get("energy")
    if isinstance(known, torch.Tensor):
        columns["energy_target"] = pl.Series(known.double().numpy(), nan_to_null=True)
    forces = graph.node.get("forces")
    if said.forces is not None and isinstance(forces, torch.Tensor):
        error = structure_force_errors(graph, said)
        columns["forces_mae"] = pl.Series(error, nan_to_null=True)
    return pl.DataFrame(columns)


def structure_force_errors(graph: Graph, said: Said) -> np.ndarray:
    """[g] the mean absolute error of the force components of each structure, eV/angstrom; NaN where none is known."""
    assert said.forces is not None
    error = (said.forces - graph.forces).abs().mean(1)
    total = torch.zeros(graph.num_graphs, dtype=torch.float64).index_add_(0, graph.graph_id, error.double())
    return (total / graph.ptr.diff().double()).numpy()


def epoch_rows(fits: tuple[Fit, ...]) -> pl.DataFrame:
    """A row for each epoch, those of a later part of training counted on."""
    rows, before = [], 0
    for stage, one in enumerate(fits, 1):
        rows += [{"stage": stage, **epoch.row(), "epoch": before + epoch.number} for epoch in one.history]
        before += one.epochs
    return pl.DataFrame(rows, infer_schema_length=None)
