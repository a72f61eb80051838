"""Looks for better settings: tries some, learns where the good ones lie, and tries there.

J. Bergstra, R. Bardenet, Y. Bengio, B. Kegl, "Algorithms for hyper-parameter optimization", 2011 (TPE), by Optuna
(Akiba et al. 2019). Trials that fall behind the median of the others can be cut short.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

from grapevine.data.download import Progress
from grapevine.errors import InputError, check
from grapevine.train.record import DivergedError

if TYPE_CHECKING:
    import optuna

Value = float | int | str | bool | None
Report = Callable[[int, float], None]  # the epoch, and how good the trial is after it
Outcome = Literal["complete", "pruned", "failed"]


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both among them.

    Args:
        is_log: as many between 0.001 and 0.01 as between 0.01 and 0.1.
        is_whole: whole numbers alone.
    """

    low: float
    high: float
    is_log: bool = False
    is_whole: bool = False

    def __post_init__(self):
        check(self.low <= self.high, f"a range must not end before it begins, got {self.low} to {self.high}")
        check(not self.is_log or self.low > 0, f"a logarithmic range must begin above 0, got {self.low}")
        is_whole = float(self.low).is_integer() and float(self.high).is_integer()
        check(not self.is_whole or is_whole, f"a range of whole numbers must have whole ends, got {self}")


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[Value, ...]

    def __post_init__(self):
        check(len(self.values) > 0, "a choice needs at least one value")


@dataclass(frozen=True)
class Trial:
    """What was tried and what it came to; `value` is None of a trial that failed, for the `reason`."""

    number: int
    settings: Mapping[str, Value]
    value: float | None
    outcome: Outcome
    epochs: int
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Tuned:
    """The best trial's settings and value, and all trials in order."""

    settings: Mapping[str, Value]
    value: float
    trials: tuple[Trial, ...]


def tune(
    objective: Callable[[Mapping[str, Any], Report], float],
    space: Mapping[str, Range | Choice],
    *,
    trials: int = 30,
    seed: int = 0,
    is_higher_better: bool = True,
    is_pruned: bool = False,
    on_progress: Progress | None = None,
) -> Tuned:
    """Try that many settings from the space; the same seed tries the same ones.

    Args:
        objective: is given one setting of each name, and returns how good they are, on the validation part. It may
            tell its second argument of each epoch, which ends trials that fall behind if `is_pruned`.
        on_progress: is told of each finished trial.

    Raises:
        InputError: if the space is empty or every trial failed; a trial fails if it diverges or its value is NaN.
        ImportError: if Optuna is not installed.

    >>> found = tune(lambda settings, report: -((settings["x"] - 3) ** 2), {"x": Range(0, 10)}, trials=40)
    >>> abs(found.settings["x"] - 3) < 0.5, len(found.trials)
    (True, 40)
    """
    optuna = _optuna()
    check(len(space) > 0, "there must be something to choose from: the space is empty")
    check(trials >= 1, f"there must be at least one trial, got {trials}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize" if is_higher_better else "minimize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_warmup_steps=10) if is_pruned else optuna.pruners.NopPruner(),
    )
    done = []
    for number in range(trials):
        done.append(_tried(study, objective, space, number))
        if on_progress is not None:
            on_progress("tuning", number + 1, trials)
    complete = [trial for trial in done if trial.outcome == "complete"]
    reasons = "; ".join(sorted({trial.reason for trial in done if trial.reason}))
    check(len(complete) > 0, f"none of the {trials} trials came to an end: {reasons}")
    best = (max if is_higher_better else min)(complete, key=lambda trial: trial.value)
    return Tuned(best.settings, best.value, tuple(done))


def _tried(study: "optuna.Study", objective: Callable, space: Mapping[str, Range | Choice], number: int) -> Trial:
    import optuna

    begin, trial, epochs = perf_counter(), study.ask(), [0]
    settings = {name: _suggested(trial, name, range_) for name, range_ in space.items()}

    def report(epoch: int, value: float) -> None:
        epochs[0] = epoch
        if value == value:  # of NaN nothing can be learnt
            trial.report(value, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned

    value, outcome, reason = None, "complete", ""
    try:
        value = float(objective(settings, report))
        if value != value:
            value, outcome, reason = None, "failed", "its value is NaN"
    except optuna.TrialPruned:
        outcome = "pruned"
    except DivergedError as error:
        outcome, reason = "failed", str(error)
    states = {"complete": optuna.trial.TrialState.COMPLETE, "pruned": optuna.trial.TrialState.PRUNED}
    study.tell(trial, value, state=states.get(outcome, optuna.trial.TrialState.FAIL))
    if outcome == "pruned":
        value = study.trials[trial.number].value
    return Trial(number, settings, value, outcome, epochs[0], perf_counter() - begin, reason)


def _suggested(trial: "optuna.Trial", name: str, options: Range | Choice) -> Value:
    if isinstance(options, Choice):
        return trial.suggest_categorical(name, options.values)
    if not isinstance(options, Range):
        raise InputError(f"{name} must have a Range or a Choice, got {type(options).__name__}")
    if options.is_whole:
        return trial.suggest_int(name, int(options.low), int(options.high), log=options.is_log)
    return trial.suggest_float(name, options.low, options.high, log=options.is_log)


def _optuna():
    try:
        import optuna
    except ImportError as error:
        raise ImportError("tuning needs Optuna: pip install grapevine-gnn[tune]") from error
    return optuna
