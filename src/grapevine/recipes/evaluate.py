"""How good a trained model is: on its own data, part by part, or on other data that hold answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.split import is_known
from grapevine.errors import InputError, check
from grapevine.recipes.apply import config_of, data_for, edge_items, graph_for, outputs
from grapevine.recipes.problem import posed
from grapevine.recipes.source import Loaded, Source
from grapevine.recipes.trained import Trained
from grapevine.task.task import PARTS, Answers, Part


@dataclass(frozen=True)
class Evaluation:
    """How good a model is.

    Args:
        metric: the one that chose the model.
        scores: every metric, by part, or under "all" for data that have no parts.
        counts: how many answers each part was judged by.
        notes: what was found in the data, a sentence each.
        rejected: the rows that could not be read.
    """

    metric: str
    scores: Mapping[str, Mapping[str, float]]
    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    rejected: pl.DataFrame | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "metric": self.metric,
            "scores": {part: dict(values) for part, values in self.scores.items()},
            "counts": dict(self.counts),
            "notes": list(self.notes),
            "rejected": 0 if self.rejected is None else len(self.rejected),
        }


def evaluate(
    run: Path | str, source: Source | None = None, *, part: Part | None = None, on_progress: Progress | None = None
) -> Evaluation:
    """Judge a run's model.

    On the data it was trained on it is judged part by part, by the run's own split, and comes to the numbers that are
    in the run folder (of several seeds, to those of the one that was kept). Other data are judged as a whole, or by
    the part of a split that they come with; of links, by the pairs that are held out of them by the run's own rule.

    Args:
        source: the data; None: those that the run was trained on.
        part: train, val or test; None: every part, or all items.

    Raises:
        InputError: if there is no such run or data, they do not fit, or no answer is known.
    """
    check(part is None or part in PARTS, f"part must be one of {', '.join(PARTS)}, got {part!r}")
    trained, loaded = data_for(run, source, on_progress=on_progress)
    if source is None or trained.level == "link":
        answers = _by_parts(trained, loaded, run, PARTS if source is None else PARTS[1:])
        check(part is None or part in answers, f"of other data, {part} is not judged: their links are all new")
        chosen: dict[str, Answers] = {name: said for name, said in answers.items() if part in (None, name)}
    else:
        chosen = _whole(trained, loaded, outputs(trained, graph_for(trained, loaded), _items(trained, loaded)), part)
    counts = {name: int(is_known(said.target).sum()) for name, said in chosen.items()}
    known = {name: said for name, said in chosen.items() if counts[name]}
    check(len(known) > 0, f"{loaded.dataset.name} holds no known answer there to judge by")
    scores = {name: trained.objective.scores(_merged(trained, said), said.target) for name, said in known.items()}
    return Evaluation(trained.objective.metric, scores, counts, loaded.notes, loaded.rejected)


def _by_parts(trained: Trained, loaded: Loaded, run: Path | str, parts: tuple[Part, ...]) -> dict[str, Answers]:
    """What the model says on parts made by the run's own rule, as in training."""
    config = config_of(run)
    task = posed(config.task, loaded, config.prepare).task
    return {**task.answers(trained.networks, parts)}


def _items(trained: Trained, loaded: Loaded) -> Tensor | None:
    return edge_items(loaded) if trained.level == "edge" else None


def _whole(trained: Trained, loaded: Loaded, output: Tensor, part: Part | None) -> dict[str, Answers]:
    """All items of the data, or those of one part of the split that they come with."""
    dataset, level = loaded.dataset, trained.level
    held = dataset.graph.levels.get("y")
    check(held == level, f"{dataset.name} holds no answers of its {level}s to judge by")
    names = trained.class_names, dataset.class_names
    if None not in names and names[0] != names[1]:
        raise InputError(f"the model knows the classes {_listed(names[0])}, the data hold {_listed(names[1])}")
    items = _items(trained, loaded)
    target = trained.objective.prepare(dataset.graph.y)
    items = torch.arange(len(target)) if items is None else items
    is_asked = torch.ones(len(target), dtype=torch.bool)
    if part is not None:
        check(len(dataset.splits) > 0, f"{dataset.name} comes with no split, so there is no part {part} to judge by")
        is_asked = getattr(dataset.splits[0], part)
    asked = is_asked[items]
    output = output.cpu()[asked]
    return {part or "all": Answers(output, target[items[asked]], items[asked])}


def _merged(trained: Trained, said: Answers) -> Tensor:
    """As training judged: a single network by its own numbers, members by what they say together."""
    return trained.merged(said.output, is_calibrated=trained.num_members > 1)


def _listed(names: tuple[str, ...] | None) -> str:
    some = names or ()
    return ", ".join(some[:10]) + (", ..." if len(some) > 10 else "")
