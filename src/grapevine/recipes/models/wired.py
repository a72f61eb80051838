"""Networks whose news need not pass along the edges alone: a virtual node, or a last layer that hears all nodes."""

from typing import Any

from grapevine.errors import check
from grapevine.nn import GNN, Encoder, Linear
from grapevine.nn.fully_adjacent import FullyAdjacent
from grapevine.nn.virtual_node import VirtualNode
from grapevine.recipes.models.config import ModelConfig
from grapevine.recipes.models.encoders import Fronted
from grapevine.recipes.models.given import Given
from grapevine.recipes.models.layers import CONVOLUTIONS, layer_of, norm_of


def wired(config: ModelConfig, given: Given, width: int) -> Encoder:
    """The layers of the model, wired as `config.wiring` says; the last puts out `width` numbers.

    Raises:
        InputError: for a model that is no stack of convolutions, or has too few layers.

    >>> config = ModelConfig(name="gcn", wiring="virtual-node")
    >>> type(wired(config, Given(5, False, None, None), 3)).__name__
    'VirtualNode'
    """
    wiring, is_stack = config.wiring, config.name in CONVOLUTIONS and not config.has_blocks
    what = f"{config.name}{' of residual blocks' if config.has_blocks else ''}"
    check(is_stack, f"{wiring} is for stacks of convolutions, as gcn, gat and gin are, and not for {what}")
    is_plain = config.residual == "none" and config.jumping in ("none", "readout")
    check(is_plain, f"{wiring} goes with no residual and no jumping, got {config.residual} and {config.jumping}")
    check(config.num_layers > 1, f"{wiring} needs at least two layers, got {config.num_layers}: give --layers 2")
    if given.is_sparse or config.input_dropout > 0:
        front = Linear(given.channels, config.hidden_channels)
        inner = given._replace(channels=config.hidden_channels, is_sparse=False)
        return Fronted(front, _inner(config, inner, width), input_dropout=config.input_dropout)
    return _inner(config, given, width)


def _inner(config: ModelConfig, given: Given, width: int) -> Encoder:
    options: dict[str, Any] = {"activation": config.activation, "dropout": config.dropout}
    hidden, edge = config.hidden_channels, given.edge_channels
    states = layer_of(config, hidden, hidden, edge).width
    if config.wiring == "virtual-node":
        layers = [layer_of(config, states, hidden, edge).conv for _ in range(config.num_layers - 1)]
        layers.append(layer_of(config, states, width, edge, is_last=True).conv)
        norms = None if config.norm == "none" else [norm_of(config, states) for _ in layers[:-1]]
        return VirtualNode(given.channels, states, layers, norms=norms, **options)
    ins = [given.channels, *[states] * (config.num_layers - 2)]
    norms = None if config.norm == "none" else [norm_of(config, states) for _ in ins]
    body = GNN([layer_of(config, c, hidden, edge).conv for c in ins], norms=norms, activate_last=True, **options)
    return FullyAdjacent(body, layer_of(config, states, width, None, is_last=True).conv)
