"""Whole networks of one paper each, from the features to the answers, made for graphs whose neighbours are unlike."""

from collections.abc import Callable

from grapevine.nn import FAGCN, GPRGNN, H2GCN, LINKX, Encoder
from grapevine.recipes.models.config import ModelConfig, ModelName
from grapevine.recipes.models.given import Given


def _h2gcn(config: ModelConfig, given: Given, width: int) -> Encoder:
    return H2GCN(
        given.channels, width, hidden_channels=config.hidden_channels, num_rounds=config.num_layers,
        activation=config.activation, dropout=config.dropout, input_dropout=config.input_dropout,
    )  # fmt: skip


def _gprgnn(config: ModelConfig, given: Given, width: int) -> Encoder:
    """An MLP of two layers, as in the paper; num_layers counts the hops."""
    return GPRGNN(
        given.channels, width, hidden_channels=[config.hidden_channels], num_hops=config.num_layers,
        alpha=config.alpha, activation=config.activation, dropout=config.dropout, input_dropout=config.input_dropout,
    )  # fmt: skip


def _fagcn(config: ModelConfig, given: Given, width: int) -> Encoder:
    return FAGCN(
        given.channels, width, hidden_channels=config.hidden_channels, num_layers=config.num_layers, eps=config.eps,
        dropout=config.dropout, input_dropout=config.input_dropout,
    )  # fmt: skip


def _linkx(config: ModelConfig, given: Given, width: int) -> Encoder:
    """num_layers counts those of the last network; it has a batch norm where the others have."""
    return LINKX(
        config.num_nodes or 1, given.channels, width, hidden_channels=config.hidden_channels,
        num_layers=config.num_layers, dropout=config.dropout, input_dropout=config.input_dropout,
        batch_norm=config.norm == "batch",
    )  # fmt: skip


NETWORKS: dict[ModelName, Callable[[ModelConfig, Given, int], Encoder]] = {
    "h2gcn": _h2gcn,
    "gprgnn": _gprgnn,
    "fagcn": _fagcn,
    "linkx": _linkx,
}
