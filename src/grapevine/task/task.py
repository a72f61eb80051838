"""A task on its data: what a model is asked, part by part, and what it answers.

    model(graph, items) -> one row of numbers an item,    loss = objective.loss(rows, target)

An item is a node, a graph of a batch, a pair of nodes or an edge; which, is the task's level.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.task.objective import Objective

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = get_args(Part)
Level = Literal["node", "graph", "link", "edge"]


@dataclass(frozen=True)
class Batch:
    """What one step learns from.

    Args:
        graph: what messages pass over; of a graph-level task, the graphs of this batch.
        items: what is asked of it: [k] nodes, [2, k] pairs of nodes or [k] edges; None means every graph of the batch.
        target: [k] or [k, t] the answers.
    """

    graph: Graph
    items: Int[Tensor, "*ends k"] | None
    target: Shaped[Tensor, "k *t"]


@dataclass(frozen=True)
class Answers:
    """What a model answered, and what is so.

    Args:
        output: [k, c] the model's numbers.
        target: [k] or [k, t] the answers; missing ones are -1 (classes) or NaN (numbers).
        items: [k] nodes, graphs or edges, or [2, k] pairs: whom each row is about.
    """

    output: Float[Tensor, "k c"]
    target: Shaped[Tensor, "k *t"]
    items: Int[Tensor, "*ends k"]


class Task(ABC):
    """A question on a graph, or on many, with its split and its objective.

    A model for it is called as `model(graph, items)` and gives `objective.out_channels` numbers an item.
    """

    level: Level
    objective: Objective

    @abstractmethod
    def batches(self, seed: int) -> Iterator[Batch]:
        """What one epoch learns from; the same seed draws the same batches and the same negatives."""

    @abstractmethod
    def answers(self, model: nn.Module, parts: Sequence[Part]) -> dict[Part, Answers]:
        """What the model, as it stands, answers on those parts; each graph is passed over as few times as can be.

        It runs in evaluation mode and without gradients, and leaves the model in evaluation mode.
        """

    @abstractmethod
    def all_answers(self, model: nn.Module) -> tuple[Answers, Int[Tensor, " k"]]:
        """What it answers on every item, and the part of each: its place in PARTS, or -1 for none."""

    @abstractmethod
    def to(self, device) -> "Task":
        """The same task with its tensors on another device."""
