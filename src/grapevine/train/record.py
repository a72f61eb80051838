"""What training tells: a row for each epoch, and what it came to in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Stopped = Literal["patience", "max_epochs", "max_minutes", "diverged"]


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to.

    Args:
        number: 1 for the first.
        loss: the mean over the items that taught, each as it was when its step was made.
        val_loss: of the validation part after the epoch; None if that part is empty.
        val_metric: the objective's metric there; None in the epochs that do not measure it (`Settings.monitor_every`).
        learning_rate: the step of this epoch.
        grad_norm: the longest gradient of the epoch, before it was clipped.
        monitors: what the health monitors measured, by name; empty in the epochs in which they do not look.
        warnings: what tripped for the first time.
        seconds: how long the epoch took.
    """

    number: int
    loss: float
    val_loss: float | None
    val_metric: float | None
    learning_rate: float
    grad_norm: float
    monitors: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def row(self) -> dict[str, float | None]:
        """The epoch as a flat row of a table, a column for each monitor."""
        names = ("loss", "val_loss", "val_metric", "learning_rate", "grad_norm")
        row = {"epoch": self.number, **{name: getattr(self, name) for name in names}}
        return {**row, **self.monitors, "seconds": self.seconds}


@dataclass(frozen=True)
class Fit:
    """What training came to.

    Args:
        best_epoch: the epoch whose weights were kept; 0 if those are the weights it began with.
        epochs: how many there were.
        seconds: how long they took, interruptions not counted.
        history: a row for each.
        scores: every metric of the objective on each part, of the weights that were kept; an empty part has none.
        stopped_because: "patience", "max_epochs", "max_minutes" or "diverged".
        warnings: what tripped on the way.
    """

    best_epoch: int
    epochs: int
    seconds: float
    history: tuple[Epoch, ...]
    scores: Mapping[str, Mapping[str, float]]
    stopped_because: Stopped
    warnings: tuple[str, ...] = ()


class DivergedError(RuntimeError):
    """A number became infinite or not a number. The model holds its last good weights.

    Args:
        where: the place where it arose first.
        fit: what training came to until then.
    """

    def __init__(self, message: str, *, where: str, fit: Fit):
        super().__init__(message)
        self.where, self.fit = where, fit
