"""What can not be told apart on given data, and so the best that any network of a test's power can reach.

best accuracy = sum over classes of one colour of the count of their commonest answer / how many there are

Items of one colour get one answer. The colours are those of the tests in `grapevine.diagnose`, each told what a
network is told: nothing but the edges, the features, or an encoding beside them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.split import is_known
from grapevine.diagnose import Bound, bound_of
from grapevine.diagnose.labelled import row_classes
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.diagnose.looks import LOOKS, MPNN, Colored, colored, rounds, unheard
from grapevine.recipes.diagnose.subject import WORDS, Subject
from grapevine.recipes.models.given import GRAPH_FEATURES
from grapevine.report.diagnosis.data import Limit, Power
from grapevine.task import MultiLabel, Regression, SingleLabel

FEATURES, EDGES = "features", "edges alone"
_NODE, _EDGE = ("x", "z"), ("edge_attr", "edge_weight")


@dataclass(frozen=True, eq=False)
class Seen:
    """What one test sees: its row of the table and, where it was made, the colours of the items and the nodes."""

    limit: Limit
    colors: Int[Tensor, " k"] | None = None
    nodes: Int[Tensor, " n"] | None = None


def measure_power(subject: Subject, *, on_progress: Progress | None = None) -> tuple[Power, list[Seen]]:
    """A limit for each test that is affordable, and what each saw."""
    judge, (node, edge) = _Judge(subject), told_names(subject)
    seen = _plain(subject, judge, node, edge)
    plain = len(seen) - 1
    told = rest = seen[plain].limit.told
    if judge.is_done(seen[plain].limit):  # then what the edges alone tell is of more interest
        seen.append(judge.implied(seen[plain], told, "every stronger test and encoding", "every network"))
        rest, node, edge = EDGES, (), ()
    base = next((one for one in seen if one.limit.told == rest and one.limit.test == "1-WL"), seen[plain])
    for k, look in enumerate(LOOKS):
        if on_progress is not None:
            on_progress(f"what can be told apart: {look.words}", k, len(LOOKS))
        of = f"{rest}, {look.spec}" if look.spec else rest
        obstacle = look.obstacle(subject.graph)
        if judge.is_done(base.limit):
            seen.append(judge.implied(base, of, look.words, look.bounds))
        elif obstacle is None:
            seen.append(judge.look(of, look.words, look.bounds, partial(look.colors, node=node, edge=edge)))
        else:
            seen.append(Seen(Limit(of, look.words, look.bounds, note=obstacle)))
    limits, items = tuple(one.limit for one in seen), subject.items
    return Power(WORDS[subject.level], items.count, judge.measure, limits, plain, None, judge.reached()), seen


def told_names(subject: Subject) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tensors of nodes and edges that a network is told: of a run those that it reads, of data all there are."""
    graph = subject.graph
    node = tuple(name for name in _NODE if name in graph.node and not _is_constant(graph.node[name]))
    edge = tuple(name for name in _EDGE if name in graph.edge and not _is_constant(graph.edge[name]))
    if subject.network is not None:
        edge = tuple(name for name in edge if name == subject.network.edge)
    return node, edge


def _plain(subject: Subject, judge: "_Judge", node: tuple[str, ...], edge: tuple[str, ...]) -> list[Seen]:
    """Features without neighbours, the edges alone, a run's own depth, and in the end 1-WL with all that is told."""
    seen, config = [], subject.config
    if node:
        seen.append(judge.look(FEATURES, "no neighbours", "an MLP, which hears nobody", partial(unheard, node=node)))
    if node or edge:
        seen.append(judge.look(EDGES, "1-WL", f"{MPNN} and is told no features", colored))
    told = FEATURES if node or edge else EDGES
    if config is not None and config.model.name != "mlp":
        count = config.model.num_layers
        own = partial(rounds, node=node, edge=edge, count=count)
        seen.append(judge.look(told, f"1-WL, {count} rounds", f"a network of {count} layers, as this run's", own))
    seen.append(judge.look(told, "1-WL", MPNN, partial(colored, node=node, edge=edge)))
    return seen


