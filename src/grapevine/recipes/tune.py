"""Searches a model's declared space for the settings that do best on the validation part."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grapevine.data.download import Progress
from grapevine.errors import check
from grapevine.recipes.config import TrainConfig
from grapevine.recipes.models import search_space, with_values
from grapevine.recipes.problem import posed
from grapevine.recipes.source import Loaded
from grapevine.recipes.train import fit_once
from grapevine.train.tune import tune as search


@dataclass(frozen=True)
class Search:
    """The configuration that did best, and a row for each trial: its settings and its validation metric."""

    config: TrainConfig
    trials: tuple[dict[str, Any], ...]


def tune(config: TrainConfig, trials: int, *, loaded: Loaded, on_progress: Progress | None = None) -> Search:
    """Try that many settings of the model, each trained once from the configuration's seed (Akiba et al. 2019).

    Only the validation part is looked at.

    Raises:
        InputError: if there is no validation part, or every trial diverges.
        ImportError: if Optuna is not installed.
    """
    problem = posed(config.task, loaded, config.prepare)
    objective = problem.task.objective
    space = search_space(config.model.name, level=problem.level)

    def value_of(values: Mapping[str, Any], report: Any) -> float:
        model, training = with_values(config.model, config.training, values)
        tried = config.model_copy(update={"model": model, "training": training})
        _, one = fit_once(tried, problem, training.seed)
        check(bool(one.scores["val"]), "tuning needs a validation part to choose by")
        return one.scores["val"][objective.metric]

    found = search(
        value_of, space, trials=trials, seed=config.training.seed, is_higher_better=objective.is_higher_better,
        on_progress=on_progress,
    )  # fmt: skip
    model, training = with_values(config.model, config.training, found.settings)
    rows = tuple({**trial.settings, objective.metric: trial.value} for trial in found.trials)
    return Search(config.model_copy(update={"model": model, "training": training}), rows)
