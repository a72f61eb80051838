"""What training must remember to go on as if it had never stopped, taken apart into tensors and plain data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from grapevine.task.objective import Objective
from grapevine.train.checkpoint import State, checksum
from grapevine.train.record import Epoch
from grapevine.train.schedule import Schedule
from grapevine.train.settings import Settings

Parts = Mapping[str, nn.Module | torch.optim.Optimizer]

_FREE = {"checkpoint_every", "checkpoint_unit"}  # when it is written changes nothing


@dataclass
class Standing:
    """How far training has come: its rows, the best epoch, what was to fall there and its weights."""

    weights: dict[str, Tensor]
    best_epoch: int = 0
    value: float = math.inf
    history: list[Epoch] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tripped: list[str] = field(default_factory=list)
    written_best: int = -1


def identity_of(
    model: nn.Module, objective: Objective, settings: Settings, decayed: Sequence[nn.Parameter] | None
) -> dict[str, Any]:
    """What a checkpoint must share with the training that goes on from it; the weights are those at the start."""
    chosen = None if decayed is None else {id(p) for p in decayed}
    return {
        "settings": settings.model_dump(mode="json", exclude=_FREE),
        "objective": {"kind": type(objective).__name__, **objective.model_dump(mode="json")},
        "model": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
        "decayed": None if chosen is None else [name for name, p in model.named_parameters() if id(p) in chosen],
        "first weights": checksum({name: t.detach().cpu() for name, t in model.state_dict().items()}),
    }


def state_of(progress: Standing, parts: Parts, schedule: Schedule | None) -> State:
    """All of it, to be kept."""
    tensors, content = {f"best.{name}": tensor for name, tensor in progress.weights.items()}, {}
    for part, held in parts.items():
        if isinstance(held, nn.Module):
            tensors |= {f"{part}.{name}": tensor for name, tensor in held.state_dict().items()}
        else:
            numbers = held.state_dict()
            found = {f"{i}.{key}": value for i, state in numbers["state"].items() for key, value in state.items()}
            tensors |= {f"{part}.{name}": value for name, value in found.items() if isinstance(value, Tensor)}
            content[part] = numbers["param_groups"]
    told = {name: getattr(progress, name) for name in ("best_epoch", "value", "warnings", "tripped")}
    content |= told | {
        "history": [asdict(row) for row in progress.history],
        "schedule": None if schedule is None else schedule.state(),
    }
    return State(tensors, content)


def restored(state: State, parts: Parts, schedule: Schedule | None) -> Standing:
    """Put the state back into the parts and the schedule; returns how far it had come."""
    content = state.content
    for part, held in parts.items():
        tensors = _under(state.tensors, part)
        if isinstance(held, nn.Module):
            held.load_state_dict(tensors)
        else:
            held.load_state_dict(_optimizer_state(tensors, content[part]))
    if schedule is not None:
        schedule.restore(content["schedule"])
    history = [Epoch(**(row | {"warnings": tuple(row["warnings"])})) for row in content["history"]]
    device = next(iter(_weights(parts))).device
    weights = {name: tensor.to(device) for name, tensor in _under(state.tensors, "best").items()}
    told = {name: content[name] for name in ("best_epoch", "value", "warnings", "tripped")}
    return Standing(weights, history=history, **told)


def _weights(parts: Parts) -> list[Tensor]:
    return [p for held in parts.values() if isinstance(held, nn.Module) for p in held.parameters()]


def _under(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}."): t for name, t in tensors.items() if name.startswith(f"{part}.")}


def _optimizer_state(tensors: Mapping[str, Tensor], groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        place, key = name.split(".", 1)
        states.setdefault(int(place), {})[key] = tensor
    return {"state": states, "param_groups": [dict(group) for group in groups]}
