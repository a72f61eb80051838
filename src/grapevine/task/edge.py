"""Tasks of edges: the class, the labels or the numbers of each edge of one graph, some of which are known.

loss = objective.loss(model(graph, e), y_e) over the edges e that teach; of an undirected edge, over one direction
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import cast

import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from grapevine.checks import check_rows
from grapevine.data.split import Split, is_known
from grapevine.data.split.pairs import pair_of_edges
from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.task.any_objective import AnyObjective
from grapevine.task.parts import answers_of, judging, known_parts, one_pass, part_of_each
from grapevine.task.task import PARTS, Answers, Batch, Level, Part, Task


class EdgeTask(Task):
    """The edges of a graph, all that teach in one batch; one pass over the graph answers all parts.

    An undirected edge stands in the graph twice. It is asked for once, in the direction whose answer is known or that
    came first, and all edges between two nodes must be in one part, or one would tell the other's answer. Items are
    places in the graph's adjacency, as all edge tensors of a graph are ordered.

    Args:
        graph: with the answers y of its edges, declared as in `Graph(..., edge={"y": y})`.
        split: over the edges, in the order of the adjacency; `make_split` keeps the directions of an edge together.
        objective: what y means.
        is_directed: whether an edge says something else than the edge back; None: unless every edge has its edge back.

    Raises:
        InputError: if the graph holds no y, y does not fit the objective, a part holds no edge of known answer, or the
            two directions of an undirected edge are in different parts or have different answers.

    >>> from grapevine.task import SingleLabel
    >>> edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> graph = Graph(edge_index, x=torch.eye(3), edge={"y": torch.tensor([0, 0, 1, 1])})
    >>> is_train = graph.edge["y"] == 0
    >>> task = EdgeTask(graph, Split(is_train, ~is_train, torch.zeros(4, dtype=torch.bool)), SingleLabel(num_classes=2))
    >>> len(task.items["train"]), len(task.items["val"])
    (1, 1)
    """

    level: Level = "edge"

    def __init__(self, graph: Graph, split: Split, objective: AnyObjective, *, is_directed: bool | None = None):
        self.graph, self.split, self.objective = graph, split, objective
        self.is_directed = not graph.adj.is_symmetric() if is_directed is None else is_directed
        self.target = objective.prepare(answers_of(graph, "edge"))
        check_rows("the split", split.train, graph.num_edges, "edges")
        self.part = part_of_each(split, graph.device)
        self.asked = torch.arange(graph.num_edges, device=graph.device)
        if not self.is_directed:
            _check_together(graph.adj, self.part)
            self.asked = _one_direction(graph.adj, self.target)
        is_asked = torch.zeros(graph.num_edges, dtype=torch.bool, device=graph.device).index_fill(0, self.asked, True)
        masks = (getattr(split, part).to(graph.device) & is_asked for part in PARTS)
        self.items = known_parts(Split(*masks), self.target, "edge")

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
        """On every edge, of an undirected one on the direction that is asked for."""
        with judging(model):
            output = model(self.graph, self.asked)
        return Answers(output, self.target[self.asked], self.asked), self.part[self.asked]

    def to(self, device) -> "EdgeTask":
        objective = cast(AnyObjective, self.objective)
        return EdgeTask(self.graph.to(device), self.split, objective, is_directed=self.is_directed)


def _check_together(adj: Adjacency, part: Int[Tensor, " e"]) -> None:
    """Raise an InputError if two edges between the same nodes are in different parts."""
    pair, pairs = pair_of_edges(adj)
    placed = part >= 0
    first = torch.full((pairs.shape[1],), len(PARTS), device=part.device)
    first = first.scatter_reduce(0, pair[placed], part[placed], "amin")
    torn = int((part[placed] != first[pair[placed]]).sum())
    check(torn == 0, f"all edges between two nodes must be in one part, and {torn} are not: split by pairs of nodes")


def _one_direction(adj: Adjacency, target: Shaped[Tensor, "e *t"]) -> Int[Tensor, " k"]:
    """One of the two directions of each edge: the one whose answer is known, else the one that came first."""
    pair, _ = pair_of_edges(adj)
    by_input = adj.edge_id.argsort()
    way = 2 * pair + (adj.src > adj.dst)
    # The n-th edge from u to v belongs to the n-th from v to u: sort each way by the input, and count.
    order = by_input[way[by_input].argsort(stable=True)]
    sorted_way = way[order]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device) - torch.searchsorted(sorted_way, sorted_way)
    twins = torch.unique(pair * (len(pair) + 1) + rank, return_inverse=True)[1]
    known = is_known(target)
    best = by_input[(~known)[by_input].long().argsort(stable=True)]
    best = best[twins[best].argsort(stable=True)]
    is_first = torch.ones_like(best, dtype=torch.bool)
    is_first[1:] = twins[best][1:] != twins[best][:-1]
    asked = best[is_first]  # by twins
    other = target[asked[twins]]
    both_known = (target >= 0) & (other >= 0) if not target.is_floating_point() else ~(target.isnan() | other.isnan())
    differs = (target != other) & both_known
    num_differ = int((differs.flatten(1).any(1) if differs.ndim > 1 else differs).sum())
    wanted = "the two directions of an undirected edge must have one answer"
    check(num_differ == 0, f"{wanted}, and of {num_differ} they differ: say is_directed=True")
    return asked.sort().values