class _Judge:
    """Turns colours into limits, by the answers and the parts of a subject."""

    def __init__(self, subject: Subject):
        self.subject, self.items = subject, subject.items
        objective = None if subject.problem is None else subject.problem.task.objective
        self.is_multi_label = isinstance(objective, MultiLabel)
        self.is_of_classes = isinstance(objective, SingleLabel) or subject.level == "link"
        self.measure = "" if objective is None else "accuracy"
        if isinstance(objective, Regression):
            self.measure = "MAE" if objective.metric == "mae" else "RMSE"

    def look(self, told: str, test: str, bounds: str, color: Callable[[Graph], Colored]) -> Seen:
        try:
            nodes, graphs = color(self.subject.graph)
        except InputError as error:
            return Seen(Limit(told, test, bounds, note=str(error)))
        colors = self._of_items(nodes, graphs)
        found = bound_of(colors)
        limit = Limit(told, test, bounds, found.num_classes, found.num_alike, self._best(colors))
        return Seen(limit, colors, nodes)

    def is_done(self, limit: Limit) -> bool:
        """Whether no stronger test could find more."""
        if limit.num_alike == 0:
            return True
        everything = {"accuracy": 1.0, "MAE": 0.0, "RMSE": 0.0}
        return self.measure != "" and limit.best.get("all") == everything[self.measure]

    def implied(self, plain: Seen, told: str, test: str, bounds: str) -> Seen:
        """Of a test that sees at least what 1-WL sees, where that leaves nothing to gain."""
        note = "follows from 1-WL, which leaves nothing to gain"
        return Seen(Limit(told, test, bounds, best=plain.limit.best, note=note))

    def reached(self) -> dict[str, float]:
        """What the run itself came to, in the same measure."""
        if self.subject.scores is None or not self.measure:
            return {}
        name = self.measure.lower()
        return {part: scores[name] for part, scores in self.subject.scores.items() if name in scores}

    def _of_items(self, nodes: Tensor, graphs: Tensor) -> Tensor:
        subject, pairs = self.subject, self.items.pairs
        if subject.level == "graph":
            own = subject.graph.graph.get(GRAPH_FEATURES)
            return graphs if not isinstance(own, Tensor) else _together(graphs, torch.from_numpy(row_classes(own)))
        if pairs is None:
            return nodes
        ends = nodes[pairs]
        split = None if subject.problem is None else subject.problem.split
        is_directed = getattr(split, "is_directed", not subject.graph.adj.is_symmetric())
        return _together(*(ends if is_directed else ends.sort(0).values))

    def _best(self, colors: Tensor) -> dict[str, float]:
        answers, parts = self.items.answers, self.items.parts
        if answers is None or parts is None:
            return {}
        some = {"all": is_known(answers).nonzero().squeeze(1), **parts}
        return {part: self._value(bound_of(colors[k], answers[k])) for part, k in some.items() if len(k)}

    def _value(self, found: Bound) -> float:
        if self.is_of_classes and found.accuracy is not None:
            return found.accuracy
        if self.is_multi_label and found.absolute is not None:
            return 1 - found.absolute  # of answers that are 0 or 1, the share that is wrong
        value = found.absolute if self.measure == "MAE" else found.squared
        return float("nan") if value is None else float(value if self.measure == "MAE" else np.sqrt(value))


def _together(one: Tensor, other: Tensor) -> Tensor:
    return torch.stack([one.long(), other.long()], 1).unique(dim=0, return_inverse=True)[1] if len(one) else one


def _is_constant(tensor: Tensor | SparseMatrix) -> bool:
    return tensor.shape[0] == 0 or int(row_classes(tensor).max()) == 0
