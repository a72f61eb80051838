"""Models that are no networks and see no neighbours: boosted trees and a linear fit on the features, and the guess that
sees nothing.

A graph network that does no better has learnt nothing from the graph.
Gradient boosting over binned features: Friedman 2001; Ke et al. 2017; scikit-learn's HistGradientBoosting. Of an
energy the linear fit is the one of composition: so much for each element and kind of atom.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal

import numpy as np
import torch
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.segment import segment_reduce
from grapevine.ops.sparse import SparseMatrix
from grapevine.task import EdgeTask, GraphTask, MultiLabel, NodeTask, Regression, SingleLabel
from grapevine.task.task import PARTS, Part, Task

_WIDEST = 64  # features beyond which only the main directions are kept: trees look at every one of them
_LEAF = 20  # scikit-learn's smallest leaf; where fewer than its square teach, a leaf may be a twentieth of them
_NEVER: Any = False  # the type that scikit-learn's signature suggests is that of its default
_STEPS = 1000  # of the search for a logistic regression
_SURE = 1e-6  # no share is less, so that its logarithm is finite


@dataclass(frozen=True)
class Baseline:
    """What a plain model came to.

    Args:
        name: for tables.
        scores: every metric of the objective on each part; an empty part has none.
        seconds: how long it took.
        about: what it looked at, in words.
    """

    name: str
    scores: Mapping[Part, Mapping[str, float]]
    seconds: float
    about: str


def fit_trees(task: Task, *, seed: int = 0) -> Baseline:
    """Boosted trees, learnt on the training part, that see of a node its features; of a graph the sum, the mean and
    the maximum of its nodes' features and its numbers of nodes and edges; of an edge its own features and those of
    both ends (their sum and distance where the edge has no direction).

    Of features that are sparse or many, the first 64 principal directions (of all nodes, without their answers). The
    trees are scikit-learn's with its own settings, but for smaller leaves where few items teach: nothing is chosen on
    the validation part.

    Raises:
        InputError: if pairs of nodes are asked for, which have no features of their own.

    >>> from grapevine.data.datasets import load_dataset
    >>> dataset = load_dataset("karate")
    >>> task = NodeTask(dataset.graph, dataset.splits[0], SingleLabel(num_classes=2))
    >>> fit_trees(task).name
    'boosted trees'
    """
    begin, table = perf_counter(), _table(task, seed)

    def trees(rows: np.ndarray, known: np.ndarray, weight: np.ndarray | None, num_classes: int | None) -> _Said:
        smallest = max(1, min(_LEAF, len(rows) // _LEAF))
        if num_classes is None:
            numbers = HistGradientBoostingRegressor(min_samples_leaf=smallest, early_stopping=_NEVER, random_state=seed)
            numbers.fit(table.values[rows], known)
            return lambda some: numbers.predict(table.values[some])
        classes = HistGradientBoostingClassifier(min_samples_leaf=smallest, early_stopping=_NEVER, random_state=seed)
        classes.fit(table.values[rows], known, sample_weight=weight)
        places = np.eye(num_classes)[classes.classes_]  # of the classes that were there
        return lambda some: classes.predict_proba(table.values[some]) @ places

    return _judged("boosted trees", task, trees, begin, table.about)


def fit_linear(task: Task, *, seed: int = 0) -> Baseline:
    """Ridge or logistic regression, learnt on the training part, of what the trees see; each feature is scaled first.

    Raises:
        InputError: if pairs of nodes are asked for, which have no features of their own.

    >>> from grapevine.data.datasets import load_dataset
    >>> dataset = load_dataset("karate")
    >>> task = NodeTask(dataset.graph, dataset.splits[0], SingleLabel(num_classes=2))
    >>> fit_linear(task).scores["train"]["accuracy"]
    1.0
    """
    begin, table = perf_counter(), _table(task, seed)

    def linear(rows: np.ndarray, known: np.ndarray, weight: np.ndarray | None, num_classes: int | None) -> _Said:
        scaled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()).fit(table.values[rows])
        seen = scaled.transform(table.values[rows])
        if num_classes is None:
            numbers = Ridge().fit(seen, known)
            return lambda some: numbers.predict(scaled.transform(table.values[some]))
        classes = LogisticRegression(max_iter=_STEPS).fit(seen, known, sample_weight=weight)
        places = np.eye(num_classes)[classes.classes_]  # of the classes that were there
        return lambda some: classes.predict_proba(scaled.transform(table.values[some])) @ places

    return _judged("linear fit", task, linear, begin, table.about)


def fit_guess(task: Task) -> Baseline:
    """The same answer for every item: the classes' or labels' shares in the training part, or the mean of its numbers.

    Raises:
        InputError: if pairs of nodes are asked for, of which half are joined anyway.

    >>> from grapevine.data.datasets import load_dataset
    >>> dataset = load_dataset("karate")
    >>> task = NodeTask(dataset.graph, dataset.splits[0], SingleLabel(num_classes=2))
    >>> fit_guess(task).scores["train"]["accuracy"]
    0.5
    """

    def guess(rows: np.ndarray, known: np.ndarray, weight: np.ndarray | None, num_classes: int | None) -> _Said:
        if num_classes is None:
            return lambda some: np.full(len(some), known.mean())
        shares = np.bincount(known, weight, minlength=num_classes)
        return lambda some: np.tile(shares / shares.sum(), (len(some), 1))

    return _judged("guess", task, guess, perf_counter(), "nothing")


Plain = Literal["boosted trees", "linear fit", "guess"]
PLAIN: Mapping[Plain, Callable[[Task], Baseline]] = {
    "boosted trees": fit_trees, "linear fit": fit_linear, "guess": fit_guess,
}  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """[items, features], and what they are."""

    values: np.ndarray
    about: str


# What is said of items: [k, classes] shares or [k] numbers. A learner is given the items that teach, their answers,
# weights if any, and the number of classes, None of numbers.
_Said = Callable[[np.ndarray], np.ndarray]
_Learner = Callable[[np.ndarray, np.ndarray, np.ndarray | None, int | None], _Said]


def _judged(name: str, task: Task, learn: _Learner, begin: float, about: str) -> Baseline:
    objective, (target, items) = task.objective, _known_of(task)
    if isinstance(objective, SingleLabel):
        say = _of_classes(objective, target, items["train"], learn)
    elif isinstance(objective, MultiLabel | Regression):
        say = _of_columns(objective, target, items["train"], learn)
    else:
        raise InputError(f"trees do not answer what {type(objective).__name__} asks")
    scores: dict[Part, Mapping[str, float]] = {}
    for part in PARTS:
        asked = items[part]
        scores[part] = objective.scores(torch.from_numpy(say(asked.numpy())), target[asked]) if len(asked) else {}
    return Baseline(name, scores, perf_counter() - begin, about)


def _of_classes(objective: SingleLabel, target: Tensor, train: Tensor, learn: _Learner) -> _Said:
    """[k, classes] logarithms of shares."""
    known = target[train].numpy()
    weight = None if objective.class_weights is None else np.array(objective.class_weights)[known]
    said = _learnt(learn, train.numpy(), known, weight, objective.num_classes)
    return lambda some: np.log(said(some).clip(_SURE))


def _of_columns(objective: MultiLabel | Regression, target: Tensor, train: Tensor, learn: _Learner) -> _Said:
    """[k, labels] log odds, or [k, numbers] on the objective's scale."""
    columns = []
    for t in range(objective.out_channels):
        rows = train[~target[train, t].isnan()]
        known = target[rows, t].numpy()
        if isinstance(objective, Regression):
            columns.append(_of_numbers(objective, t, rows.numpy(), known, learn))
        else:
            columns.append(_of_label(objective, t, rows.numpy(), known, learn))
    return lambda some: np.stack([column(some) for column in columns], 1)


