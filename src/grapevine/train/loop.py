"""Trains a model on a task and leaves it with its best weights.

After each epoch the validation part is judged, without dropout. The weights kept are those with the lowest validation
loss (or the best metric), and training ends when it has gained nothing for `patience` epochs, as in Kipf & Welling
2017, "Semi-supervised classification with graph convolutional networks".
"""

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

from grapevine.ops.runtime.allocator import keep_memory
from grapevine.task.task import PARTS, Task
from grapevine.train.checkpoint import Checkpoints, State
from grapevine.train.ema import make_average
from grapevine.train.engine import Engine, make_engine
from grapevine.train.monitor import Watch, measure
from grapevine.train.optimizer import make_optimizer
from grapevine.train.record import DivergedError, Epoch, Fit, Stopped
from grapevine.train.resume import Standing, identity_of, restored, state_of
from grapevine.train.schedule import make_schedule
from grapevine.train.settings import Settings
from grapevine.train.step import FaultError, Steps, fault_of_answers, seed_of


def fit(
    model: nn.Module,
    task: Task,
    settings: Settings | None = None,
    *,
    checkpoints: Path | None = None,
    decayed: Iterable[nn.Parameter] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Fit:
    """Train `model(graph, items)` and leave it with its best weights, in evaluation mode, on the device it learnt on.

    The same starting weights and settings give the same weights, bit for bit; the caller's random numbers go on
    undisturbed. Where training was interrupted, the same call goes on from the last checkpoint to the same end.

    Args:
        settings: how; None takes the defaults.
        checkpoints: the folder that checkpoints are kept in; None keeps nothing on disk.
        decayed: the parameters that weight decay acts on; None means all.
        on_epoch: is told of each epoch.

    Raises:
        DivergedError: if a loss or a gradient becomes infinite or not a number.
        InputError: if the checkpoints are of another training, or the device is not there.
    """
    settings = Settings() if settings is None else settings
    keep_memory()
    engine = make_engine(settings)
    with torch.random.fork_rng(devices=[engine.device] if engine.device.type == "cuda" else []):
        chosen = None if decayed is None else list(decayed)
        training = _Training(model, task.to(engine.device), settings, engine)
        training.prepare(chosen, checkpoints)
        return training.run(on_epoch)


class _Training:
    """One training and its state, which is `progress`, the model, its average, the optimizer and the schedule."""

    def __init__(self, model: nn.Module, task: Task, settings: Settings, engine: Engine):
        self.model, self.task, self.settings, self.engine = model, task, settings, engine
        self.checkpoints: Checkpoints | None = None

    def prepare(self, decayed: list[nn.Parameter] | None, folder: Path | None) -> None:
        """Make what training needs, and take up the last checkpoint if there is one."""
        model, settings, engine = self.model, self.settings, self.engine
        model.to(engine.device)
        self._open_widths()
        self.dtypes = {name: p.dtype for name, p in model.named_parameters()}
        identity = identity_of(model, self.task.objective, settings, decayed)
        model.to(engine.dtype)
        self.optimizer = make_optimizer(model, settings, decayed=decayed)
        self.schedule = make_schedule(self.optimizer, settings)
        self.average = make_average(model, settings.ema)
        self.kept = model if self.average is None else self.average.module  # whose weights are judged and kept
        self.judged = engine.judged(self.kept)
        called = engine.setup(model, self.optimizer)
        self.steps = Steps(model, called, self.task.objective, self.optimizer, engine, settings, self.average)
        self.progress = Standing(weights=_copy(self.kept))
        if folder is not None:
            self.checkpoints = Checkpoints(folder, identity)
            state = self.checkpoints.read()
            if state is not None:
                self.progress = restored(state, self._parts(), self.schedule)
                self.progress.warnings.extend(self.checkpoints.warnings)
        is_clipped = settings.clip_norm is not None
        self.watch = Watch(model, tuple(self.progress.tripped), is_clipped=is_clipped)

    def run(self, on_epoch: Callable[[Epoch], None] | None) -> Fit:
        """Train to the end."""
        progress = self.progress
        while not (why := self._ended()):
            try:
                row = self._epoch(len(progress.history) + 1)
            except FaultError as fault:
                raise self._diverged(fault) from None
            if on_epoch is not None:
                on_epoch(row)
            self._keep(is_last=bool(self._ended()))
        self.kept.load_state_dict(progress.weights)
        with torch.no_grad():
            answers = self.task.answers(self.judged, PARTS)
            judge = self.task.objective.scores
            scores = {part: judge(a.output, a.target) if len(a.target) else {} for part, a in answers.items()}
        self._hand_over()
        return self._fit(why, scores)

    def _epoch(self, number: int) -> Epoch:
        begin, progress, settings = perf_counter(), self.progress, self.settings
        is_watched = number == 1 or number % settings.monitor_every == 0
        rate = self.optimizer.param_groups[0]["lr"]
        loss, norm, batch = self.steps.epoch(self.task, number)
        val_loss, metric = self._judge(is_watched or settings.stop_on == "metric")
        if val_loss is not None and not math.isfinite(val_loss):
            where = fault_of_answers(self.kept, self.judged, self.task, batch.graph)
            raise FaultError(f"the validation loss became {val_loss}", where)
        value = self._value(number, val_loss, metric)
        if value < progress.value:
            progress.best_epoch, progress.value, progress.weights = number, value, _copy(self.kept)
        if self.schedule is not None:
            self.schedule.step(value if val_loss is None else val_loss, self._used(perf_counter() - begin))
        monitors = measure(self.kept, self.judged, batch, seed=settings.seed) if is_watched else {}
        first = progress.history[0].loss if progress.history else loss
        tripped = self.watch.trips(number, monitors, grad_norm=norm, losses=(first, loss))
        seconds = perf_counter() - begin
        row = Epoch(number, loss, val_loss, metric, rate, norm, monitors, tripped, seconds)
        progress.history.append(row)
        progress.warnings.extend(tripped)
        progress.tripped = self.watch.tripped
        return row

    @torch.no_grad()
    def _judge(self, is_measured: bool) -> tuple[float | None, float | None]:
        """The validation part's loss and, if it is wanted, metric; None where the part is empty."""
        objective, answers = self.task.objective, self.task.answers(self.judged, ["val"])["val"]
        if not len(answers.target):
            return None, None
        loss = objective.loss(answers.output, answers.target).item()
        return loss, objective.score(answers.output, answers.target) if is_measured else None

    def _value(self, number: int, val_loss: float | None, metric: float | None) -> float:
        """What is to fall. Without a validation part, the latest weights are the best."""
        if val_loss is None:
            return -number
        if self.settings.stop_on == "loss":
            return val_loss
        if metric is None or math.isnan(metric):
            return math.inf
        return -metric if self.task.objective.is_higher_better else metric

    def _ended(self) -> Stopped | None:
        done = len(self.progress.history)
        if done - self.progress.best_epoch >= self.settings.patience:
            return "patience"
        if done >= self.settings.max_epochs:
            return "max_epochs"
        return "max_minutes" if self._used(0.0) >= 1 else None

    def _used(self, seconds: float) -> float:
        """The share of the time that is used up, with so many seconds of an epoch that is not in the history yet."""
        if self.settings.max_minutes is None:
            return 0.0
        return (sum(row.seconds for row in self.progress.history) + seconds) / (60 * self.settings.max_minutes)

    def _keep(self, is_last: bool) -> None:
        """Write a checkpoint if it is time."""
        settings, keeper, progress = self.settings, self.checkpoints, self.progress
        if keeper is None or self.engine.rank != 0:
            return
        if is_last or keeper.is_due(len(progress.history), settings.checkpoint_every, settings.checkpoint_unit):
            keeper.write(state_of(progress, self._parts(), self.schedule))
            if progress.written_best != progress.best_epoch:
                keeper.write_best(State(progress.weights, {"epoch": progress.best_epoch}))
                progress.written_best = progress.best_epoch

    def _diverged(self, fault: FaultError) -> DivergedError:
        self.kept.load_state_dict(self.progress.weights)
        self._hand_over()
        done, best = len(self.progress.history), self.progress.best_epoch
        rate = self.optimizer.param_groups[0]["lr"]
        message = (
            f"in epoch {done + 1} {fault.what}; it arose first in {fault.where}. The model has the weights of "
            f"epoch {best} again. Look for infinite or missing numbers in the features, lower the learning rate "
            f"({rate:g}) or set clip_norm"
        )
        return DivergedError(message, where=fault.where, fit=self._fit("diverged", {}))

    def _fit(self, why: Stopped, scores: dict) -> Fit:
        history, warnings = tuple(self.progress.history), tuple(self.progress.warnings)
        seconds = sum(row.seconds for row in history)
        return Fit(self.progress.best_epoch, len(history), seconds, history, scores, why, warnings)

    def _hand_over(self) -> None:
        """The model gets the weights that were kept, in its own precision."""
        if self.kept is not self.model:
            self.model.load_state_dict(self.kept.state_dict())
        if self.engine.dtype is not None:
            self.model.to(next(iter(self.dtypes.values())))
        self.model.eval()

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        parts: dict[str, nn.Module | torch.optim.Optimizer] = {"model": self.model, "optimizer": self.optimizer}
        return parts if self.average is None else parts | {"average": self.average}

    def _open_widths(self) -> None:
        """A layer that takes its width from its input is shown one."""
        if any(nn.parameter.is_lazy(p) for p in self.model.parameters()):
            torch.manual_seed(self.settings.seed)
            batch = next(iter(self.task.batches(seed_of(self.settings.seed, 1))))
            self.model.eval()
            with torch.no_grad():
                self.model(batch.graph, batch.items)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}
