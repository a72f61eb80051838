"""An exponential moving average of the weights, which often judges better than the last step's.

a_1 = w_1,    a_t = decay a_(t-1) + (1 - decay) w_t          B. Polyak, A. Juditsky, 1992 (averaging)
"""

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


def make_average(model: nn.Module, decay: float | None) -> AveragedModel | None:
    """The average of the model's weights, kept in `.module` by `.update_parameters(model)`; None without a decay.

    Statistics that the model gathers itself, as BatchNorm does, are the model's latest.

    >>> import torch
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = make_average(model, 0.9)
    >>> for weight in (1.0, 2.0):
    ...     model.weight.data.fill_(weight) and average.update_parameters(model)
    >>> round(average.module.weight.item(), 4)
    1.1
    """
    if decay is None:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