def _of_numbers(objective: Regression, t: int, rows: np.ndarray, known: np.ndarray, learn: _Learner) -> _Said:
    mean = 0.0 if objective.mean is None else objective.mean[t]
    std = 1.0 if objective.std is None else objective.std[t]
    said = learn(rows, known.astype(np.float64), None, None)
    return lambda some: (said(some) - mean) / std


def _of_label(objective: MultiLabel, t: int, rows: np.ndarray, known: np.ndarray, learn: _Learner) -> _Said:
    weight = None if objective.pos_weights is None else np.where(known > 0, objective.pos_weights[t], 1.0)
    said = _learnt(learn, rows, known.astype(np.int64), weight, 2)

    def odds(some: np.ndarray) -> np.ndarray:
        share = said(some)[:, 1].clip(_SURE, 1 - _SURE)
        return np.log(share / (1 - share))

    return odds


def _learnt(learn: _Learner, rows: np.ndarray, known: np.ndarray, weight: np.ndarray | None, num_classes: int) -> _Said:
    """What it says of classes; where one alone is known there is nothing to learn."""
    there = np.unique(known)
    if len(there) > 1:
        return learn(rows, known, weight, num_classes)
    shares = np.eye(num_classes)[there].sum(0) if len(there) else np.full(num_classes, 1 / num_classes)
    return lambda some: np.tile(shares, (len(some), 1))


