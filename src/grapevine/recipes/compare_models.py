"""Trains every model under one budget on one split, and says what each came to and what it took.

Epochs, batches, the width of the states, the step and its fall (a cosine, down to nothing at the last epoch) are the
same for all, of graphs the average of the weights too; depth and readout are each model's own. Each is trained in a
fresh process, since what a process holds after one training hides what the next one takes.
"""

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf, isnan
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from grapevine.recipes.baselines import PLAIN, Plain
from grapevine.recipes.choose import fitting_models
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.model_table import Budget, ModelComparison, ModelScore
from grapevine.recipes.models import MODELS, build_network
from grapevine.recipes.models.config import HEADS_SIDE_BY_SIDE
from grapevine.recipes.plan import plan
from grapevine.recipes.problem import Problem, posed
from grapevine.recipes.result import Scores
from grapevine.recipes.source import Loaded, Source, load, source_of
from grapevine.recipes.train import fit_once
from grapevine.recipes.trained import Inputs
from grapevine.task.task import PARTS, Task
from grapevine.train.engine import make_engine
from grapevine.train.memory import with_peak
from grapevine.train.record import DivergedError

_ROUNDS = 3  # of a prediction that is timed; the median counts
_STEP, _WARMUP, _EMA = 5e-3, 2, 0.99  # of graphs

Told = Callable[[ModelScore, int, int], None]  # a row that is done, how many are, and how many there will be


def compare_models(
    source: Source | Path | str,
    *,
    models: Sequence[str] | None = None,
    budget: Budget | None = None,
    task: TaskConfig | None = None,
    loaded: Loaded | None = None,
    on_model: Told | None = None,
) -> ModelComparison:
    """Train each model once a seed under the budget, and beside them what is no network: boosted trees, a linear
    fit and a guess.

    A model that diverges or fails is a row with the reason, and the others go on.

    Args:
        models: their names; None: every one that there is. Those that do not fit the data are named in the notes.
        task: what is asked, and the split; by default what a training would take.
        loaded: the data, where they are loaded already.
        on_model: is told of each row when it is there.

    Raises:
        InputError: if there are no such data or models, or none fits.

    >>> budget = Budget(epochs=2, own_process=False)
    >>> [row.name for row in compare_models("karate", models=["mlp"], budget=budget).rows if row.num_parameters]
    ['mlp']
    """
    source = source if isinstance(source, Source) else source_of(str(source))
    budget = Budget() if budget is None else budget
    loaded = load(source) if loaded is None else loaded
    asked = (task or TaskConfig()).model_copy(update={"batch_size": budget.batch_size, "num_batches": None})
    problem = posed(asked, loaded)
    names, left_out = fitting_models(loaded, problem, list(MODELS if models is None else models))
    configs = [_config(name, source, problem, budget) for name in names]
    make_engine(configs[0].training)  # whether there is such a device
    rows: list[ModelScore] = []
    jobs: list[_Job] = [*configs, *(() if problem.level == "link" else PLAIN)]
    with TemporaryDirectory() as folder:
        place = Path(folder) / "problem"
        if budget.own_process:
            place.write_bytes(pickle.dumps(problem))
        for job in jobs:
            is_apart = budget.own_process and job != "guess"
            rows.append(_apart(place, job, budget) if is_apart else _here(problem, job, budget, is_alone=False))
            if on_model is not None:
                on_model(rows[-1], len(rows), len(jobs))
    objective, unit = problem.task.objective, loaded.dataset.about.get("unit")
    ordered = _best_first(rows, objective.metric, objective.is_higher_better)
    notes = (*loaded.notes, *problem.notes, *left_out)
    return ModelComparison(loaded.dataset.name, problem.level, objective.metric, unit, budget, ordered, notes)


_Job = TrainConfig | Plain


def _config(name: str, source: Source, problem: Problem, budget: Budget) -> TrainConfig:
    """A model's own settings, but for those that are the same for all."""
    config = plan(source, name, level=problem.level, task=problem.config)
    heads = config.model.heads if budget.hidden % config.model.heads == 0 else 1
    hidden = budget.hidden // heads if name in HEADS_SIDE_BY_SIDE else budget.hidden
    width = {"hidden_channels": hidden, "heads": heads, "state_channels": budget.hidden}
    length = {
        "max_epochs": budget.epochs, "patience": budget.epochs, "schedule": "cosine", "seed": budget.seed,
        "accelerator": budget.accelerator,
    }  # fmt: skip
    rate = budget.learning_rate or (_STEP if problem.level == "graph" else None)
    if rate is not None:
        length["learning_rate"] = rate
    if problem.level == "graph":
        length |= {"warmup_epochs": min(_WARMUP, budget.epochs - 1), "ema": _EMA}
    model = problem.settled(config.model.model_copy(update=width))
    return config.model_copy(update={"model": model, "training": config.training.model_copy(update=length)})


