"""Tries several models under one budget and takes the best on the validation part, the plain ones among them.

A graph network that does no better than an MLP, which sees no edges, or than boosted trees on the same features, has
learnt nothing from the graph: so they stand in the same table, and so does the guess that looks at nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isnan

from grapevine.data.download import Progress
from grapevine.errors import check
from grapevine.recipes.baselines import PLAIN, Baseline
from grapevine.recipes.config import TrainConfig
from grapevine.recipes.models import MODELS, ModelName, obstacle
from grapevine.recipes.problem import Problem
from grapevine.recipes.result import Scores, TrainResult
from grapevine.recipes.source import Loaded
from grapevine.recipes.train import train
from grapevine.report.data import Comparison, ModelRow, Score
from grapevine.task.task import Part
from grapevine.train.record import DivergedError

AUTO = ("mlp", "gcn", "sage", "gat", "gin")


@dataclass(frozen=True)
class Choice:
    """What trying came to: the training of the best network, with the table of all, and why others are not in it."""

    result: TrainResult
    notes: tuple[str, ...] = ()


def fitting_models(loaded: Loaded, problem: Problem, names: Sequence[str] = AUTO) -> tuple[list[str], list[str]]:
    """Those of the models that fit the data, and a sentence for each that does not.

    Raises:
        InputError: if none does, or there is no such model.
    """
    for asked in names:
        check(asked in MODELS, f"there is no model {asked!r}; there are {', '.join(MODELS)}, and auto")
    known: list[ModelName] = [name for name in MODELS if name in set(names)]
    why = {name: obstacle(name, problem.graph, problem.level) for name in known}
    fitting = [name for name, reason in why.items() if reason is None]
    check(len(fitting) > 0, f"no model fits {loaded.dataset.name}: {'; '.join(str(r) for r in why.values())}")
    return fitting, [f"{name} is left out: {reason}" for name, reason in why.items() if reason is not None]


def choose(configs: Mapping[str, TrainConfig], *, loaded: Loaded, on_progress: Progress | None = None) -> Choice:
    """Train each configuration, and the plain models beside them, and take the best on the validation part.

    The plain models are for the table: chosen is a network, even where trees do better, which the table then says.

    Args:
        configs: by the name that the table shows; all of one task.

    Raises:
        InputError: if there is none.
        DivergedError: if all of them diverge.
    """
    check(len(configs) > 0, "there must be a model to try")
    rows: list[ModelRow] = []
    values: dict[str, float] = {}
    results: dict[str, TrainResult] = {}
    notes: list[str] = []
    for name, config in configs.items():
        try:
            result = train(config, loaded=loaded, on_progress=on_progress)
        except DivergedError as error:
            notes.append(f"{name} is left out: {error}")
            if len(notes) == len(configs):
                raise
            continue
        metric = result.trained.objective.metric
        sign = 1 if result.trained.objective.is_higher_better else -1
        value = result.scores["val"].get(metric, -sign * inf)
        values[name] = -inf if isnan(value) else sign * value
        results[name] = result
        rows.append(_row(name, result.scores, result.spread, metric, result.trained.num_parameters, result.seconds))
    best = max(values, key=lambda name: values[name])
    result = results[best]
    for baseline in _plain(result.problem, on_progress):
        rows.append(_row(baseline.name, baseline.scores, {}, result.trained.objective.metric, None, baseline.seconds))
    objective = result.trained.objective
    comparison = Comparison(objective.metric, _part(result.scores), tuple(rows), best, objective.is_higher_better)
    return Choice(replace(result, comparison=comparison), tuple(notes))


def _plain(problem: Problem, on_progress: Progress | None) -> list[Baseline]:
    """The models that are no networks; links have none, since a pair has no features of its own."""
    if problem.level == "link":
        return []
    found = []
    for name, fit in PLAIN.items():
        if on_progress is not None:
            on_progress(name, 0, 0)
        found.append(fit(problem.task))
    return found


def _part(scores: Scores) -> Part:
    return "test" if scores["test"] else "val"


def _row(
    name: str, scores: Scores, spread: Scores, metric: str, num_parameters: int | None, seconds: float
) -> ModelRow:
    part = _part(scores)
    std = spread[part].get(metric) if spread else None
    return ModelRow(name, Score(scores[part].get(metric, float("nan")), std), num_parameters, seconds)