def _known_of(task: Task) -> tuple[Tensor, dict[Part, Tensor]]:
    """The answers of all items, and the items of each part whose answer is known."""
    if not isinstance(task, NodeTask | GraphTask | EdgeTask):
        raise InputError("pairs of nodes have no features of their own: there is nothing for trees to look at")
    return task.target.cpu(), {part: items.cpu() for part, items in task.items.items()}


def _table(task: Task, seed: int) -> _Table:
    """The features of all items."""
    if not isinstance(task, NodeTask | GraphTask | EdgeTask):
        raise InputError("pairs of nodes have no features of their own: there is nothing for trees to look at")
    graph = task.graph.to("cpu")
    x, about = _node_features(graph, seed)
    if isinstance(task, GraphTask):
        pooled = [segment_reduce(graph.members, torch.from_numpy(x), reduce=how) for how in ("sum", "mean", "max")]
        sizes = graph.ptr.diff()
        edges = torch.bincount(graph.graph_id[graph.adj.dst.long()], minlength=graph.num_graphs)
        columns = [*(pool.numpy() for pool in pooled), torch.stack([sizes, edges], 1).float().numpy()]
        return _Table(np.concatenate(columns, 1), f"{about}, pooled over each graph, and its size")
    if isinstance(task, NodeTask):
        return _Table(x, about)
    src, dst = x[graph.adj.src.numpy()], x[graph.adj.dst.numpy()]
    ends = [src, dst] if task.is_directed else [src + dst, np.abs(src - dst)]
    own = [graph.edge[name] for name in ("edge_attr", "edge_weight") if name in graph.edge]
    own = [tensor.reshape(len(tensor), -1).float().numpy() for tensor in own if isinstance(tensor, Tensor)]
    return _Table(
        np.concatenate([*ends, *own], 1), f"{about} at both ends" + (", and those of the edge" if own else "")
    )


def _node_features(graph: Graph, seed: int) -> tuple[np.ndarray, str]:
    """[n, c], and what they are."""
    if "x" not in graph.node:
        raise InputError("the graph must hold features x of its nodes")
    sparse = isinstance(graph.x, SparseMatrix)
    x = graph.x.to_scipy() if sparse else graph.x.reshape(graph.num_nodes, -1).float().numpy()
    width = x.shape[1]
    if width <= _WIDEST:
        return (x.toarray() if sparse else x).astype(np.float32), f"{width} features of the nodes"
    count = min(_WIDEST, graph.num_nodes)
    directions = TruncatedSVD(count, random_state=seed).fit_transform(x if sparse else np.nan_to_num(x))
    return directions.astype(np.float32), f"{count} directions of the {width} features of the nodes"
