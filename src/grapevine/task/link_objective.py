"""Whether a pair of nodes is joined: positives against negatives.

loss = mean over the pairs of  -y log s(z) - (1 - y) log(1 - s(z)),  s the logistic function
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch.nn.functional as F
from jaxtyping import Float, Shaped
from pydantic import Field
from torch import Tensor

from grapevine.errors import check
from grapevine.task import metrics
from grapevine.task.objective import Objective

_HITS = (10, 50, 100)


class Link(Objective):
    """Pairs that are joined (1) or not (0); a model gives one number a pair, the higher the surer.

    Args:
        metric: roc_auc, average_precision, mrr (each positive's rank among all the negatives) or hits@k for any k (the
            share of positives above the k-th highest negative).

    >>> import torch
    >>> Link(metric="hits@1").score(torch.tensor([[2.0], [0.0], [1.0]]), torch.tensor([1.0, 1.0, 0.0]))
    0.5
    """

    kind: Literal["link"] = "link"
    metric: Annotated[str, Field(pattern="^(roc_auc|average_precision|mrr|hits@[1-9][0-9]*)$")] = "roc_auc"

    @property
    def out_channels(self) -> int:
        return 1

    @property
    def is_higher_better(self) -> bool:
        return True

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of all that `scores` gives."""
        names = ["roc_auc", "average_precision", "mrr", *(f"hits@{k}" for k in _HITS)]
        return tuple(names if self.metric in names else [*names, self.metric])

    def prepare(self, y: Shaped[Tensor, " k"]) -> Float[Tensor, " k"]:
        """1 and 0 as float32."""
        check(y.ndim == 1, f"y must hold one number a pair, got shape {tuple(y.shape)}")
        check(bool(((y == 0) | (y == 1)).all()), "y must hold 1 where a pair is joined and 0 where it is not")
        return y.float()

    def loss(self, output: Float[Tensor, "k c"], target: Float[Tensor, " k"]) -> Float[Tensor, ""]:
        return F.binary_cross_entropy_with_logits(output.squeeze(1), target.to(output.dtype))

    def scores(
        self, output: Float[Tensor, "k c"], target: Float[Tensor, " k"], names: Sequence[str] | None = None
    ) -> dict[str, float]:
        return {name: self._measure(name, output, target) for name in names or self.metrics}

    def _measure(self, name: str, output: Tensor, target: Tensor) -> float:
        score = output.squeeze(1)
        if name == "roc_auc":
            return metrics.roc_auc(score, target)
        if name == "average_precision":
            return metrics.average_precision(score, target)
        positive, negative = score[target > 0], score[target == 0]
        if name == "mrr":
            return metrics.mean_reciprocal_rank(positive, negative)
        return metrics.hits_at(int(name.removeprefix("hits@")), positive, negative)

    def columns(self, output: Float[Tensor, "k c"]) -> dict[str, Tensor]:
        """Whether the pair is likelier joined than not, 1 or 0, and the probability that it is."""
        share = output.float().squeeze(1).sigmoid()
        return {"prediction": (share > 0.5).long(), "probability": share}
