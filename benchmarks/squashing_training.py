"""Trains a network of the paper on Tree-NeighborsMatch for some minutes of the processor, and can go on with it later.

Adam with a step of 0.001 that is halved when the training accuracy of 1,000 epochs is no better than before, as in the
paper; it is looked at every ten epochs, where the paper takes the mean of a hundred. The accuracy is the paper's: of
what is said of the trees that teach while the network learns from them, the best of all rounds of ten epochs. Training
ends at 100 %, after 2,000 epochs of no progress, or when the minutes are over.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

ROUND, PATIENCE, STOP = 10, 100, 200  # epochs; rounds
_LEAST = 1e-4  # less than this is no progress
_SAVED = 60.0  # seconds of the processor between two of what is kept


@dataclass
class Progress:
    """How far a training is: rounds, epochs, seconds of the processor, the best accuracy, and why it ended."""

    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0
    accuracy: float = 0.0
    stale: int = 0  # rounds since it was better
    ended: str = ""


Pass = Callable[[torch.Generator], Iterator[tuple[Tensor, Tensor]]]


def train(
    network: nn.Module, epoch: Pass, minutes: float, path: Path, *, num_epochs: int = ROUND, seed: int = 0
) -> Progress:
    """Train until it ends or the minutes are used up, those of earlier calls counted; `path` keeps it.

    Args:
        epoch: what the network says of each batch, and what is right.
        num_epochs: of a round.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, mode="max", threshold_mode="abs", factor=0.5, patience=PATIENCE
    )
    done, parts = Progress(), {"network": network, "optimizer": optimizer, "plateau": plateau}
    if path.is_file():
        done = _load(path, parts, generator)
    kept = done.seconds
    while not done.ended and done.seconds < 60 * minutes:
        begin = time.process_time()
        accuracy = _round(optimizer, epoch, num_epochs, generator, done)
        done.seconds += time.process_time() - begin
        plateau.step(accuracy)
        done.stale = 0 if accuracy > done.accuracy + _LEAST else done.stale + 1
        done.accuracy = max(done.accuracy, accuracy)
        done.ended = "all are right" if done.accuracy == 1 else "no progress" if done.stale >= STOP else ""
        if done.ended or done.seconds - kept > _SAVED:
            _save(path, parts, generator, done)
            kept = done.seconds
            _say(path, done, optimizer)
    if done.seconds != kept:
        _save(path, parts, generator, done)
        _say(path, done, optimizer)
    return done


def _round(optimizer: torch.optim.Optimizer, epoch: Pass, num_epochs: int, generator, done: Progress) -> float:
    right, total = torch.zeros((), dtype=torch.int64), 0
    for _ in range(num_epochs):
        for said, answer in epoch(generator):
            optimizer.zero_grad()
            nn.functional.cross_entropy(said, answer).backward()
            optimizer.step()
            right += (said.argmax(1) == answer).sum()
            total += len(answer)
            done.steps += 1
        done.epochs += 1
    return int(right) / total


def _save(path: Path, parts: dict[str, Any], generator: torch.Generator, done: Progress) -> None:
    states = {name: part.state_dict() for name, part in parts.items()}
    new = path.with_suffix(".new")
    torch.save({**states, "generator": generator.get_state(), "done": asdict(done)}, new)
    new.replace(path)


def _load(path: Path, parts: dict[str, Any], generator: torch.Generator) -> Progress:
    held = torch.load(path)
    for name, part in parts.items():
        part.load_state_dict(held[name])
    generator.set_state(held["generator"])
    return Progress(**held["done"])


def _say(path: Path, done: Progress, optimizer: torch.optim.Optimizer) -> None:
    rate = optimizer.param_groups[0]["lr"]
    told = f"{done.epochs} epochs, {done.seconds:.0f} s, accuracy {done.accuracy:.4f}, step {rate:g} {done.ended}"
    print(f"  {path.stem}: {told}", flush=True)
