"""The networks of atoms by name, how large they are where nothing is told, and how each is trained.

Steps are those of the papers (MACE 0.01, NequIP 0.005, PaiNN 5e-4 to 1e-3, the others 1e-3 or below); the widths and
the cosine are ours, for some hundreds or thousands of structures on a processor: the papers train for days. The average
of the weights (0.99 a step) and the bound on gradients (10) are MACE's and NequIP's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch

from grapevine.errors import check
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.recipes.atoms.config import PotentialConfig, PotentialName
from grapevine.train.settings import Settings

DTYPES = {"float32": torch.float32, "float64": torch.float64}
_OPTIONS = ("hidden_channels", "num_layers", "hidden_degree", "max_degree", "correlation")
_PLAIN = {"hidden_channels": "hidden_channels", "num_layers": "num_layers"}


@dataclass(frozen=True)
class _Row:
    """A network: where it lives, what it calls our options, and how it is trained.

    Args:
        shape: the class beside it that holds its options, where they are not its own arguments.
        sizes: our options where nothing is told.
    """

    module: str
    network: str
    names: Mapping[str, str]
    learning_rate: float
    batch_size: int
    shape: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    takes_average: bool = False  # avg_num_neighbors


_ROWS: dict[PotentialName, _Row] = {
    "mace": _Row(
        "mace", "MACE", {**_PLAIN, "hidden_channels": "channels", "hidden_degree": "hidden_degree",
                         "max_degree": "max_degree", "correlation": "correlation"},
        0.01, 5, "MACEShape", {"hidden_channels": 32, "hidden_degree": 1, "max_degree": 3}, True,
    ),
    "nequip": _Row(
        "nequip", "NequIP", {**_PLAIN, "hidden_channels": "channels", "hidden_degree": "max_degree"},
        0.005, 5, "NequIPShape", {"hidden_channels": 32}, True,
    ),
    "painn": _Row("painn", "PaiNN", _PLAIN, 1e-3, 10, None, {"hidden_channels": 64}),
    "schnet": _Row("schnet", "SchNet", _PLAIN, 1e-3, 10),
    "dtnn": _Row("dtnn", "DTNN", {**_PLAIN, "num_layers": "num_steps"}, 1e-3, 25, None, {"hidden_channels": 64}),
    "egnn": _Row("egnn", "EGNN", _PLAIN, 1e-3, 10, None, {"hidden_channels": 64, "num_layers": 4}),
    "dimenet": _Row("dimenet", "DimeNetPlusPlus", _PLAIN, 1e-3, 10, None, {"hidden_channels": 64}),
}  # fmt: skip


def build_potential_network(config: PotentialConfig) -> AtomNetwork:
    """The network with one output channel, in its dtype; its weights come from the global random numbers.

    Raises:
        InputError: if an option is told that the network has not.

    >>> build_potential_network(PotentialConfig(name="schnet", elements=(1, 8))).elements
    (1, 8)
    """
    row = _ROWS[config.name]
    home = import_module(f"grapevine.nn.equivariant.{row.module}")
    told = {name: getattr(config, name) for name in _OPTIONS if getattr(config, name) is not None}
    wrong = [name for name in told if name not in row.names]
    check(not wrong, f"{config.name} has no {', '.join(wrong)}; of these it has {', '.join(row.names)}")
    sizes = {row.names[name]: value for name, value in (dict(row.sizes) | told).items()}
    options: dict[str, Any] = sizes if row.shape is None else {"shape": getattr(home, row.shape)(**sizes)}
    if row.takes_average and config.avg_num_neighbors is not None:
        options["avg_num_neighbors"] = config.avg_num_neighbors
    network = getattr(home, row.network)(elements=config.elements, cutoff=config.cutoff, **options)
    return network.to(DTYPES[config.dtype])


def potential_settings(name: PotentialName) -> Settings:
    """How a network is trained where nothing is told.

    >>> potential_settings("mace").learning_rate
    0.01
    """
    return Settings(
        learning_rate=_ROWS[name].learning_rate, weight_decay=0.0, schedule="cosine", clip_norm=10.0, ema=0.99,
        max_epochs=100, patience=50,
    )  # fmt: skip


def potential_batch_size(name: PotentialName) -> int:
    """Structures a step where nothing is told."""
    return _ROWS[name].batch_size
