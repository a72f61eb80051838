"""Numbers for each item, learnt on a standard scale and told in the user's units.

loss = mean over the known answers of  l(z_it - (y_it - mean_t) / std_t),   prediction = mean_t + std_t z_it
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from pydantic import Field, PositiveFloat, PositiveInt, model_validator
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.task.objective import Objective

Loss = Literal["mse", "mae", "huber"]
Metric = Literal["mae", "rmse", "r2"]
_LOSSES: dict[Loss, Callable] = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


class Regression(Objective):
    """One number an item, or several, NaN where unknown; scores and columns are in the user's units.

    Args:
        num_targets: how many numbers there are for each item.
        mean, std: of each of them over the training items, see `Regression.of`; None: 0 and 1.
        loss_name: mse, mae or huber (beyond one standard deviation linear), on the standard scale.
        metric: mae, rmse or r2; of several numbers the mean over them.

    >>> objective = Regression.of(torch.tensor([10.0, 30.0]))
    >>> objective.mean, objective.std
    ((20.0,), (10.0,))
    >>> objective.score(torch.tensor([[-1.0], [0.0]]), torch.tensor([[10.0], [30.0]]))
    5.0
    """

    kind: Literal["regression"] = "regression"
    num_targets: PositiveInt = 1
    metric: Annotated[str, Field(pattern="^(mae|rmse|r2)$")] = "mae"
    mean: tuple[float, ...] | None = None
    std: tuple[PositiveFloat, ...] | None = None
    loss_name: Loss = "mse"

    @classmethod
    def of(cls, y_train: Float[Tensor, "k *t"], *, loss_name: Loss = "mse", metric: Metric = "mae") -> "Regression":
        """With the mean and the standard deviation of the known numbers; 1 for the latter where they do not vary.

        Raises:
            InputError: if some target has no known number.
        """
        columns = [column[~column.isnan()] for column in _as_columns(y_train).double().unbind(1)]
        check(
            len(columns) > 0 and min(map(len, columns)) > 0, "each number to predict must be known of a training item"
        )
        check(all(bool(column.isfinite().all()) for column in columns), "the numbers to predict must be finite")
        mean = tuple(column.mean().item() for column in columns)
        std = tuple(column.std(correction=0).item() or 1.0 for column in columns)
        return cls(num_targets=len(columns), mean=mean, std=std, loss_name=loss_name, metric=metric)

    @model_validator(mode="after")
    def _check_scale(self) -> "Regression":
        for name, given in (("mean", self.mean), ("std", self.std)):
            if given is not None and len(given) != self.num_targets:
                raise InputError(f"{self.num_targets} targets take as many numbers in {name}, got {len(given)}")
        return self

    @property
    def out_channels(self) -> int:
        return self.num_targets

    @property
    def is_higher_better(self) -> bool:
        return self.metric == "r2"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that `scores` gives."""
        return "mae", "rmse", "r2"

    def prepare(self, y: Shaped[Tensor, "k *t"]) -> Float[Tensor, "k t"]:
        """[k, t] numbers, NaN where they are unknown; whole ones become float32."""
        numbers = _as_columns(y)
        is_fit = numbers.shape[1] == self.num_targets
        check(is_fit, f"y must have {self.num_targets} numbers an item, got shape {tuple(y.shape)}")
        check(not bool(numbers.isinf().any()), "y must hold finite numbers, and NaN where one is unknown")
        return numbers

    def loss(self, output: Float[Tensor, "k c"], target: Float[Tensor, "k *t"]) -> Float[Tensor, ""]:
        target = _as_columns(target)
        known = ~target.isnan()
        mean, std = self._scale(target)
        wanted = ((target - mean) / std).where(known, 0).to(output.dtype)
        each = _LOSSES[self.loss_name](output, wanted, reduction="none")
        return each.where(known, 0).sum() / known.sum()

    def scores(
        self, output: Float[Tensor, "k c"], target: Float[Tensor, "k *t"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        return {name: self._measure(name, output, target) for name in names or self.metrics}

    def _measure(self, name: str, output: Tensor, target: Tensor) -> float:
        target = _as_columns(target).double()
        known = ~target.isnan()
        error = (self._in_units(output.double()) - target).where(known, 0)
        count = known.sum(0)
        if name == "mae":
            each = error.abs().sum(0) / count
        elif name == "rmse":
            each = (error.square().sum(0) / count).sqrt()
        else:
            centre = target.where(known, 0).sum(0) / count
            spread = (target - centre).where(known, 0).square().sum(0)
            each = 1 - error.square().sum(0) / spread
            count = count.where(spread > 0, 0)  # not defined where nothing varies
        return each[count > 0].mean().item()

    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """`prediction`, or `prediction_0` and so on where there are several, in the user's units."""
        numbers = self._in_units(output.float())
        if self.num_targets == 1:
            return {"prediction": numbers[:, 0]}
        return {f"prediction_{t}": column for t, column in enumerate(numbers.unbind(1))}

    def _in_units(self, output: Tensor) -> Tensor:
        mean, std = self._scale(output)
        return mean + std * output

    def _scale(self, like: Tensor) -> tuple[Tensor, Tensor]:
        mean, std = self.mean or (0.0,) * self.num_targets, self.std or (1.0,) * self.num_targets
        return like.new_tensor(mean), like.new_tensor(std)


def _as_columns(y: Tensor) -> Tensor:
    """[k, t] floating-point numbers."""
    check(y.ndim in (1, 2), f"y must be [k] or [k, t] numbers, got shape {tuple(y.shape)}")
    y = y if y.is_floating_point() else y.to(torch.float32)
    return y.unsqueeze(1) if y.ndim == 1 else y
