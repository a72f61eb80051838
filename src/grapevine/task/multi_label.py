"""Several labels for each item, each of them there, not there or unknown.

loss = mean over the known answers of  -p_t y_it log s(z_it) - (1 - y_it) log(1 - s(z_it)),  s the logistic function
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import InputError, check
from grapevine.task import metrics
from grapevine.task.objective import Objective

_RANKED = {"roc_auc": metrics.roc_auc, "average_precision": metrics.average_precision}


class MultiLabel(Objective):
    """Labels that are 1 or 0, NaN (or -1) where unknown; a model gives a number for each label.

    Args:
        num_labels: how many labels there are.
        pos_weights: how much a 1 of each label counts against a 0; None: as much.
        metric: roc_auc or average_precision, the mean over the labels that have both a 1 and a 0, as in the Open
            Graph Benchmark (Hu et al. 2020); accuracy, the share of right answers; f1_micro, over all answers together.

    >>> import torch
    >>> objective = MultiLabel(num_labels=2)
    >>> output, y = torch.tensor([[1.0, -1.0], [-1.0, 2.0]]), torch.tensor([[1.0, float("nan")], [0.0, 0.0]])
    >>> objective.scores(output, y)["roc_auc"]
    1.0
    """

    kind: Literal["multi_label"] = "multi_label"
    num_labels: PositiveInt
    metric: Annotated[str, Field(pattern="^(roc_auc|average_precision|accuracy|f1_micro)$")] = "roc_auc"
    pos_weights: tuple[PositiveFloat, ...] | None = None

    @model_validator(mode="after")
    def _check_weights(self) -> "MultiLabel":
        if self.pos_weights is not None and len(self.pos_weights) != self.num_labels:
            raise InputError(f"{self.num_labels} labels take as many weights, got {len(self.pos_weights)}")
        return self

    @property
    def out_channels(self) -> int:
        return self.num_labels

    @property
    def is_higher_better(self) -> bool:
        return True

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that `scores` gives."""
        return *_RANKED, "accuracy", "f1_micro"

    def prepare(self, y: Shaped[Tensor, "k t"]) -> Float[Tensor, "k t"]:
        """Labels as float32, NaN where they are unknown."""
        y = y.unsqueeze(1) if y.ndim == 1 else y
        is_fit = y.ndim == 2 and y.shape[1] == self.num_labels
        check(is_fit, f"y must have a column for each of the {self.num_labels} labels, got shape {tuple(y.shape)}")
        labels = y.float()
        labels = labels.where(labels != -1, math.nan)
        is_label = bool(((labels == 0) | (labels == 1) | labels.isnan()).all())
        check(is_label, "y must hold 0 and 1, and NaN or -1 where a label is unknown")
        return labels

    def loss(self, output: Float[Tensor, "k c"], target: Float[Tensor, "k t"]) -> Float[Tensor, ""]:
        known = _known(target)
        weight = None if self.pos_weights is None else output.new_tensor(self.pos_weights)
        wanted = target.where(known, 0).to(output.dtype)
        each = F.binary_cross_entropy_with_logits(output, wanted, pos_weight=weight, reduction="none")
        return each.where(known, 0).sum() / known.sum()

    def scores(
        self, output: Float[Tensor, "k c"], target: Float[Tensor, "k t"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        return {name: self._measure(name, output, target) for name in names or self.metrics}

    def _measure(self, name: str, output: Tensor, target: Tensor) -> float:
        check_tensor("target", target, ndim=2)
        known = _known(target)
        if name in _RANKED:
            each = [
                _RANKED[name](output[known[:, t], t], target[known[:, t], t].long()) for t in range(self.num_labels)
            ]
            defined = [value for value in each if not math.isnan(value)]
            return sum(defined) / len(defined) if defined else math.nan
        prediction, wanted = output[known] > 0, target[known] > 0
        if name == "accuracy":
            return (prediction == wanted).double().mean().item()
        return (2 * (prediction & wanted).sum() / (prediction.sum() + wanted.sum())).item()

    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """`prediction_0` and so on, 1 where a label is likelier there than not, then `probability_0` and so on."""
        shares = output.float().sigmoid().unbind(1)
        predictions = {f"prediction_{t}": (share > 0.5).long() for t, share in enumerate(shares)}
        return predictions | {f"probability_{t}": share for t, share in enumerate(shares)}


def _known(target: Tensor) -> Tensor:
    return target >= 0  # neither -1 nor NaN
