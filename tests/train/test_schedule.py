"""The step follows PyTorch's own schedules and the printed formulas."""

import math

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau, StepLR

from grapevine.train.schedule import make_schedule
from grapevine.train.settings import Settings


def optimizer(rate: float) -> torch.optim.Optimizer:
    parameter = torch.nn.Parameter(torch.ones(1))
    parameter.grad = torch.zeros(1)
    return torch.optim.SGD([parameter], lr=rate)


def rates(stepper, schedule, values) -> list[float]:
    found = []
    for value in values:
        found.append(stepper.param_groups[0]["lr"])
        stepper.step()
        schedule.step(value) if value is not None else schedule.step()
    return found


def test_cosine_is_pytorchs():
    ours, theirs = optimizer(0.1), optimizer(0.1)
    settings = Settings(learning_rate=0.1, schedule="cosine", min_learning_rate=0.01, max_epochs=20)
    expected = rates(theirs, CosineAnnealingLR(theirs, 20, eta_min=0.01), [None] * 20)
    assert rates(ours, make_schedule(ours, settings), [0.0] * 20) == pytest.approx(expected)


def test_step_is_pytorchs():
    ours, theirs = optimizer(0.1), optimizer(0.1)
    settings = Settings(learning_rate=0.1, schedule="step", step_epochs=3, step_factor=0.2)
    expected = rates(theirs, StepLR(theirs, 3, gamma=0.2), [None] * 10)
    assert rates(ours, make_schedule(ours, settings), [0.0] * 10) == pytest.approx(expected)


def test_warm_up_comes_first():
    ours = optimizer(0.4)
    settings = Settings(learning_rate=0.4, schedule="cosine", warmup_epochs=4, max_epochs=14)
    found = rates(ours, make_schedule(ours, settings), [0.0] * 14)
    expected = [0.1, 0.2, 0.3, 0.4] + [0.2 * (1 + math.cos(math.pi * t / 10)) for t in range(10)]
    assert found == pytest.approx(expected)


def test_plateau_is_pytorchs():
    values = [1.0, 0.9, 0.95, 0.95, 0.95, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9]
    ours, theirs = optimizer(0.1), optimizer(0.1)
    settings = Settings(
        learning_rate=0.1, schedule="plateau", plateau_patience=2, plateau_factor=0.3, min_learning_rate=0.02
    )
    expected = rates(theirs, ReduceLROnPlateau(theirs, factor=0.3, patience=2, min_lr=0.02), values)
    assert rates(ours, make_schedule(ours, settings), values) == expected
    assert expected[-1] < 0.1


@pytest.mark.parametrize("schedule", ["none", "plateau", "cosine", "step"])
def test_it_goes_on_from_its_state(schedule):
    settings = Settings(learning_rate=0.1, schedule=schedule, warmup_epochs=3, plateau_patience=1, max_epochs=20)
    whole, first, second = optimizer(0.1), optimizer(0.1), optimizer(0.1)
    expected = rates(whole, make_schedule(whole, settings), [1.0] * 20)
    begun = make_schedule(first, settings)
    found = rates(first, begun, [1.0] * 8)
    rest = make_schedule(second, settings)
    second.load_state_dict(first.state_dict())
    rest.restore(begun.state())
    assert found + rates(second, rest, [1.0] * 12) == expected


def test_no_schedule_is_none():
    assert make_schedule(optimizer(0.1), Settings()) is None


def test_a_cosine_comes_down_with_the_clock_where_that_is_ahead_of_the_epochs():
    ours = optimizer(1.0)
    schedule = make_schedule(ours, Settings(learning_rate=1.0, schedule="cosine", max_epochs=1000, max_minutes=1))
    found = []
    for used in (0.25, 0.5, 1.0, 1.2):
        ours.step()
        schedule.step(0.0, used)
        found.append(ours.param_groups[0]["lr"])
    assert found == pytest.approx([0.5 * (1 + math.cos(math.pi * t)) for t in (0.25, 0.5, 1.0, 1.0)])
