"""Networks made to be deep, of one paper each, and what is dropped in training around any network."""

from collections.abc import Callable

from torch import nn

from grapevine.nn import (
    APPNP,
    GCNII,
    Drop,
    DropEdge,
    DropNode,
    Dropped,
    Encoder,
    GraphDiffusion,
    GraphRandomNetwork,
)
from grapevine.recipes.models.config import NEEDS_BOTH_WAYS, ModelConfig, ModelName
from grapevine.recipes.models.given import Given

_ATTENTION = 16  # numbers a head


def dropped(config: ModelConfig, network: nn.Module) -> nn.Module:
    """The network, given fewer edges and features in training if that was asked for."""
    drops: list[Drop] = []
    if config.drop_edge > 0:
        drops.append(DropEdge(config.drop_edge, symmetric=config.name in NEEDS_BOTH_WAYS))
    if config.drop_node > 0 and config.name != "grand":  # which hides nodes itself
        drops.append(DropNode(config.drop_node))
    return Dropped(network, drops) if drops else network


def _gcnii(config: ModelConfig, given: Given, width: int) -> Encoder:
    return GCNII(
        given.channels, width, hidden_channels=config.hidden_channels, num_layers=config.num_layers,
        alpha=config.alpha, strength=config.strength, dropout=config.dropout, input_dropout=config.input_dropout,
    )  # fmt: skip


def _appnp(config: ModelConfig, given: Given, width: int) -> Encoder:
    return APPNP(
        given.channels, width, hidden_channels=[config.hidden_channels], num_steps=config.num_layers,
        alpha=config.alpha, dropout=config.dropout, input_dropout=config.input_dropout, edge_dropout=config.dropout,
    )  # fmt: skip


def _grand(config: ModelConfig, given: Given, width: int) -> Encoder:
    return GraphRandomNetwork(
        given.channels, width, hidden_channels=config.hidden_channels, num_steps=config.num_layers,
        drop_node=config.drop_node, dropout=config.dropout, input_dropout=config.input_dropout,
        batch_norm=config.norm == "batch",
    )  # fmt: skip


def _diffusion(config: ModelConfig, given: Given, width: int) -> Encoder:
    """With a source, as in the authors' program, and fixed steps, so that a batch says what its graphs say alone."""
    return GraphDiffusion(
        given.channels, width, hidden_channels=config.hidden_channels, time=float(config.num_layers),
        heads=config.heads, attention_channels=config.heads * _ATTENTION, is_linear=config.is_linear, has_source=True,
        solver="rk4", dropout=config.dropout, input_dropout=config.input_dropout,
    )  # fmt: skip


DEEP: dict[ModelName, Callable[[ModelConfig, Given, int], Encoder]] = {
    "gcnii": _gcnii,
    "appnp": _appnp,
    "grand": _grand,
    "grand-diffusion": _diffusion,
}
