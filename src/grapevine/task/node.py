"""Tasks of nodes: the class, the labels or the numbers of each node of one graph, some of which are known.

loss = objective.loss(model(graph, i), y_i) over the nodes i that teach
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Int
from torch import Tensor, nn

from grapevine.data.split import Split
from grapevine.graph import Graph
from grapevine.task.any_objective import AnyObjective
from grapevine.task.parts import answers_of, judging, known_parts, one_pass, part_of_each
from grapevine.task.task import Answers, Batch, Level, Part, Task


class NodeTask(Task):
    """The nodes of a graph, all that teach in one batch; one pass over the graph answers all parts.

    A node whose answer is not known is in no part; all of its answers but the known ones are left out of the loss.

    Args:
        graph: with the answers y of its nodes.
        split: over the nodes.
        objective: what y means.

    Raises:
        InputError: if the graph holds no y, y does not fit the objective, or a part holds no node of known answer.

    >>> from grapevine.data.split import per_class
    >>> from grapevine.task import SingleLabel
    >>> y = torch.tensor([0, 1, 0, 1, 0, 1])
    >>> graph = Graph([[0, 2], [2, 4]], x=torch.eye(6), y=y)
    >>> task = NodeTask(graph, per_class(y, num_train=1, num_val=2), SingleLabel(num_classes=2))
    >>> [batch.target.tolist() for batch in task.batches(seed=0)]
    [[0, 1]]
    """

    level: Level = "node"

    def __init__(self, graph: Graph, split: Split, objective: AnyObjective):
        self.graph, self.split, self.objective = graph, split, objective
        self.target = objective.prepare(answers_of(graph, "node"))
        self.items = known_parts(split, self.target, "node")

    @cached_property
    def _train(self) -> Batch:
        items = self.items["train"]
        return Batch(self.graph, items, self.target[items])

    def batches(self, seed: int) -> Iterator[Batch]:
        """The one batch there is, whatever the seed."""
        yield self._train

    def answers(self, model: nn.Module, parts: Sequence[Part]) -> dict[Part, Answers]:
        with judging(model):
            return one_pass(model, self.graph, self.items, self.target, parts)

    def all_answers(self, model: nn.Module) -> tuple[Answers, Int[Tensor, " k"]]:
        items = torch.arange(self.graph.num_nodes, device=self.graph.device)
        with judging(model):
            return Answers(model(self.graph, None), self.target, items), part_of_each(self.split, self.graph.device)

    def to(self, device) -> "NodeTask":
        return NodeTask(self.graph.to(device), self.split, cast(AnyObjective, self.objective))
