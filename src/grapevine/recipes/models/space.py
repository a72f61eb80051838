"""Where better settings of each model are looked for, and how found ones are put in.

A name is "model." or "training." and a field of ModelConfig or Settings.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from grapevine.errors import InputError, check
from grapevine.recipes.models.config import MODELS, ModelConfig
from grapevine.task.any_objective import in_words
from grapevine.task.task import Level
from grapevine.train.settings import Settings
from grapevine.train.tune import Choice, Range, Value

_TRAINING: dict[str, Range | Choice] = {
    "training.learning_rate": Range(1e-3, 3e-2, is_log=True),
    "training.weight_decay": Range(1e-6, 1e-2, is_log=True),
}
_ALL: dict[str, Range | Choice] = {
    "model.num_layers": Range(1, 4, is_whole=True),
    "model.hidden_channels": Choice((16, 32, 64, 128)),
    "model.dropout": Range(0.0, 0.8),
    "model.norm": Choice(("none", "batch", "layer")),
}
_LEVELS: dict[Level, dict[str, Range | Choice]] = {
    "node": {"model.input_dropout": Range(0.0, 0.8), "model.residual": Choice(("none", "add"))},
    "graph": {
        "model.num_layers": Range(2, 6, is_whole=True),
        "model.dropout": Range(0.0, 0.5),
        "model.head_dropout": Range(0.0, 0.5),
        "model.readout": Choice(("sum", "mean", "max")),
    },
    "link": {"model.decoder": Choice(("dot", "bilinear", "mlp")), "model.state_channels": Choice((16, 32, 64, 128))},
    "edge": {"model.head_dropout": Range(0.0, 0.5), "model.state_channels": Choice((16, 32, 64, 128))},
}
_HEADS: dict[str, Range | Choice] = {"model.heads": Choice((1, 2, 4, 8)), "model.hidden_channels": Choice((8, 16, 32))}
_MODELS: dict[str, dict[str, Range | Choice]] = {
    "sage": {"model.aggregation": Choice(("mean", "max", "sum"))},
    "gat": _HEADS,
    "gatv2": _HEADS,
    "gin": {"model.train_eps": Choice((False, True))},
    "gine": {"model.train_eps": Choice((False, True))},
    "h2gcn": {"model.num_layers": Choice((1, 2))},
    "gprgnn": {"model.num_layers": Choice((10,)), "model.alpha": Choice((0.1, 0.2, 0.5, 0.9, 1.0))},
    "fagcn": {"model.num_layers": Range(2, 8, is_whole=True), "model.eps": Range(0.1, 1.0)},
    "gat-sep": {"model.heads": Choice((1, 2, 4, 8))},
    "dirgnn": {
        "model.direction_base": Choice(("gcn", "sage", "gat")),
        "model.direction_share": Choice((0.0, 0.5, 1.0)),
    },
}


def search_space(name: str, *, level: Level) -> dict[str, Range | Choice]:
    """What is tried of each setting of a model.

    Raises:
        InputError: if there is no such model.

    >>> search_space("gat", level="node")["model.heads"]
    Choice(values=(1, 2, 4, 8))
    """
    check(name in MODELS, f"there is no model {name!r}; there are {', '.join(MODELS)}")
    return {**_ALL, **_LEVELS[level], **_MODELS.get(name, {}), **_TRAINING}


def with_values(config: ModelConfig, settings: Settings, values: Mapping[str, Value]) -> tuple[ModelConfig, Settings]:
    """The two with these values in the place of theirs.

    Raises:
        InputError: if a name is of neither, or a value can not be.

    >>> config, settings = with_values(ModelConfig(name="gcn"), Settings(), {"model.num_layers": 3})
    >>> config.num_layers
    3
    """
    parts: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
    for name, value in values.items():
        part, _, field = name.partition(".")
        check(part in parts, f"a setting is called model.FIELD or training.FIELD, got {name!r}")
        parts[part][field] = value
    try:
        model = ModelConfig.model_validate({**config.model_dump(), **parts["model"]})
        return model, Settings.model_validate({**settings.model_dump(), **parts["training"]})
    except ValidationError as error:
        raise InputError(f"these settings can not be: {in_words(error)}") from None
