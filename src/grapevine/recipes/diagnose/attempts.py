"""Tries the remedies one after another under a budget of time, and says which helped and by how much.

Each is trained from the baseline's first seed, and those that did better from its other seeds too. The validation part
judges; "helps" means that the means differ by more than the two spreads, sqrt(s_1^2 + s_2^2). The test part is looked
at once, for the one that won.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    val: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    seconds: float = 0.0
    note: str = ""
    has_failed: bool = False


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
    before = _Tried(base.model_copy(update={"seeds": 1, "members": 1}))
    for _ in range(SEEDS):
        trials.add_seed("the baseline", before)
    check(len(before.val) > 0, f"the baseline did not train: {before.note}")
    done = [(change, _Tried(change.of(base))) for change in changes]
    sign = 1 if objective.is_higher_better else -1
    _in_turn(trials, before, done, sign)
    baseline = _attempt(f"{base.model.name} (baseline)", before, None, sign)
    rows = tuple(_attempt(change.title, one, before, sign) for change, one in done)
    helped = [k for k, row in enumerate(rows) if row.helps]
    winner = max(helped, key=lambda k: rows[k].gain or 0.0) if helped else None
    test = None
    if winner is not None and done[winner][1].test and before.test:
        test = _score(done[winner][1].test), _score(before.test)
    words = _in_words(objective.metric, baseline, rows, winner, test)
    return Attempts(objective.metric, objective.is_higher_better, minutes, baseline, rows, winner, test, words)


def _in_turn(trials: "_Trials", before: _Tried, done: "Sequence[tuple[Change, _Tried]]", sign: int) -> None:
    """One seed of each, and then more of those that did better, the best first."""
    for k, (change, one) in enumerate(done):
        trials.add_seed(f"{k + 1} of {len(done)}: {change.title}", one)
    better = [pair for pair in done if pair[1].val and sign * (pair[1].val[0] - float(np.mean(before.val))) > 0]
    better.sort(key=lambda pair: -sign * pair[1].val[0])
    for change, one in better:
        for _ in range(1, len(before.val)):
            trials.add_seed(change.title, one)


class _Trials:
    """Trains under a common end."""

    def __init__(self, subject: Subject, end: float, on_progress: Progress | None):
        self.subject, self.end, self.on_progress = subject, end, on_progress

    def left(self) -> float:
        """Seconds."""
        return self.end - monotonic()

    def add_seed(self, title: str, tried: _Tried) -> None:
        """Train from the next seed, if it is likely to end in time and did not fail before."""
        count = len(tried.val)
        needed = max(_LEAST, tried.seconds / count if count else 0.0)
        if self.left() < needed or tried.has_failed:
            if not tried.note:
                tried.note = f"{count} seed{'s' * (count > 1)}: " * (count > 0) + "the budget was spent"
            return
        if self.on_progress is not None:
            self.on_progress(f"trying {title}, seed {count + 1}", count, SEEDS)
        begin, settings = monotonic(), tried.config.training
        limit = min(max(self.left(), _LEAST) / 60, settings.max_minutes or np.inf)
        settings = settings.model_copy(update={"seed": settings.seed + count, "max_minutes": limit})
        try:
            result = train(tried.config.model_copy(update={"training": settings}), loaded=self.subject.loaded)
        except (InputError, DivergedError) as error:
            tried.has_failed, tried.note = True, f"it does not train here: {error}"
            return
        metric = result.trained.objective.metric
        tried.val.append(result.scores["val"].get(metric, float("nan")))
        tried.test.append(result.scores["test"].get(metric, float("nan")))
        tried.seconds += monotonic() - begin
        if self.left() <= 0:
            tried.note = "its last training was ended by the budget"


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
