"""One class of several for each item.

loss = mean over the known items i of  -w[y_i] log softmax(z_i)[y_i],  divided by the mean of w[y_i]
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Shaped
from pydantic import Field, NonNegativeFloat, model_validator
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.task import metrics
from grapevine.task.objective import Objective

_COUNTED = {"balanced_accuracy": metrics.balanced_accuracy, "f1_macro": metrics.f1_macro}
_ORDINAL = ("mae", "quadratic_kappa")
_RANKED = {"roc_auc": metrics.roc_auc, "average_precision": metrics.average_precision}
_METRICS = "|".join(["accuracy", *_COUNTED, *_ORDINAL, *_RANKED])


class SingleLabel(Objective):
    """Classes 0 .. num_classes - 1, -1 where unknown; a model gives a number for each class, two for two classes.

    Args:
        num_classes: how many classes there are.
        class_weights: how much an item of each class teaches; None: all alike. See `class_weights_of`.
        label_smoothing: the share of the answer that is spread evenly over all classes (Szegedy et al. 2016).
        metric: accuracy, balanced_accuracy, f1_macro; roc_auc or average_precision (of class 1 where there are two
            classes, else the mean over the classes, each against the others); mae or quadratic_kappa where the classes
            are in an order.

    >>> objective = SingleLabel(num_classes=2)
    >>> logits, y = torch.tensor([[2.0, 0.0], [3.0, 1.0], [0.0, 0.0]]), torch.tensor([0, 1, -1])
    >>> objective.score(logits, y)
    0.5
    """

    kind: Literal["single_label"] = "single_label"
    num_classes: Annotated[int, Field(ge=2)]
    metric: Annotated[str, Field(pattern=f"^({_METRICS})$")] = "accuracy"
    class_weights: tuple[NonNegativeFloat, ...] | None = None
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _check_weights(self) -> "SingleLabel":
        if self.class_weights is not None and len(self.class_weights) != self.num_classes:
            raise InputError(f"{self.num_classes} classes take as many weights, got {len(self.class_weights)}")
        return self

    @property
    def out_channels(self) -> int:
        return self.num_classes

    @property
    def is_higher_better(self) -> bool:
        return self.metric != "mae"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that `scores` gives: those of a ranking for two classes, or else if one of them was chosen,
        and those of an order if one of them was chosen."""
        names = ["accuracy", *_COUNTED]
        names += _RANKED if self.num_classes == 2 or self.metric in _RANKED else []
        names += _ORDINAL if self.metric in _ORDINAL else []
        return tuple(names)

    def prepare(self, y: Shaped[Tensor, "k *t"]) -> Int[Tensor, " k"]:
        """Classes as int64, -1 where they are unknown: whole numbers of any type, NaN for unknown among floats."""
        y = y.squeeze(1) if y.ndim == 2 and y.shape[1] == 1 else y
        check(y.ndim == 1, f"y must hold one class an item, got shape {tuple(y.shape)}")
        classes = torch.where(y.isnan(), -1, y).long() if y.is_floating_point() else y.long()
        is_whole = not y.is_floating_point() or bool(((classes == y) | y.isnan()).all())
        check(is_whole, "y must hold classes, that is whole numbers; it holds fractions")
        if len(classes):
            low, high = int(classes.min()), int(classes.max())
            wrong = low if low < -1 else high
            wanted = f"y must lie in 0 .. {self.num_classes - 1}, or be -1 where it is unknown"
            check(low >= -1 and high < self.num_classes, f"{wanted}; got {wrong}")
        return classes

    def loss(self, output: Float[Tensor, "k c"], target: Int[Tensor, " k"]) -> Float[Tensor, ""]:
        weight = None if self.class_weights is None else output.new_tensor(self.class_weights)
        smoothing = self.label_smoothing
        return F.cross_entropy(output, target, weight=weight, ignore_index=-1, label_smoothing=smoothing)

    def scores(
        self, output: Float[Tensor, "k c"], target: Int[Tensor, " k"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        return {name: self._measure(name, output, target) for name in names or self.metrics}

    def _measure(self, name: str, output: Tensor, target: Tensor) -> float:
        if name == "accuracy":  # asked for after every epoch: a few operations; -1 is never the largest one's place
            return ((output.argmax(1) == target).sum() / (target >= 0).sum()).item()
        known = target >= 0
        output, target = output[known], target[known]
        if len(target) == 0:
            return math.nan
        if name in _RANKED:
            return self._ranking(name, output, target)
        prediction = output.argmax(1)
        if name == "mae":
            return (prediction - target).abs().double().mean().item()
        measure = metrics.quadratic_kappa if name == "quadratic_kappa" else _COUNTED[name]
        return measure(metrics.confusion(prediction, target, self.num_classes))

    def _ranking(self, name: str, output: Tensor, target: Tensor) -> float:
        measure = _RANKED[name]
        if self.num_classes == 2:
            return measure(output[:, 1].double() - output[:, 0].double(), target)
        # Softmax ranks one class against the others; in float64, so that sure answers are no ties.
        shares = output.double().softmax(1)
        each = [measure(shares[:, c], target == c) for c in range(self.num_classes)]
        defined = [value for value in each if not math.isnan(value)]
        return sum(defined) / len(defined) if defined else math.nan

    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """The class, its probability, and the probability of each class as `probability_0` and so on."""
        shares = output.float().softmax(1)
        largest, prediction = shares.max(1)
        each = {f"probability_{c}": share for c, share in enumerate(shares.unbind(1))}
        return {"prediction": prediction, "probability": largest, **each}


def class_weights_of(y: Int[Tensor, " n"], num_classes: int) -> tuple[float, ...]:
    """Weights that let every class teach as much: number of known items / (classes times items of the class).

    A class without items weighs 0.

    >>> class_weights_of(torch.tensor([0, 0, 0, 1, -1]), 2)
    (0.6666666666666666, 2.0)
    """
    sizes = torch.bincount(y[y >= 0], minlength=num_classes)
    check(len(sizes) == num_classes, f"y must lie in 0 .. {num_classes - 1}, got {len(sizes) - 1}")
    there = int((sizes > 0).sum())
    return tuple(int(sizes.sum()) / (there * size) if size else 0.0 for size in sizes.tolist())
