"""Trains a model on one whole graph: Adam, and a stop when the validation nodes gain no more.

After each step all nodes are predicted once, without dropout. The weights kept are those with the lowest validation
loss, and training ends when it has not fallen for `patience` epochs, the window of Kipf & Welling 2017,
"Semi-supervised classification with graph convolutional networks".
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter

import torch
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.task.node import NodeClassification


class Settings(BaseModel):
    """How a model is trained: Adam's step and weight decay, and when to stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: PositiveFloat = 0.01
    weight_decay: NonNegativeFloat = 5e-4
    max_epochs: PositiveInt = 1000
    patience: PositiveInt = 100


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; it is the best one if no earlier one had as low a validation loss."""

    number: int
    loss: float
    val_loss: float


@dataclass(frozen=True)
class Fit:
    """What training came to: the accuracies of the weights that were kept, and what it took."""

    train: float
    val: float
    test: float
    best_epoch: int
    epochs: int
    seconds: float


class DivergedError(RuntimeError):
    """The loss is no number any more."""


def fit(
    model: nn.Module,
    graph: Graph,
    settings: Settings,
    *,
    decayed: Iterable[nn.Parameter] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Fit:
    """Train `model(x, adj)` and leave it with its best weights, in evaluation mode.

    With torch.manual_seed before the model is made, the weights come out the same, bit for bit.

    Args:
        decayed: the parameters that weight decay acts on; None means all.
        on_epoch: is told of each epoch.

    Raises:
        DivergedError: if a loss becomes infinite or not a number.
    """
    keep_memory()
    begin = perf_counter()
    task, y = NodeClassification.of(graph), graph.y
    train, val, test = (mask.nonzero().squeeze(1) for mask in (graph.train_mask, graph.val_mask, graph.test_mask))
    optimizer = _adam(model, settings, decayed)
    best, weights, logits = Epoch(0, math.inf, math.inf), {}, torch.empty(0)
    for number in range(1, settings.max_epochs + 1):
        loss = _step(model, optimizer, graph, lambda output: task.loss(output, y, train))
        output = predict(model, graph)
        epoch = Epoch(number, loss, task.loss(output, y, val).item())
        _check_finite(epoch, settings)
        if on_epoch is not None:
            on_epoch(epoch)
        if epoch.val_loss < best.val_loss:
            best, weights, logits = epoch, _copy(model), output
        elif number - best.number >= settings.patience:
            break
    model.load_state_dict(weights)
    return Fit(
        train=task.accuracy(logits, y, train).item(),
        val=task.accuracy(logits, y, val).item(),
        test=task.accuracy(logits, y, test).item(),
        best_epoch=best.number,
        epochs=epoch.number,
        seconds=perf_counter() - begin,
    )


def predict(model: nn.Module, graph: Graph) -> Tensor:
    """What the model gives each node, without dropout and without gradients; the model is left in evaluation mode."""
    model.eval()
    with torch.inference_mode():
        return model(graph.x, graph.adj)


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, graph: Graph, loss_of: Callable) -> float:
    model.train()
    loss = loss_of(model(graph.x, graph.adj))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _adam(model: nn.Module, settings: Settings, decayed: Iterable[nn.Parameter] | None) -> torch.optim.Optimizer:
    """One fused step over all parameters: on small models the other variants cost more than the model."""
    chosen = list(model.parameters() if decayed is None else decayed)
    others = [p for p in model.parameters() if all(p is not q for q in chosen)]
    groups = [{"params": chosen, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.Adam([g for g in groups if g["params"]], lr=settings.learning_rate, fused=True)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _check_finite(epoch: Epoch, settings: Settings) -> None:
    if not math.isfinite(epoch.loss + epoch.val_loss):
        raise DivergedError(
            f"in epoch {epoch.number} the loss became {epoch.loss}, on the validation nodes {epoch.val_loss}: "
            f"look for infinite or missing numbers in the features, or lower the learning rate "
            f"({settings.learning_rate})"
        )
