"""Trains a model as a configuration says, from one seed, from several, or as an ensemble, and keeps what it came to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from pydantic import ValidationError
from torch import nn

from grapevine.data.download import Progress
from grapevine.data.structure_files import refuse_potential
from grapevine.errors import InputError, check
from grapevine.recipes.config import TrainConfig
from grapevine.recipes.models import build_network, decayed
from grapevine.recipes.problem import Problem, posed
from grapevine.recipes.result import Scores, TrainResult, epoch_table, prediction_table
from grapevine.recipes.source import Loaded, load
from grapevine.recipes.trained import Inputs, Trained, calibrated
from grapevine.task.any_objective import AnyObjective, in_words
from grapevine.task.task import PARTS
from grapevine.train.ensemble import Members
from grapevine.train.loop import fit
from grapevine.train.record import Epoch, Fit
from grapevine.train.run import Run, RunFolder


def train(
    config: TrainConfig,
    *,
    out: Path | None = None,
    loaded: Loaded | None = None,
    has_report: bool = True,
    on_progress: Progress | None = None,
) -> TrainResult:
    """Train what the configuration says.

    Args:
        out: where to make the run folder; None keeps nothing on disk.
        loaded: the data, where it is loaded already.
        has_report: whether the run folder gets a report.html.
        on_progress: is told what is trained, the epoch, and how many there can be.

    Raises:
        InputError: if the data lacks something, or `out` can not be written to.
        DivergedError: if the loss is no number any more.

    >>> from grapevine.recipes.models import model_config, training_settings
    >>> from grapevine.recipes.source import Source
    >>> training = training_settings("gcn", level="node").model_copy(update={"max_epochs": 5})
    >>> model = model_config("gcn", level="node")
    >>> result = train(TrainConfig(name="karate", source=Source(dataset="karate"), model=model, training=training))
    >>> result.fits[0].epochs
    5
    """
    check(config.seeds == 1 or config.members == 1, "say how many seeds or how many members, not both")
    loaded = load(config.source, on_progress=on_progress) if loaded is None else loaded
    problem = posed(config.task, loaded, config.prepare)
    config = _resolved(config, problem, loaded)
    if out is None:
        return _train(config, loaded, problem, None, on_progress)
    folder = RunFolder.begin(Path(out), config.name, recipe_of(config))
    return _kept(folder, config, loaded, problem, has_report, on_progress)


def keep(result: TrainResult, out: Path, *, has_report: bool = True) -> TrainResult:
    """Make the run folder of a training that was kept in memory, as that of the best of several models.

    Raises:
        InputError: if `out` can not be written to.
    """
    folder = RunFolder.begin(Path(out), result.config.name, recipe_of(result.config))
    try:
        return _finished(folder, result, has_report)
    except Exception:
        folder.discard()
        raise


def resume(path: Path, *, on_progress: Progress | None = None) -> TrainResult:
    """Take up a training that was interrupted, to the end that it would have come to.

    Raises:
        InputError: if there is no unfinished run at this path.
    """
    folder = RunFolder.resume(Path(path))
    config = read_config(folder.recipe)
    loaded = load(config.source, on_progress=on_progress)
    problem = posed(config.task, loaded, config.prepare)
    return _kept(folder, config, loaded, problem, True, on_progress)


def recipe_of(config: TrainConfig) -> dict[str, Any]:
    """The configuration as config.toml holds it."""
    return config.model_dump(mode="json", exclude_none=True)


def read_config(recipe: Mapping[str, Any]) -> TrainConfig:
    """The configuration that a config.toml holds.

    Raises:
        InputError: if it holds something else.
    """
    refuse_potential(recipe)
    try:
        return TrainConfig.model_validate(recipe)
    except ValidationError as error:
        raise InputError(f"this is no configuration of a training: {in_words(error)}") from None


def fit_once(
    config: TrainConfig,
    problem: Problem,
    seed: int,
    *,
    checkpoints: Path | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[nn.Module, Fit]:
    """One network from one seed; the caller's random numbers go on undisturbed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = problem.settled(config.model)
        network = build_network(model, problem.graph, problem.task.objective, level=problem.level)
    chosen = decayed(network, config.model)
    settings = config.training.model_copy(update={"seed": seed})
    return network, fit(network, problem.task, settings, checkpoints=checkpoints, decayed=chosen, on_epoch=on_epoch)