def _apart(place: Path, job: _Job, budget: Budget) -> ModelScore:
    """In a fresh process, which loky starts without a guard in the user's script."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    try:
        with ProcessPoolExecutor(1) as pool:
            return pool.submit(_read_and_try, place, job, budget, torch.get_num_threads()).result()
    except BrokenProcessPool:
        return ModelScore(_name(job), failed="its process was ended from outside, perhaps for want of memory")


def _read_and_try(place: Path, job: _Job, budget: Budget, threads: int) -> ModelScore:
    torch.set_num_threads(threads)
    return _here(pickle.loads(place.read_bytes()), job, budget, is_alone=True)


def _here(problem: Problem, job: _Job, budget: Budget, *, is_alone: bool) -> ModelScore:
    """In this process; whatever goes wrong with one model is told in its row."""
    try:
        row = _trained(problem, job, budget) if isinstance(job, TrainConfig) else _fitted(problem, job)
    except DivergedError as error:
        return ModelScore(_name(job), failed=f"it diverged: {error}")
    except Exception as error:
        return ModelScore(_name(job), failed=f"{type(error).__name__}: {error}")
    return row if is_alone else replace(row, memory=None)


def _name(job: _Job) -> str:
    return job.model.name if isinstance(job, TrainConfig) else job


def _trained(problem: Problem, config: TrainConfig, budget: Budget) -> ModelScore:
    """A network from each seed; the memory of the first training, the other times and figures of all."""
    _warm_up(config, problem)
    device = make_engine(config.training).device
    (network, first), memory = with_peak(lambda: fit_once(config, problem, budget.seed), device)
    fits = [first, *(fit_once(config, problem, budget.seed + k)[1] for k in range(1, budget.seeds))]
    means = _over(fits, lambda values: float(np.mean(values)))
    spread = _over(fits, lambda values: float(np.std(values, ddof=1))) if len(fits) > 1 else {}
    seconds = sum(one.seconds for one in fits) / len(fits)
    prediction = _prediction_seconds(network, problem.task.to(device))
    count = sum(p.numel() for p in network.parameters())
    return ModelScore(config.model.name, means, spread, count, seconds, prediction, memory)


def _warm_up(config: TrainConfig, problem: Problem) -> None:
    """One step on two nodes, so that what is loaded once in a process is not counted as the model's own."""
    graph, level = Inputs.of(problem.graph).example(), problem.level
    asked = {"link": torch.tensor([[0], [1]]), "edge": torch.tensor([0])}
    with torch.random.fork_rng():
        network = build_network(config.model, graph, problem.task.objective, level=level)
        step = torch.optim.Adam(network.parameters())
        network(graph, asked.get(level)).square().mean().backward()
        step.step()


def _fitted(problem: Problem, name: Plain) -> ModelScore:
    found, memory = with_peak(lambda: PLAIN[name](problem.task))
    return ModelScore(name, found.scores, seconds=found.seconds, memory=memory)


def _prediction_seconds(network: nn.Module, task: Task) -> float:
    """For a thousand items."""
    times, count = [], 1
    for _ in range(1 + _ROUNDS):
        begin = perf_counter()
        answers = task.all_answers(network)[0]
        count = len(answers.output.cpu())  # which waits for a GPU
        times.append(perf_counter() - begin)
    return 1000 * median(times[1:]) / max(count, 1)


def _over(fits: Sequence[Any], how: Callable[[list[float]], float]) -> Scores:
    return {
        part: {metric: how([one.scores[part][metric] for one in fits]) for metric in fits[0].scores[part]}
        for part in PARTS
    }


def _best_first(rows: Sequence[ModelScore], metric: str, is_higher_better: bool) -> tuple[ModelScore, ...]:
    part = "test" if any(row.scores.get("test") for row in rows) else "val"
    sign = -1 if is_higher_better else 1

    def place(row: ModelScore) -> tuple[bool, float]:
        value = sign * row.score(part, metric)
        return bool(row.failed), inf if isnan(value) else value

    return tuple(sorted(rows, key=place))
