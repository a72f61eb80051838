"""Teaches a network to say the same of every node, labelled or not, whatever was dropped out (Feng et al. 2020).

loss = mean over s of loss_s + weight * mean over s and nodes i of |p_i(s) - q_i|^2
q_i  = the mean over s of p_i(s), to the power of 1 / temperature, scaled to add up to one, and no gradient

p_i(s) are the probabilities of the classes in pass s of several, each of which drops out something else. W. Feng et
al., "Graph random neural networks for semi-supervised learning on graphs", NeurIPS 2020, equations 3 to 6.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.task.objective import Objective
from grapevine.task.single_label import SingleLabel
from grapevine.task.task import Batch


class Consistency(BaseModel):
    """How several passes of a training step are made to agree.

    Args:
        samples: S, how many passes a step.
        temperature: below 1 the average that all are drawn to is sharpened.
        weight: how much disagreeing costs.

    >>> Consistency().samples
    4
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: Annotated[int, Field(ge=2)] = 4
    temperature: PositiveFloat = 0.5
    weight: NonNegativeFloat = 1.0


def consistent_loss(model: nn.Module, batch: Batch, objective: Objective, how: Consistency) -> Tensor:
    """The loss of one step: of the known answers, the mean over the passes, and of disagreeing, over all items.

    Raises:
        InputError: if the task is none of classes, or one of pairs of nodes.
    """
    is_fit = isinstance(objective, SingleLabel) and (batch.items is None or batch.items.ndim == 1)
    check(
        is_fit, "consistency is between the classes of nodes, graphs or edges: take a model without it, such as appnp"
    )
    outputs = [model(batch.graph, None) for _ in range(how.samples)]
    asked = [out if batch.items is None else out.index_select(0, batch.items) for out in outputs]
    supervised = torch.stack([objective.loss(out, batch.target) for out in asked]).mean()
    return supervised + how.weight * disagreement(outputs, how.temperature)


def disagreement(outputs: list[Float[Tensor, "n c"]], temperature: float) -> Float[Tensor, ""]:
    """The mean squared distance of each pass's probabilities from the sharpened average of all.

    >>> disagreement([torch.zeros(1, 2), torch.zeros(1, 2)], 0.5).item()
    0.0
    """
    logs = torch.stack([out.log_softmax(1) for out in outputs])
    share = logs.exp()
    aim = (share.mean(0).log() / temperature).softmax(1).detach()
    return (share - aim).square().sum(2).mean()