def _resolved(config: TrainConfig, problem: Problem, loaded: Loaded) -> TrainConfig:
    source = config.source.absolute()
    if loaded.encoders is not None:
        field = "table" if loaded.tables is not None else "molecules"
        source = source.model_copy(update={field: loaded.encoders.spec})
    model = problem.settled(config.model)
    return config.model_copy(update={"task": problem.config, "source": source, "model": model})


def _kept(
    folder: RunFolder, config: TrainConfig, loaded: Loaded, problem: Problem, has_report: bool,
    on_progress: Progress | None,
) -> TrainResult:  # fmt: skip
    """Train into a run folder; one that failed is not left behind, one that was stopped is."""
    try:
        return _finished(folder, _train(config, loaded, problem, folder.checkpoints, on_progress), has_report)
    except Exception:
        folder.discard()
        raise


def _finished(folder: RunFolder, result: TrainResult, has_report: bool) -> TrainResult:
    """Write what the training came to and close the folder."""
    report = None
    if has_report:
        from grapevine.recipes.write_report import make_report  # imports what draws, a second

        report = make_report(result)
    encoders = result.loaded.encoders
    run = Run(
        result.trained.weights(), result.trained.to_dict(), result.to_dict(), recipe_of(result.config),
        epochs=epoch_table(result.fits), predictions=result.predictions,
        encoder=None if encoders is None else encoders.to_dict(), rejected=result.loaded.rejected, report=report,
    )  # fmt: skip
    return replace(result, folder=folder.finish(run))


def _train(
    config: TrainConfig, loaded: Loaded, problem: Problem, checkpoints: Path | None, on_progress: Progress | None
) -> TrainResult:
    number = max(config.seeds, config.members)
    networks, fits = [], []
    for k in range(number):
        seed = config.training.seed + k
        what = f"{config.model.name}, {'member' if config.members > 1 else 'seed'} {k + 1} of {number}"
        folder = None if checkpoints is None else checkpoints / f"seed-{seed}"
        report = None if on_progress is None else _reporter(on_progress, what, config.training.max_epochs)
        network, one = fit_once(config, problem, seed, checkpoints=folder, on_epoch=report)
        networks.append(network)
        fits.append(one)
    if config.members == 1:
        networks = [networks[_best(problem, fits)]]
    trained = Trained(
        networks=Members(networks).eval(),
        config=config.model,
        objective=cast(AnyObjective, problem.task.objective),
        level=problem.level,
        inputs=Inputs.of(problem.graph),
        encoders=loaded.encoders,
        class_names=loaded.dataset.class_names,
        prepare=config.prepare,
    )
    answers, part = problem.task.all_answers(trained.networks)
    is_val = part == PARTS.index("val")
    if bool(is_val.any()):
        trained = calibrated(trained, answers.output[is_val], answers.target[is_val])
    scores = _merged_scores(problem, trained) if config.members > 1 else _over_seeds(fits, np.mean)
    return TrainResult(
        config=config,
        notes=(*loaded.notes, *problem.notes),
        loaded=loaded,
        problem=problem,
        trained=trained,
        fits=tuple(fits),
        scores=scores,
        spread=_over_seeds(fits, partial(np.std, ddof=1)) if config.seeds > 1 else {},
        predictions=prediction_table(trained, problem, answers, part),
    )


def _reporter(on_progress: Progress, what: str, max_epochs: int) -> Callable[[Epoch], None]:
    return lambda epoch: on_progress(what, epoch.number, max_epochs)


def _best(problem: Problem, fits: list[Fit]) -> int:
    """The seed with the best validation metric; the first one where there is none."""
    objective = problem.task.objective
    sign = 1 if objective.is_higher_better else -1
    values = [sign * one.scores["val"].get(objective.metric, float("-inf")) for one in fits]
    return max(range(len(fits)), key=lambda k: values[k] if values[k] == values[k] else float("-inf"))


def _merged_scores(problem: Problem, trained: Trained) -> Scores:
    """What the members say together."""
    scores: dict[str, dict[str, float]] = {}
    for part, said in problem.task.answers(trained.networks, PARTS).items():
        is_asked = len(said.target) > 0
        scores[part] = problem.task.objective.scores(trained.merged(said.output), said.target) if is_asked else {}
    return scores


def _over_seeds(fits: list[Fit], how: Callable) -> Scores:
    return {
        part: {metric: float(how([one.scores[part][metric] for one in fits])) for metric in fits[0].scores[part]}
        for part in PARTS
    }
