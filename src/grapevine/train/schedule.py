"""How the step changes from epoch to epoch: warm-up, cosine, in steps, and less when nothing is gained.

warm-up:  rate_t = rate (t + 1) / W                                            t = 0 .. W - 1
cosine:   rate_t = low + (rate - low) (1 + cos(pi (t - W) / (T - W))) / 2      t = W .. T - 1
step:     rate_t = max(low, rate f^floor((t - W) / E))                         t = W .. T - 1

Where the time is bounded too, a cosine goes by the share of it that is used up, if that is the larger one.

I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017.
"""

import math
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from grapevine.train.settings import Settings


class Schedule:
    """Sets the optimizer's step after each epoch.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> schedule = Schedule(optimizer, Settings(learning_rate=1.0, schedule="cosine", max_epochs=4))
    >>> rates = []
    >>> for _ in range(4):
    ...     rates.append(round(optimizer.param_groups[0]["lr"], 3))
    ...     optimizer.step()
    ...     schedule.step(0.0)
    >>> rates
    [1.0, 0.854, 0.5, 0.146]
    """

    def __init__(self, optimizer: torch.optim.Optimizer, settings: Settings):
        self._warmup, self._epoch, self._used = settings.warmup_epochs, 0, 0.0
        self._plateau = None
        if settings.schedule == "plateau":
            self._plateau = ReduceLROnPlateau(
                optimizer,
                factor=settings.plateau_factor,
                patience=settings.plateau_patience,
                min_lr=settings.min_learning_rate,
            )
        self._curve = None
        if settings.schedule in ("cosine", "step") or settings.warmup_epochs:
            self._curve = LambdaLR(optimizer, lambda epoch: _factor(settings, epoch, self._used))

    def step(self, value: float, used: float = 0.0) -> None:
        """Go on to the next epoch; `value` is what is to fall, and moves a plateau alone, `used` the share of the time
        that is used up, and moves a cosine alone."""
        self._epoch, self._used = self._epoch + 1, used
        if self._plateau is not None and self._epoch > self._warmup:
            self._plateau.step(value)
        elif self._curve is not None:  # it would undo what the plateau did
            self._curve.step()

    def state(self) -> dict[str, Any]:
        """What JSON can hold and `restore` needs; the optimizer keeps the step itself."""
        curve = None if self._curve is None else self._curve.state_dict() | {"lr_lambdas": [None]}
        return {
            "epoch": self._epoch,
            "plateau": None if self._plateau is None else self._plateau.state_dict(),
            "curve": curve,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self._epoch = state["epoch"]
        if self._plateau is not None:
            self._plateau.load_state_dict(state["plateau"])
        if self._curve is not None:
            lambdas = self._curve.lr_lambdas
            self._curve.load_state_dict(state["curve"] | {"lr_lambdas": [None] * len(lambdas)})


def make_schedule(optimizer: torch.optim.Optimizer, settings: Settings) -> Schedule | None:
    """The schedule of the settings; None if the step stays as it is."""
    return None if settings.schedule == "none" and not settings.warmup_epochs else Schedule(optimizer, settings)


def _factor(settings: Settings, epoch: int, used: float) -> float:
    """The step of that epoch, counted from 0, as a share of the highest one."""
    warmup = settings.warmup_epochs
    if epoch < warmup:
        return (epoch + 1) / warmup
    if settings.schedule not in ("cosine", "step"):
        return 1.0
    low = min(settings.min_learning_rate / settings.learning_rate, 1.0)
    if settings.schedule == "step":
        return max(low, settings.step_factor ** ((epoch - warmup) // settings.step_epochs))
    done = max((epoch - warmup) / max(settings.max_epochs - warmup, 1), used)
    return low + (1 - low) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
