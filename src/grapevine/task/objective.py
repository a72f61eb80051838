"""What the answers mean: how far a model's numbers are from them, how good they are, and what they say.

Missing answers (-1 for a class, NaN for a number) neither teach nor count.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from jaxtyping import Float, Shaped
from pydantic import BaseModel, ConfigDict
from torch import Tensor


class Objective(BaseModel, ABC):
    """A loss, a metric that chooses among models, and the meaning of a model's numbers; kept in a run's config.

    `score` computes the one metric that chooses, which a loop may ask for after every epoch; `scores` computes all.
    The tasks take `AnyObjective`, the objectives that can also `prepare` the answers that data hold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str  # the name, in `scores`, of what chooses among models

    @property
    @abstractmethod
    def out_channels(self) -> int:
        """How many numbers a model gives an item."""

    @property
    @abstractmethod
    def is_higher_better(self) -> bool:
        """Whether the larger value of the metric is the better one."""

    @abstractmethod
    def loss(self, output: Float[Tensor, "k c"], target: Shaped[Tensor, "k *t"]) -> Float[Tensor, ""]:
        """What training lowers; the mean over the answers that are known."""

    @abstractmethod
    def scores(
        self, output: Float[Tensor, "k c"], target: Shaped[Tensor, "k *t"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        """These metrics by name, None: every one of this objective; NaN where one is not defined."""

    @abstractmethod
    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """What the numbers say, a column each: `prediction` first, then probabilities where there are any."""

    def score(self, output: Float[Tensor, "k c"], target: Shaped[Tensor, "k *t"]) -> float:
        """The metric that chooses among models, alone."""
        return self.scores(output, target, (self.metric,))[self.metric]
