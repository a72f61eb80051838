"""Training against PyTorch Geometric: first both sides must agree, then their epochs are timed in turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from benchmarks import peers
from benchmarks.report import Table, side_by_side
from benchmarks.timing import Seconds, both_ways
from benchmarks.training import Trainer, check_agreement, copy_weights

OURS = "Grapevine"
_NUM_TIMED = 2  # of their forms the fastest in a first epoch, beside the default


@dataclass(frozen=True)
class Race:
    """Seconds of one epoch of each form, and the times of the forms that it chose."""

    first: Mapping[str, float]
    times: Mapping[str, Seconds]

    @property
    def best(self) -> str:
        """Their fastest form."""
        return min((form for form in self.times if form != OURS), key=lambda form: self.times[form].best)

    def ratio(self, form: str) -> float:
        """How many times longer that form takes at its best than ours, which keeps memory as its training loop does."""
        return self.times[form].best / self.times[OURS].kept

    def table(self, title: str, *notes: str) -> Table:
        """The times, and below them the forms that were too slow to be timed."""
        others = [f"{form} {s:.2g} s" for form, s in self.first.items() if form not in self.times]
        slower = [f"Slower in a first epoch, and not timed further: {', '.join(others)}."] if others else []
        return side_by_side(title, self.times, notes=[*slower, *notes])


def race(ours: Trainer, theirs: Mapping[str, Trainer], *, epochs: int, rounds: int) -> Race:
    """Give ours the weights of theirs, which all have the same, check each form against ours, and time epochs."""
    copy_weights(theirs[peers.DEFAULT], ours)
    our_answer = ours.answer()
    for trainer in theirs.values():
        check_agreement(our_answer, ours, trainer.answer(), trainer)
    trainers = {OURS: ours, **theirs}
    first = {form: _seconds(trainer.epoch) for form, trainer in trainers.items()}
    fastest = sorted(theirs, key=lambda form: first[form])[:_NUM_TIMED]
    chosen = [form for form in trainers if form in (OURS, peers.DEFAULT, *fastest)]
    calls = {form: partial(_train, trainers[form], epochs) for form in chosen}
    return Race(first, both_ways(calls, rounds, are_warm=True))


def _train(trainer: Trainer, epochs: int) -> None:
    for _ in range(epochs):
        trainer.epoch()


def _seconds(call: Callable[[], object]) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin
