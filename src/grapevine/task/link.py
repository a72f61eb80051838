"""Link prediction: which pairs of nodes are joined, from a graph that does not show it.

loss = objective.loss(model(graph, (u, v)), [an edge joins u and v]) over links and as many negatives, drawn each epoch
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

import torch
from jaxtyping import Int
from torch import Tensor, nn

from grapevine.data.split import LinkSplit
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.non_edges import EdgeSet
from grapevine.task.link_objective import Link
from grapevine.task.negatives import Negatives, draw_negatives
from grapevine.task.parts import judging
from grapevine.task.task import PARTS, Answers, Batch, Level, Part, Task

_FIXED_SEED = 0  # of the negatives that the training part is judged by


class LinkTask(Task):
    """The links of a split, with negatives: drawn each epoch to teach, and those of the split to judge.

    The negatives that teach are no edges of the training graph and no training pairs; that a pair is an edge of val or
    test is not known in training. Pairs of an undirected graph are asked for in one direction: use a symmetric decoder.

    Args:
        split: the graphs that messages pass over, the links and the negatives, from `link_split`.
        objective: the metric; by default the area under the ROC curve.
        negatives: how they are drawn; uniform, one for each link, by default.
        batch_size: how many links a step learns from, each step passing over the whole graph; None: all of them.

    Raises:
        InputError: if there is no link to learn from, or the graph has not so many pairs without an edge.

    >>> from grapevine.data.split import link_split
    >>> ring = Graph([[0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 0, 0, 1, 2, 3, 4, 5]])
    >>> task = LinkTask(link_split(ring, val=0.2, test=0.2))
    >>> next(task.batches(seed=0)).target.tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """

    level: Level = "link"

    def __init__(
        self,
        split: LinkSplit,
        objective: Link | None = None,
        *,
        negatives: Negatives | None = None,
        batch_size: int | None = None,
    ):
        check(batch_size is None or batch_size >= 1, f"a batch must hold a link, got a batch_size of {batch_size}")
        check(split.pairs["train"].shape[1] > 0, "the train part must hold a link")
        self.split, self.objective = split, objective or Link()
        self.negatives, self.batch_size = negatives or Negatives(), batch_size
        self.graph = split.graph
        self.edges = _known_edges(split)
        self._graphs: dict[Part, Graph] = {"train": split.graph, "val": split.val_graph, "test": split.test_graph}
        self._asked: dict[Part, tuple[Tensor, Tensor]] = {}

    def batches(self, seed: int) -> Iterator[Batch]:
        device, links = self.graph.device, self.split.pairs["train"]
        generator = torch.Generator(device=device).manual_seed(seed)
        others = draw_negatives(self.negatives, self.edges, links, generator)
        if self.batch_size is None:
            yield Batch(self.graph, *_together(links, others))
            return
        links = links[:, torch.randperm(links.shape[1], generator=generator, device=device)]
        size = self.batch_size
        chunks = zip(links.split(size, 1), others.split(size * self.negatives.per_positive, 1), strict=True)
        for some, not_joined in chunks:
            yield Batch(self.graph, *_together(some, not_joined))

    def answers(self, model: nn.Module, parts: Sequence[Part]) -> dict[Part, Answers]:
        """Parts over one graph share a pass; the training part is judged by negatives that are drawn once."""
        found: dict[Part, Answers] = {}
        with judging(model):
            for graph in {id(self._graphs[part]): self._graphs[part] for part in parts}.values():
                here: list[Part] = [part for part in parts if self._graphs[part] is graph]
                asked = [self._asked_of(part) for part in here]
                output = model(graph, torch.cat([items for items, _ in asked], 1))
                rows = output.split([len(target) for _, target in asked])
                for part, row, (items, target) in zip(here, rows, asked, strict=True):
                    found[part] = Answers(row, target, items)
        return {part: found[part] for part in parts}

    def all_answers(self, model: nn.Module) -> tuple[Answers, Int[Tensor, " k"]]:
        """On every link of every part, and on its negatives."""
        each = self.answers(model, PARTS)
        part = torch.cat([torch.full_like(each[p].target, k, dtype=torch.int64) for k, p in enumerate(PARTS)])
        output, target = (torch.cat([getattr(each[p], name) for p in PARTS]) for name in ("output", "target"))
        return Answers(output, target, torch.cat([each[p].items for p in PARTS], 1)), part

    def to(self, device) -> "LinkTask":
        graphs = {id(graph): graph.to(device) for graph in self._graphs.values()}  # one that serves twice stays one
        split = replace(
            self.split,
            graph=graphs[id(self.split.graph)],
            val_graph=graphs[id(self.split.val_graph)],
            test_graph=graphs[id(self.split.test_graph)],
            pairs={part: pairs.to(device) for part, pairs in self.split.pairs.items()},
            negatives={part: pairs.to(device) for part, pairs in self.split.negatives.items()},
        )
        return LinkTask(split, cast(Link, self.objective), negatives=self.negatives, batch_size=self.batch_size)

    def _asked_of(self, part: Part) -> tuple[Tensor, Tensor]:
        if part not in self._asked:
            links, others = self.split.pairs[part], self.split.negatives.get(part)
            if others is None:
                generator = torch.Generator(device=links.device).manual_seed(_FIXED_SEED)
                with torch.inference_mode(False):
                    others = draw_negatives(Negatives(), self.edges, links, generator)
            self._asked[part] = _together(links, others)
        return self._asked[part]


def _together(links: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """[2, k] links and then negatives, and [k] which they are."""
    target = torch.zeros(links.shape[1] + others.shape[1], device=links.device)
    target[: links.shape[1]] = 1
    return torch.cat([links, others], 1), target


def _known_edges(split: LinkSplit) -> EdgeSet:
    """What training knows to be joined: the edges of its graph, and its links where they carry no messages."""
    edges, links = EdgeSet(split.graph.adj), split.pairs["train"]
    if bool(edges.contains(links).all()):
        return edges
    both = [links] if split.is_directed else [links, links.flip(0)]
    return EdgeSet(Adjacency(torch.cat([split.graph.adj.edge_index, *both], 1), split.graph.num_nodes))
