"""One epoch of steps: each batch's gradient, together as one batch's where they are accumulated, clipped, and a step.

gradient of a step = sum over its batches b of  k_b / (sum of k) grad loss_b        k_b the known answers of batch b

so that several batches, on several devices, make the step of the one large batch. Each batch draws its random numbers
(dropout, samples) from (seed, epoch, its number) alone: epochs can be repeated, and none depends on what ran before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.optim.swa_utils import AveragedModel

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.task.objective import Objective
from grapevine.task.task import Batch, Task
from grapevine.train.consistency import consistent_loss
from grapevine.train.engine import Engine
from grapevine.train.probe import faulty_gradient, first_fault
from grapevine.train.settings import Settings


class FaultError(Exception):
    """A number of a step is not finite: which, and where it arose first. No step was made with it."""

    def __init__(self, what: str, where: str):
        super().__init__(what, where)
        self.what, self.where = what, where


def seed_of(*numbers: int) -> int:
    """A seed that depends on all of the numbers.

    >>> seed_of(0, 1) == seed_of(0, 1), seed_of(0, 1) == seed_of(1, 0)
    (True, False)
    """
    return int.from_bytes(blake2b(repr(numbers).encode(), digest_size=8).digest(), "big") >> 1


@dataclass(frozen=True)
class Steps:
    """What makes the steps of one model.

    Args:
        model: whose parameters learn.
        called: what is called in its place, from `Engine.setup`.
        average: the moving average that follows it, if any.
    """

    model: nn.Module
    called: nn.Module
    objective: Objective
    optimizer: torch.optim.Optimizer
    engine: Engine
    settings: Settings
    average: AveragedModel | None = None

    def epoch(self, task: Task, number: int) -> tuple[float, float, Batch]:
        """Learn from every batch once: the mean loss, the longest gradient, and the last batch.

        Raises:
            FaultError: if a loss or a gradient is not finite.
            InputError: if there is no batch.
        """
        self.called.train()
        batches = iter(task.batches(seed_of(self.settings.seed, number)))
        size, first, longest, last = self.settings.accumulate * self.engine.world, 0, 0.0, None
        total, count = 0.0, 0
        while group := list(islice(batches, size)):
            known = [_known(batch.target) for batch in group]
            if sum(known):
                seeds = [seed_of(self.settings.seed, number, first + place) for place in range(len(group))]
                loss, norm = self._step(group, known, seeds)
                total, count, longest = total + loss, count + sum(known), max(longest, norm)
            first, last = first + len(group), group[-1]
        if last is None or not count:
            raise InputError("there is nothing to learn from: the training part is empty, or none of its answers known")
        return total / count, longest, last

    def _step(self, group: Sequence[Batch], known: Sequence[int], seeds: Sequence[int]) -> tuple[float, float]:
        """One step: the sum of the losses over the known answers, and the gradient's length."""
        self.optimizer.zero_grad()
        total, engine = 0.0, self.engine
        for place in range(engine.rank, max(len(group), engine.world), engine.world):
            # a process without a batch of its own helps with the first one, at no weight: the others wait for it
            at, is_own = (place, True) if place < len(group) else (0, False)
            if not known[at]:
                continue
            loss = self._loss(group[at], seeds[at])
            share = engine.world * known[at] / sum(known) if is_own else 0.0
            engine.backward(loss if share == 1 else loss * share)
            total += loss.item() * known[at] if is_own else 0.0
        norm = self._clip()
        if not math.isfinite(norm + total):
            raise self._fault(group, seeds, total / sum(known))
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.model)
        return (total if engine.world == 1 else engine.total(torch.tensor(total, device=engine.device)).item()), norm

    def _loss(self, batch: Batch, seed: int) -> Tensor:
        _seed(seed, self.engine.device)
        if self.settings.consistency is not None:
            return consistent_loss(self.called, batch, self.objective, self.settings.consistency)
        return self.objective.loss(self.called(batch.graph, batch.items), batch.target)

    def _clip(self) -> float:
        """The length of the gradient, which is shortened where it is longer than is allowed."""
        learning = [p for p in self.model.parameters() if p.grad is not None]
        norm = get_total_norm([p.grad for p in learning if p.grad is not None])
        if self.settings.clip_norm is not None:
            clip_grads_with_norm_(learning, self.settings.clip_norm, norm)
        return norm.item()

    def _fault(self, group: Sequence[Batch], seeds: Sequence[int], loss: float) -> FaultError:
        """Pass over the batches again, with the same random numbers, and see what breaks first."""
        judged, is_loss = self.engine.judged(self.model), not math.isfinite(loss)
        what = f"the loss became {loss}" if is_loss else "the gradient became infinite or not a number"
        for batch, seed in zip(group, seeds, strict=True):

            def run(batch: Batch = batch, seed: int = seed) -> None:
                _seed(seed, self.engine.device)
                judged(batch.graph, batch.items)

            where = first_fault(self.model, batch.graph, run)
            if where:
                return FaultError(what, where)
        if is_loss:
            return FaultError(what, "the loss itself: what the model puts out is finite")
        return FaultError(what, faulty_gradient(self.model) or "the gradient's length")


def fault_of_answers(model: nn.Module, judged: nn.Module, task: Task, graph: Graph) -> str:
    """Where the first number that is not finite arises when the validation part is answered."""
    return first_fault(model, graph, lambda: task.answers(judged, ["val"])) or "the loss itself"


def _known(target: Tensor) -> int:
    """How many answers are known: those that are not -1 (classes) or NaN (numbers)."""
    is_known = ~target.isnan() if target.is_floating_point() else target >= 0
    return int(is_known.sum())


def _seed(seed: int, device: torch.device) -> None:
    """As torch.manual_seed, but of the generators in use alone, which takes a microsecond."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)
