"""What can not be told apart on given data, and so the best that any network of a test's power can reach.

best accuracy = sum over classes of one colour of the count of their commonest answer / how many there are

Items of one colour get one answer. The colours are those of the tests in `grapevine.diagnose`, each told what a
network is told: nothing but the edges, the features, or an encoding beside them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.split import is_known
from grapevine.diagnose import Bound, WLTest, bound_of, color_refinement, graph_colors, node_colors
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.diagnose.subject import WORDS, Subject
from grapevine.recipes.models.given import GRAPH_FEATURES
from grapevine.report.diagnosis.data import Limit, Power
from grapevine.task import MultiLabel, Regression, SingleLabel

FEATURES, EDGES = "features", "edges alone"
_NODE, _EDGE = ("x", "z"), ("edge_attr", "edge_weight")
_MPNN = "every network that passes messages"


@dataclass(frozen=True, eq=False)
class Seen:
    """What one test sees: its row of the table and, where it was made, the colours of the items and the nodes."""

    limit: Limit
    colors: Int[Tensor, " k"] | None = None
    nodes: Int[Tensor, " n"] | None = None


@dataclass(frozen=True)
class _Look:
    """A test that is stronger than 1-WL, or 1-WL with an encoding.

    Args:
        cost: what it grows with, of n nodes and e edges of each graph.
        most: how much of that is affordable, some seconds.
        beside: what is told beside the rest.
    """

    name: WLTest
    words: str
    bounds: str
    cost: Callable[[np.ndarray, np.ndarray], np.ndarray]
    unit: str
    most: float
    beside: str = ""


_LOOKS = (
    _Look(
        "random-walk",
        "1-WL",
        f"{_MPNN} and is told them",
        lambda n, e: n * e,
        "steps of random walks",
        1e8,
        "return probabilities",
    ),
    _Look(
        "distance-wl", "distance-WL", "graph transformers told shortest paths", lambda n, e: n**2, "pairs of nodes", 1e7
    ),
    _Look(
        "resistance-wl",
        "resistance-WL",
        "graph transformers told resistances",
        lambda n, e: n**2,
        "pairs of nodes",
        4e6,
    ),
    _Look(
        "node-marking",
        "node marking",
        "networks on subgraphs with one node marked",
        lambda n, e: n * (n + e),
        "copied nodes and edges",
        6e6,
    ),
    _Look(
        "2-fwl", "2-FWL (= oblivious 3-WL)", "networks on pairs of nodes", lambda n, e: n**3, "triples of nodes", 3e7
    ),
    _Look(
        "root-and-neighbour-marking",
        "root-and-neighbour marking",
        "networks on subgraphs with two nodes marked",
        lambda n, e: e * (n + e),
        "copied nodes and edges",
        2e6,
    ),
    _Look(
        "3-fwl",
        "3-FWL (= oblivious 4-WL)",
        "networks on triples of nodes",
        lambda n, e: n**4,
        "quadruples of nodes",
        4e7,
    ),
)


def measure_power(subject: Subject, *, on_progress: Progress | None = None) -> tuple[Power, list[Seen]]:
    """A limit for each test that is affordable, and what each saw."""
    graph, judge = subject.graph, _Judge(subject)
    node, edge = told_names(subject)
    seen: list[Seen] = []
    if node or (edge and subject.level == "edge"):
        seen.append(judge.look(FEATURES, "no neighbours", "an MLP, which hears nobody", partial(_unheard, node=node)))
    if node or edge:
        seen.append(judge.look(EDGES, "1-WL", _MPNN + " and is told no features", _colored()))
    depth = None if subject.config is None else subject.config.model.num_layers
    told = FEATURES if node or edge else EDGES
    if depth is not None and subject.config is not None and subject.config.model.name != "mlp":
        bounds = f"this run's network, by its {depth} layers"
        seen.append(judge.look(told, f"1-WL, {depth} rounds", bounds, partial(_rounds, node=node, edge=edge, k=depth)))
    plain = len(seen)
    seen.append(judge.look(told, "1-WL", _MPNN, _colored(node=node, edge=edge)))
    rest = told
    if judge.is_done(seen[plain].limit):  # then what the edges alone tell is of more interest
        seen.append(judge.implied(seen[plain], told, "every stronger test and encoding", "every network"))
        rest, node, edge = EDGES, (), ()
    base = next((one for one in seen if one.limit.told == rest and one.limit.test == "1-WL"), seen[plain])
    for k, look in enumerate(_LOOKS):
        if on_progress is not None:
            on_progress(f"what can be told apart: {look.words}", k, len(_LOOKS))
        of = f"{rest}, {look.beside}" if look.beside else rest
        obstacle = _obstacle(graph, look)
        if judge.is_done(base.limit):
            seen.append(judge.implied(base, of, look.words, look.bounds))
        elif obstacle is None:
            seen.append(judge.look(of, look.words, look.bounds, _colored(look.name, node=node, edge=edge)))
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


class _Judge:
    """Turns colours into limits, by the answers and the parts of a subject."""

    def __init__(self, subject: Subject):
        self.subject, self.items = subject, subject.items
        objective = None if subject.problem is None else subject.problem.task.objective
        self.is_multi_label, self.metric = isinstance(objective, MultiLabel), getattr(objective, "metric", "")
        is_of_numbers = isinstance(objective, Regression)
        self.measure = "" if objective is None else "accuracy"
        if is_of_numbers:
            self.measure = "MAE" if self.metric == "mae" else "RMSE"
        self.is_of_classes = isinstance(objective, SingleLabel) or subject.level == "link"

    def look(self, told: str, test: str, bounds: str, color: Callable[[Graph], tuple[Tensor, Tensor]]) -> Seen:
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
        name = "accuracy" if self.measure == "accuracy" else self.measure.lower()
        return {part: scores[name] for part, scores in self.subject.scores.items() if name in scores}

    def _of_items(self, nodes: Tensor, graphs: Tensor) -> Tensor:
        subject, pairs = self.subject, self.items.pairs
        if subject.level == "graph":
            own = subject.graph.graph.get(GRAPH_FEATURES)
            return graphs if not isinstance(own, Tensor) else _together(graphs, class_of_rows(own))
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
        everything = {"all": is_known(answers).nonzero().squeeze(1)}
        of_parts = {part: some for part, some in parts.items() if len(some)}
        return {
            part: self._value(bound_of(colors[some], answers[some])) for part, some in (everything | of_parts).items()
        }

    def _value(self, found: Bound) -> float:
        if self.is_of_classes and found.accuracy is not None:
            return found.accuracy
        if self.is_multi_label and found.absolute is not None:
            return 1 - found.absolute  # of answers that are 0 or 1, the share that is wrong
        value = found.absolute if self.measure == "MAE" else found.squared
        return float("nan") if value is None else float(value if self.measure == "MAE" else np.sqrt(value))


def _colored(test: WLTest = "1-wl", *, node: Sequence[str] = (), edge: Sequence[str] = ()):
    def color(graph: Graph) -> tuple[Tensor, Tensor]:
        nodes = node_colors(graph, test, node=node, edge=edge)
        return nodes, graph_colors(graph, test, node=node, edge=edge) if graph.num_graphs > 1 else torch.zeros(1).long()

    return color


def _unheard(graph: Graph, *, node: Sequence[str]) -> tuple[Tensor, Tensor]:
    """The features of each node by themselves; of a graph all of them, in no order."""
    bare = Graph(
        torch.zeros(2, 0, dtype=torch.int64), node={name: graph.node[name] for name in node}, num_nodes=graph.num_nodes
    )
    nodes = node_colors(bare, "1-wl", node=node)
    return nodes, _of_graphs(graph, nodes)


def _rounds(graph: Graph, *, node: Sequence[str], edge: Sequence[str], k: int) -> tuple[Tensor, Tensor]:
    labels = [class_of_rows(graph.node[name]) for name in node]
    joined = [class_of_rows(graph.edge[name]) for name in edge]
    found = color_refinement(
        graph,
        node_labels=torch.stack(labels, 1) if labels else None,
        edge_labels=torch.stack(joined, 1) if joined else None,
        max_rounds=k,
    )
    return found.colors, _of_graphs(graph, found.colors)


def _of_graphs(graph: Graph, nodes: Tensor) -> Tensor:
    """The same number for graphs whose nodes have the same colours, equally often."""
    parts = [tuple(sorted(part.tolist())) for part in nodes.split(graph.ptr.diff().tolist())]
    ranks = {key: k for k, key in enumerate(sorted(set(parts)))}
    return torch.tensor([ranks[key] for key in parts], dtype=torch.int64)


def class_of_rows(rows: Tensor | SparseMatrix) -> Tensor:
    """Which of the distinct rows each one is."""
    bare = Graph(torch.zeros(2, 0, dtype=torch.int64), node={"x": rows}, num_nodes=rows.shape[0])
    return node_colors(bare, "1-wl", node=("x",))


def _together(one: Tensor, other: Tensor) -> Tensor:
    return torch.stack([one.long(), other.long()], 1).unique(dim=0, return_inverse=True)[1] if len(one) else one


def _is_constant(tensor: Tensor | SparseMatrix) -> bool:
    return tensor.shape[0] == 0 or int(class_of_rows(tensor).max()) == 0


def _obstacle(graph: Graph, look: _Look) -> str | None:
    """Why a test is not made; None if it is."""
    nodes = graph.ptr.diff().double().numpy()
    edges = torch.bincount(graph.graph_id[graph.adj.dst.long()], minlength=graph.num_graphs).double().numpy()
    count = float(look.cost(nodes, edges).sum())
    most = f"and no more than {look.most:.2g} are taken"
    return None if count <= look.most else f"not made: it would look at {count:.2g} {look.unit}, {most}"
