"""Says what is to be predicted from the answers alone, and in words why; it can be told.

rules    -> told        what the caller says
[n, t]   -> labels      if all that is known is 0 or 1, else t numbers
booleans, and floats that are all 0 or 1 -> two classes
integers -> classes     if they start at 0 and there are few: at most 20, or ten items of each in the mean
else     -> a number
"""

from typing import Any, Literal

import torch
from jaxtyping import Bool, Shaped
from pydantic import ValidationError
from torch import Tensor

from grapevine.checks import check_rows
from grapevine.data.split import SplitRule, is_known
from grapevine.errors import InputError, check
from grapevine.task.any_objective import AnyObjective, in_words
from grapevine.task.multi_label import MultiLabel
from grapevine.task.regression import Regression
from grapevine.task.single_label import SingleLabel
from grapevine.task.task import Level

Told = Literal["classes", "labels", "numbers"]

_FEW_CLASSES, _ITEMS_A_CLASS = 20, 10
_RARE = 0.25  # of two classes, the share below which accuracy says little: always guessing the other one is 75% right


def infer_objective(
    y: Shaped[Tensor, "n *t"],
    *,
    train: Bool[Tensor, " n"] | None = None,
    num_classes: int | None = None,
    metric: str | None = None,
    told: Told | None = None,
) -> tuple[AnyObjective, str]:
    """The objective that answers ask for, and a sentence that says so.

    Classes are chosen among by accuracy, two of which one is rare (under a quarter) by roc_auc; labels by roc_auc;
    numbers by mae.

    Args:
        y: the answers, -1 (classes) or NaN where they are unknown.
        train: which items teach: the scale of numbers is theirs. None: all.
        num_classes: how many classes there are, where y need not hold them all; it also tells that they are classes.
        metric: another one than the default.
        told: what y holds, so that it is not inferred.

    Raises:
        InputError: if no answer is known, or y can not be what is told, or has no such metric.

    >>> infer_objective(torch.tensor([0, 1, 2, 1, -1]))[1]
    'y holds 3 classes (4 of 5 known): classification by cross entropy, chosen by accuracy'
    >>> infer_objective(torch.tensor([0.5, 1.5]))[1]
    'y holds numbers from 0.5 to 1.5 (2 of 2 known): regression by mse, chosen by mae'
    """
    check(isinstance(y, Tensor) and y.ndim in (1, 2), "y must be a tensor of [n] or [n, t] answers")
    y = y.squeeze(1) if y.ndim == 2 and y.shape[1] == 1 and told != "labels" else y
    kind = told or ("classes" if num_classes is not None else _kind(y))
    known = is_known(y.float() if kind == "numbers" else y)  # of numbers -1 is one like any other
    check(bool(known.any()), "y must hold a known answer: all are missing (-1 or NaN)")
    count = f"({int(known.sum())} of {len(y)} known)"
    given: dict[str, Any] = {} if metric is None else {"metric": metric}
    try:
        if kind == "classes":
            return _classes(y, known, num_classes, given, count)
        if kind == "labels":
            return _labels(y, given, count)
        return _numbers(y, train, given, count)
    except ValidationError as error:
        raise InputError(f"this can not be the objective: {in_words(error)}") from None


def default_split(level: Level, objective: AnyObjective) -> SplitRule | None:
    """The split of a task that comes without one: 60/20/20 of nodes and edges, 80/10/10 of graphs, at random.

    One class a node or a graph is drawn class by class. None for links: 85/5/10 are `link_split`'s own shares.

    >>> default_split("graph", Regression()).kind
    'random'
    """
    if level == "link":
        return None
    is_drawn_by_class = isinstance(objective, SingleLabel) and level != "edge"
    shares = (0.8, 0.1) if level == "graph" else (0.6, 0.2)
    kind = "stratified" if is_drawn_by_class else "random"
    return SplitRule.model_validate({"kind": kind, "train": shares[0], "val": shares[1]})


def _kind(y: Tensor) -> Told:
    if y.ndim == 2:
        is_label = (y == 0) | (y == 1) | y.isnan() | ((y == -1) & (not y.is_floating_point()))
        return "labels" if bool(is_label.all()) else "numbers"
    if y.dtype == torch.bool:
        return "classes"
    values = y[is_known(y)].unique()
    if y.is_floating_point():
        return "classes" if len(values) and bool(((values == 0) | (values == 1)).all()) else "numbers"
    if len(y) and int(y.min()) < -1:
        return "numbers"
    there = int(values.max()) + 1 if len(values) else 0
    is_few = there <= _FEW_CLASSES or there * _ITEMS_A_CLASS <= int(is_known(y).sum())
    return "classes" if is_few else "numbers"


def _classes(y: Tensor, known: Tensor, num_classes: int | None, given: dict, count: str) -> tuple[AnyObjective, str]:
    check(y.ndim == 1, f"classes are one an item, y has shape {tuple(y.shape)}: say labels or numbers")
    sizes = torch.bincount(_whole(y[known]))
    total = max(num_classes or 0, len(sizes), 2)
    check(num_classes is None or total <= max(num_classes, 2), f"y holds class {len(sizes) - 1} of {num_classes}")
    rarest = float(sizes.min() / sizes.sum()) if len(sizes) == 2 else 1.0
    default, why = ("roc_auc", f", since one class is {rarest:.0%}") if rarest < _RARE and total == 2 else ("", "")
    chosen = {"metric": default} if default else {}
    objective = SingleLabel.model_validate({"num_classes": total} | chosen | given)
    why = "" if given else why
    words = f"y holds {total} classes {count}: classification by cross entropy, chosen by {objective.metric}{why}"
    return objective, words


def _labels(y: Tensor, given: dict, count: str) -> tuple[AnyObjective, str]:
    columns = 1 if y.ndim == 1 else y.shape[1]
    objective = MultiLabel(num_labels=columns, **given)
    objective.prepare(y)
    words = f"y holds {columns} labels {count}: multi-label classification by binary cross entropy"
    return objective, f"{words}, chosen by {objective.metric}"


def _numbers(y: Tensor, train: Tensor | None, given: dict, count: str) -> tuple[AnyObjective, str]:
    numbers = y.float() if not y.is_floating_point() else y
    if train is not None:
        check_rows("train", train, len(y), "items")
    objective = Regression.of(numbers if train is None else numbers[train], **given)
    some = numbers[~numbers.isnan()]
    what = "numbers" if objective.num_targets == 1 else f"{objective.num_targets} numbers an item"
    span = f"from {some.min().item():g} to {some.max().item():g}"
    return (
        objective,
        f"y holds {what} {span} {count}: regression by {objective.loss_name}, chosen by {objective.metric}",
    )


def _whole(y: Tensor) -> Tensor:
    """Known classes as int64."""
    whole = y.long()
    fits = bool((whole == y).all()) and bool((whole >= 0).all())
    check(fits, "classes must be whole numbers from 0 on; encode them first, or say numbers")
    return whole
