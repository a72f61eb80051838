"""What no network of a test's power can do better on given data: nodes or graphs of one colour get one answer.

accuracy = sum over classes of the count of the commonest label / how many there are
squared  = mean of (y - mean of y in its class)^2,   absolute = mean of |y - median of y in its class|
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.checks import FLOATS, check_rows, check_tensor
from grapevine.diagnose.wl import WLTest, graph_colors, node_colors
from grapevine.errors import InputError, check
from grapevine.graph import Graph

Counted: TypeAlias = Literal["node", "graph"]


@dataclass(frozen=True)
class Bound:
    """What a test leaves undecided.

    Args:
        num_items: how many nodes or graphs there are.
        num_classes: into how many classes of one colour they fall.
        num_alike: how many share their class with another one.
        accuracy: the highest that any function of the colours has on the labels; None where they are numbers.
        squared: the lowest mean squared error; None where the labels are classes.
        absolute: the lowest mean absolute error; None where the labels are classes.
    """

    num_items: int
    num_classes: int
    num_alike: int
    accuracy: float | None = None
    squared: float | None = None
    absolute: float | None = None


def bound(
    graph: Graph,
    labels: Shaped[Tensor, "n *t"],
    test: WLTest = "1-wl",
    *,
    level: Counted | None = None,
    node: Sequence[str] | None = None,
    edge: Sequence[str] = (),
) -> Bound:
    """How well any network of a test's power can do on the labels of nodes or of a batch's graphs, however trained.

    It holds for networks that know no more than the named tensors: random features or node numbers are not bounded.
    For a part of the nodes or graphs, take `bound_of(colors[mask], labels[mask])`.

    Args:
        labels: whole numbers or booleans are classes, other numbers are predicted as such; NaN is unknown. With
            several columns, the figures are means over the columns.
        level: what has the labels; by default what there are as many of as rows.
        node: the node tensors that are known from the start; by default those of x and z that there are.
        edge: the edge tensors that are; by default none.

    Raises:
        InputError: for labels that fit neither the nodes nor the graphs, or both, and as `graph_colors`.

    >>> path = Graph([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    >>> bound(path, torch.tensor([0, 1, 1, 1]))
    Bound(num_items=4, num_classes=2, num_alike=4, accuracy=0.75, squared=None, absolute=None)
    """
    level = _level(graph, labels, level)
    colors = (node_colors if level == "node" else graph_colors)(graph, test, node=node, edge=edge)
    return bound_of(colors, labels)


def bound_of(colors: Int[Tensor, " n"], labels: Shaped[Tensor, "n *t"] | None = None) -> Bound:
    """The same for colours that are known, one for each row of the labels; without labels the classes are counted.

    >>> found = bound_of(torch.tensor([5, 3, 3]), torch.tensor([1.0, 2.0, 4.0]))
    >>> round(found.squared, 4), round(found.absolute, 4)
    (0.6667, 0.6667)
    """
    check_tensor("colors", colors, ndim=1, dtypes=(torch.int64, torch.int32))
    _, classes, counts = np.unique(colors.cpu().numpy(), return_inverse=True, return_counts=True)
    sizes = len(classes), len(counts), int(counts[counts > 1].sum())
    if labels is None:
        return Bound(*sizes)
    check(isinstance(labels, Tensor) and labels.ndim > 0, "labels must be a tensor with a row for each colour")
    check_rows("labels", labels, len(classes), "colours")
    columns = labels.detach().cpu().reshape(len(classes), -1).T
    if labels.dtype not in FLOATS:
        return Bound(*sizes, accuracy=_mean([_accuracy(classes, column) for column in columns.long().numpy()]))
    squared, absolute = [], []
    for column in columns.double().numpy():
        known = ~np.isnan(column)
        squared.append(_squared(classes[known], column[known]))
        absolute.append(_absolute(classes[known], column[known]))
    return Bound(*sizes, squared=_mean(squared), absolute=_mean(absolute))


def _level(graph: Graph, labels: Tensor, level: Counted | None) -> Counted:
    if not isinstance(graph, Graph):
        raise InputError(f"a Graph is expected, got {type(graph).__name__}: give Graph(edge_index, num_nodes=...)")
    check(level in (None, "node", "graph"), f"level must be node or graph, got {level!r}")
    check(isinstance(labels, Tensor) and labels.ndim > 0, "labels must be a tensor with a row for each node or graph")
    if level is not None:
        check_rows("labels", labels, graph.num_nodes if level == "node" else graph.num_graphs, f"{level}s")
        return level
    fits_nodes, fits_graphs = (len(labels) == size for size in (graph.num_nodes, graph.num_graphs))
    counts = f"{graph.num_nodes} nodes and {graph.num_graphs} graphs"
    check(fits_nodes or fits_graphs, f"labels must have a row for each node or graph, got {len(labels)} for {counts}")
    check(fits_nodes != fits_graphs, f"{len(labels)} labels fit {counts}: give level='node' or level='graph'")
    return "node" if fits_nodes else "graph"


def _accuracy(classes: np.ndarray, labels: np.ndarray) -> float:
    if len(classes) == 0:
        return float("nan")
    (of, _), counts = np.unique(np.stack([classes, labels]), axis=1, return_counts=True)
    most = np.zeros(int(classes.max()) + 1, np.int64)
    np.maximum.at(most, of, counts)
    return float(most.sum() / len(classes))


def _squared(classes: np.ndarray, values: np.ndarray) -> float:
    if len(classes) == 0:
        return float("nan")
    means = np.bincount(classes, weights=values) / np.maximum(np.bincount(classes), 1)
    return float(np.mean((values - means[classes]) ** 2))


def _absolute(classes: np.ndarray, values: np.ndarray) -> float:
    if len(classes) == 0:
        return float("nan")
    order = np.lexsort((values, classes))
    of, ordered = classes[order], values[order]
    ends = np.searchsorted(of, np.arange(int(of.max()) + 2))
    middle = np.minimum((ends[:-1] + ends[1:]) // 2, len(of) - 1)  # either of two middle values gives the same sum
    return float(np.mean(np.abs(ordered - ordered[middle][of])))


def _mean(values: list[float]) -> float:
    """Over the columns of which anything is known."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
