"""Tasks of whole graphs: the class, the labels or the numbers of each graph of a collection.

loss = objective.loss(model(batch), y_g) over the graphs g of a batch
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Int
from torch import Tensor, nn

from grapevine.data.split import Split
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.task.any_objective import AnyObjective
from grapevine.task.parts import answers_of, judging, known_parts, part_of_each
from grapevine.task.task import Answers, Batch, Level, Part, Task

_JUDGED_AT_ONCE = 4  # times the size of a training batch: without gradients there is room for more


class GraphTask(Task):
    """The graphs of a collection, in batches that are drawn anew each epoch.

    Args:
        graph: the graphs as one batch, with the answers y of the graphs.
        split: over the graphs.
        objective: what y means.
        batch_size: how many graphs a step learns from; a last batch of one graph joins the batch before it, since
            batch normalisation can not learn from one.
        num_batches: how many batches an epoch has, each drawn from all training graphs (the epochs of Xu et al. 2019
            have 50); None: every training graph comes once.

    Raises:
        InputError: if the graph holds no y, y does not fit the objective, or a part holds no graph of known answer.

    >>> from grapevine.data.split import Split
    >>> from grapevine.task import Regression
    >>> batch = Graph.batch([Graph([[0], [1]], num_nodes=2, graph={"y": torch.tensor([float(k)])}) for k in range(4)])
    >>> is_train = torch.tensor([True, True, True, False])
    >>> task = GraphTask(batch, Split(is_train, ~is_train, torch.zeros(4, dtype=torch.bool)), Regression())
    >>> sorted(next(task.batches(seed=0)).target.flatten().tolist())
    [0.0, 1.0, 2.0]
    """

    level: Level = "graph"

    def __init__(
        self,
        graph: Graph,
        split: Split,
        objective: AnyObjective,
        *,
        batch_size: int = 32,
        num_batches: int | None = None,
    ):
        check(batch_size >= 1, f"a batch must hold a graph, got a batch_size of {batch_size}")
        check(num_batches is None or num_batches >= 1, f"an epoch must have a batch, got {num_batches}")
        self.graph, self.split, self.objective = graph, split, objective
        self.batch_size, self.num_batches = batch_size, num_batches
        self.target = objective.prepare(answers_of(graph, "graph"))
        self.items = known_parts(split, self.target, "graph")
        self._judged: dict[Part, list[_Taken]] = {}

    def batches(self, seed: int) -> Iterator[Batch]:
        generator, items = torch.Generator().manual_seed(seed), self.items["train"]
        if self.num_batches is not None:
            for _ in range(self.num_batches):
                yield self._batch(items[torch.randperm(len(items), generator=generator)[: self.batch_size]])
            return
        chunks = list(items[torch.randperm(len(items), generator=generator).to(items.device)].split(self.batch_size))
        if len(chunks) > 1 and len(chunks[-1]) == 1:
            chunks[-2:] = [torch.cat(chunks[-2:])]
        for chunk in chunks:
            yield self._batch(chunk)

    def answers(self, model: nn.Module, parts: Sequence[Part]) -> dict[Part, Answers]:
        for part in parts:
            if part not in self._judged:
                self._judged[part] = list(self._taken(self.items[part]))
        with judging(model):
            return {part: self._answers(model, self._judged[part], self.items[part]) for part in parts}

    def all_answers(self, model: nn.Module) -> tuple[Answers, Int[Tensor, " k"]]:
        items = torch.arange(self.graph.num_graphs, device=self.graph.device)
        with judging(model):
            return self._answers(model, self._taken(items), items), part_of_each(self.split, self.graph.device)

    def to(self, device) -> "GraphTask":
        graph, objective = self.graph.to(device), cast(AnyObjective, self.objective)
        return GraphTask(graph, self.split, objective, batch_size=self.batch_size, num_batches=self.num_batches)

    def _batch(self, ids: Tensor) -> Batch:
        return Batch(take(self.graph, ids), None, self.target[ids])

    def _taken(self, ids: Tensor) -> "Iterator[_Taken]":
        for chunk in ids.split(_JUDGED_AT_ONCE * self.batch_size):
            yield _Taken(take(self.graph, chunk), chunk)

    def _answers(self, model: nn.Module, taken: "Sequence[_Taken] | Iterator[_Taken]", ids: Tensor) -> Answers:
        if len(ids) == 0:
            return Answers(torch.empty(0, self.objective.out_channels, device=ids.device), self.target[ids], ids)
        return Answers(torch.cat([model(graph, None) for graph, _ in taken]), self.target[ids], ids)


class _Taken(NamedTuple):
    """Some of the graphs as a batch, and which."""

    graph: Graph
    ids: Tensor
