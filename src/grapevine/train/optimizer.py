"""The optimizer that the settings name: one fused step over all parameters."""

from collections.abc import Iterable

import torch
from torch import nn

from grapevine.train.settings import Settings


def make_optimizer(
    model: nn.Module, settings: Settings, *, decayed: Iterable[nn.Parameter] | None = None
) -> torch.optim.Optimizer:
    """The optimizer over the model's parameters.

    It is fused: on small models the other variants cost more than the model.

    Args:
        decayed: the parameters that `weight_decay` acts on; None means all. The others have `other_weight_decay`.

    >>> make_optimizer(nn.Linear(2, 1), Settings(optimizer="sgd")).defaults["momentum"]
    0.9
    """
    everything = [p for p in model.parameters() if p.requires_grad]
    chosen = everything if decayed is None else list(decayed)
    ids = {id(p) for p in chosen}
    others = [p for p in everything if id(p) not in ids]
    groups = [
        {"params": chosen, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": settings.other_weight_decay},
    ]
    groups = [group for group in groups if group["params"]]
    rate = settings.learning_rate
    match settings.optimizer:
        case "adam":
            return torch.optim.Adam(groups, lr=rate, fused=True)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum, fused=True)
