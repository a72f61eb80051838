"""Tuning finds a planted optimum, better than chance, repeats itself and outlives trials that fail."""

import math

import pytest
import torch

from grapevine.errors import InputError
from grapevine.train.loop import fit
from grapevine.train.record import DivergedError, Fit
from grapevine.train.settings import Settings
from grapevine.train.tune import Choice, Range, tune
from tests.train.cases import Nodes, plain, two_classes

SPACE = {
    "rate": Range(1e-5, 1, is_log=True),
    "width": Range(1, 64, is_whole=True),
    "kind": Choice(("flat", "steep")),
}


def planted(settings, report):
    """Lowest, 0, at rate 0.01, width 20 and the steep kind."""
    off = abs(math.log10(settings["rate"]) + 2) + abs(settings["width"] - 20) / 20
    return off + (settings["kind"] == "flat")


def test_it_finds_the_optimum_and_repeats_itself():
    first = tune(planted, SPACE, trials=60, is_higher_better=False, seed=1)
    again = tune(planted, SPACE, trials=60, is_higher_better=False, seed=1)
    assert first.settings["kind"] == "steep"
    assert first.value < 0.5
    assert first.value == min(trial.value for trial in first.trials)
    assert [t.settings for t in first.trials] == [t.settings for t in again.trials]
    assert isinstance(first.settings["width"], int)
    early, late = (sum(t.value for t in part) for part in (first.trials[:10], first.trials[-10:]))
    assert late < early


def test_trials_that_fall_behind_are_cut_short():
    def climbing(settings, report):
        for epoch in range(1, 41):
            report(epoch, settings["slope"] * epoch)
        return settings["slope"] * 40

    told = []
    found = tune(
        climbing, {"slope": Range(0, 1)}, trials=20, is_pruned=True, on_progress=lambda *news: told.append(news)
    )
    pruned = [trial for trial in found.trials if trial.outcome == "pruned"]
    assert pruned
    assert all(trial.epochs < 40 for trial in pruned)
    assert told[-1] == ("tuning", 20, 20)


def test_a_trial_that_fails_is_told_and_left_behind():
    def sometimes(settings, report):
        if settings["x"] > 0.5:
            raise DivergedError("it blew up", where="the loss", fit=Fit(0, 0, 0.0, (), {}, "diverged"))
        return math.nan if settings["x"] > 0.3 else settings["x"]

    found = tune(sometimes, {"x": Range(0, 1)}, trials=30)
    reasons = {trial.reason for trial in found.trials if trial.outcome == "failed"}
    assert reasons == {"it blew up", "its value is NaN"}
    assert found.value <= 0.3
    with pytest.raises(InputError, match="none of the 3 trials came to an end: its value is NaN"):
        tune(lambda settings, report: math.nan, {"x": Range(0, 1)}, trials=3)


def test_it_tunes_training():
    task = Nodes(two_classes())

    def objective(settings, report):
        done = fit(
            plain(), task, Settings(max_epochs=20, stop_on="metric", **settings),
            on_epoch=lambda epoch: report(epoch.number, epoch.val_metric),
        )  # fmt: skip
        return done.scores["val"]["accuracy"]

    torch.manual_seed(0)
    found = tune(objective, {"learning_rate": Range(1e-5, 0.1, is_log=True)}, trials=8)
    assert found.value > 0.7
    assert {trial.epochs for trial in found.trials} == {20}


def test_wrong_spaces_are_refused():
    for wrong in (
        {"low": 2, "high": 1},
        {"low": 0, "high": 1, "is_log": True},
        {"low": 0.5, "high": 2, "is_whole": True},
    ):
        with pytest.raises(InputError, match="range"):
            Range(**wrong)
    with pytest.raises(InputError, match="at least one value"):
        Choice(())
    with pytest.raises(InputError, match="the space is empty"):
        tune(planted, {})
