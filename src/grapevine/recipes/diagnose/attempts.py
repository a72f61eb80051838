"""Tries the remedies one after another under a budget of time, and says which helped and by how much.

Each is trained from the same seeds as the baseline and judged by the validation part; "helps" means that the means
differ by more than the two spreads, sqrt(s_1^2 + s_2^2). The test part is looked at once, for the one that won.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

import numpy as np

from grapevine.data.download import Progress
from grapevine.errors import InputError, check
from grapevine.recipes.config import TrainConfig
from grapevine.recipes.diagnose.command import command_of
from grapevine.recipes.diagnose.remedies import Change
from grapevine.recipes.diagnose.subject import Subject
from grapevine.recipes.train import train
from grapevine.report.data import Score
from grapevine.report.diagnosis.data import Attempt, Attempts
from grapevine.train.record import DivergedError

SEEDS = 3
_LEAST = 2.0  # seconds that must be left to begin one more training


@dataclass
class _Tried:
    """The values of a configuration, seed by seed."""

    config: TrainConfig
    val: list[float]
    test: list[float]
    seconds: float = 0.0
    note: str = ""


def try_changes(
    subject: Subject,
    base: TrainConfig,
    changes: Sequence[Change],
    *,
    minutes: float = 5.0,
    on_progress: Progress | None = None,
) -> Attempts:
    """Train the baseline and then each change, as long as the budget lasts.

    A training that is under way when the budget ends comes to an early end, and is said to have.

    Raises:
        InputError: for a budget of no time, or data without a validation part to judge by.
    """
    check(minutes > 0, f"the budget must be a positive number of minutes, got {minutes:g}")
    problem = subject.problem
    if problem is None:
        raise InputError("there are no answers to learn from, so nothing can be tried")
    objective = problem.task.objective
    trials = _Trials(subject, monotonic() + 60 * minutes, on_progress)
    before = trials.run("the baseline", base.model_copy(update={"seeds": 1, "members": 1}), None)
    check(len(before.val) > 0, f"the baseline did not train: {before.note}")
    done: list[tuple[Change, _Tried]] = []
    for k, change in enumerate(changes):
        config = change.of(base)
        if trials.left() < max(_LEAST, 0.5 * before.seconds / max(len(before.val), 1)):
            done.append((change, _Tried(config, [], [], note="not tried: the budget was spent")))
        else:
            done.append((change, trials.run(f"{k + 1} of {len(changes)}: {change.title}", config, before)))
    sign = 1 if objective.is_higher_better else -1
    baseline = _attempt(f"{base.model.name} (baseline)", before, None, sign)
    rows = tuple(_attempt(change.title, one, before, sign) for change, one in done)
    helped = [k for k, row in enumerate(rows) if row.helps]
    winner = max(helped, key=lambda k: rows[k].gain or 0.0) if helped else None
    test = None
    if winner is not None and done[winner][1].test and before.test:
        test = _score(done[winner][1].test), _score(before.test)
    words = _in_words(objective.metric, baseline, rows, winner, test)
    return Attempts(objective.metric, objective.is_higher_better, minutes, baseline, rows, winner, test, words)


class _Trials:
    """Trains under a common end."""

    def __init__(self, subject: Subject, end: float, on_progress: Progress | None):
        self.subject, self.end, self.on_progress = subject, end, on_progress

    def left(self) -> float:
        """Seconds."""
        return self.end - monotonic()

    def run(self, title: str, config: TrainConfig, before: _Tried | None) -> _Tried:
        """Seed by seed, while the next is likely to end in time."""
        found, begin = _Tried(config, [], []), monotonic()
        metric = self.subject.problem.task.objective.metric if self.subject.problem is not None else ""
        count = SEEDS if before is None else max(len(before.val), 1)
        for k in range(count):
            spent = monotonic() - begin
            if k and self.left() < spent / k:
                found.note = f"{k} seed{'s' if k > 1 else ''}: the budget was spent"
                break
            if self.on_progress is not None:
                self.on_progress(f"trying {title}, seed {k + 1}", k, count)
            bound = max(self.left(), _LEAST) / 60
            limit = min(bound, config.training.max_minutes or bound)
            settings = config.training.model_copy(update={"seed": config.training.seed + k, "max_minutes": limit})
            try:
                result = train(config.model_copy(update={"training": settings}), loaded=self.subject.loaded)
            except (InputError, DivergedError) as error:
                found.note = f"it does not train here: {error}"
                break
            if self.left() <= 0:
                found.note = "its last training was ended by the budget"
            found.val.append(result.scores["val"].get(metric, float("nan")))
            found.test.append(result.scores["test"].get(metric, float("nan")))
        found.seconds = monotonic() - begin
        return found


def _attempt(title: str, tried: _Tried, before: _Tried | None, sign: int) -> Attempt:
    command = command_of(tried.config)
    if not tried.val:
        return Attempt(title, command, None, seconds=tried.seconds, note=tried.note)
    score, gain, helps = _score(tried.val), None, None
    if before is not None:
        gain = sign * (score.mean - float(np.mean(before.val)))
        helps = _is_beyond_chance(gain, tried.val, before.val)
    return Attempt(title, command, score, len(tried.val), tried.seconds, gain, helps, tried.note)


def _is_beyond_chance(gain: float, one: Sequence[float], other: Sequence[float]) -> bool | None:
    """Whether a gain is more than the two spreads; None where there is no spread to measure it by."""
    if min(len(one), len(other)) < 2:
        return None if gain > 0 else False
    return bool(gain > np.sqrt(np.var(one, ddof=1) + np.var(other, ddof=1)) and gain > 0)


def _score(values: Sequence[float]) -> Score:
    return Score(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None)


def _in_words(
    metric: str, baseline: Attempt, rows: Sequence[Attempt], winner: int | None, test: tuple[Score, Score] | None
) -> str:
    tried = [row for row in rows if row.score is not None]
    left = len(rows) - len(tried)
    rest = f" {left} of the list {'was' if left == 1 else 'were'} not tried." if left else ""
    if not tried:
        return f"Nothing was tried: the budget went into the baseline.{rest}"
    if winner is not None:
        best = rows[winner]
        assert best.score is not None
        assert baseline.score is not None
        said = (
            f"{best.title} helped: {_told(best.score)} on the validation part, where {baseline.title} has "
            f"{_told(baseline.score)} ({metric}, {best.num_seeds} seeds)."
        )
        if test is not None:
            said += f" On the test part, looked at for it alone: {_told(test[0])}, beside {_told(test[1])}."
        return said + rest
    promising = [row for row in tried if row.helps is None and (row.gain or 0) > 0]
    if promising:
        best = max(promising, key=lambda row: row.gain or 0.0)
        return f"{best.title} did better, from one seed: whether it helps can not be said, give a larger budget.{rest}"
    best = max(tried, key=lambda row: row.gain if row.gain is not None else -np.inf)
    return (
        f"Nothing that was tried helped by more than the spread over seeds; the nearest was {best.title}, "
        f"{_signed(best.gain)}.{rest}"
    )


def _told(score: Score) -> str:
    return f"{score.mean:.4g}" + ("" if score.std is None else f" ± {score.std:.2g}")


def _signed(gain: float | None) -> str:
    return "unknown" if gain is None else f"{gain:+.3g}"
