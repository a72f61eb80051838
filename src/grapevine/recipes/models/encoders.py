"""Whole networks of one paper each, that keep more than the states of nodes between their steps."""

from collections.abc import Callable, Iterator

from torch import Tensor

from grapevine.errors import check
from grapevine.nn import (
    DMPNN,
    GGNN,
    MPNN,
    AttentiveFP,
    BatchNorm,
    Encoder,
    GatedGCNConv,
    GraphNetwork,
    Linear,
    MolecularGraphConv,
    NodeEdgeLayer,
    NodeEdgeStack,
    Weave,
)
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.linear import Features, dropout_features
from grapevine.recipes.models.config import ModelConfig, ModelName
from grapevine.recipes.models.given import Given

_WEAVE_CHANNELS = 50  # between the modules, of Kearnes et al. 2016


class Fronted(Encoder):
    """A linear map of the features in front of an encoder that wants them dense, narrow or dropped out."""

    def __init__(self, front: Linear, encoder: Encoder, *, input_dropout: float):
        super().__init__()
        self.front, self.encoder, self.input_dropout = front, encoder, input_dropout

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        yield x
        states = self.encoder.steps(self.front(dropout_features(x, self.input_dropout, self.training)), adj, edge)
        next(states)  # what it was given
        yield from states


def encoder(config: ModelConfig, given: Given) -> Encoder:
    """The network up to its readout; its states are `hidden_channels` wide."""
    hidden = config.hidden_channels
    needs_front = given.is_sparse or config.input_dropout > 0 or (config.name == "ggnn" and given.channels > hidden)
    if not needs_front:
        return ENCODERS[config.name](config, given)
    front = Linear(given.channels, hidden)
    made = ENCODERS[config.name](config, given._replace(channels=hidden, is_sparse=False))
    return Fronted(front, made, input_dropout=config.input_dropout)


def _mpnn(config: ModelConfig, given: Given) -> Encoder:
    """An undirected graph holds both directions of an edge, so the edges that come in say all there is."""
    return MPNN(
        given.channels, config.hidden_channels, _edge_channels(config, given), num_steps=config.num_layers,
        both_directions=not config.symmetric, tied=config.tied,
    )  # fmt: skip


def _ggnn(config: ModelConfig, given: Given) -> Encoder:
    return GGNN(
        given.channels, config.hidden_channels, num_steps=config.num_layers, edge_channels=given.edge_channels,
        directed=not config.symmetric,
    )  # fmt: skip


def _dmpnn(config: ModelConfig, given: Given) -> Encoder:
    return DMPNN(
        given.channels, config.hidden_channels, edge_channels=_edge_channels(config, given),
        num_steps=config.num_layers, mode=config.mode, activation=config.activation, dropout=config.dropout,
    )  # fmt: skip


def _attentive_fp(config: ModelConfig, given: Given) -> Encoder:
    return AttentiveFP(
        given.channels, config.hidden_channels, edge_channels=_edge_channels(config, given),
        num_layers=config.num_layers, dropout=config.dropout,
    )  # fmt: skip


def _weave(config: ModelConfig, given: Given) -> Encoder:
    hidden = config.hidden_channels
    return Weave(
        given.channels, hidden, edge_channels=_edge_channels(config, given), hidden_channels=_WEAVE_CHANNELS,
        num_layers=config.num_layers, distance=config.distance, norm=BatchNorm(hidden),
    )  # fmt: skip


def _graph_network(config: ModelConfig, given: Given) -> Encoder:
    return GraphNetwork(
        given.channels, config.hidden_channels, given.edge_channels or 0, num_steps=config.num_layers,
        activation=config.activation,
    )  # fmt: skip


def _node_edge(make: Callable[[int, float], NodeEdgeLayer]) -> Callable[[ModelConfig, Given], Encoder]:
    def build(config: ModelConfig, given: Given) -> Encoder:
        hidden = config.hidden_channels
        layers = [make(hidden, config.dropout) for _ in range(config.num_layers)]
        return NodeEdgeStack(given.channels, layers, hidden_channels=hidden, edge_channels=given.edge_channels)

    return build


def _edge_channels(config: ModelConfig, given: Given) -> int:
    check(given.edge_channels is not None, f"{config.name} needs features of the edges (edge_attr)")
    return given.edge_channels or 0


ENCODERS: dict[ModelName, Callable[[ModelConfig, Given], Encoder]] = {
    "mpnn": _mpnn,
    "ggnn": _ggnn,
    "dmpnn": _dmpnn,
    "attentivefp": _attentive_fp,
    "weave": _weave,
    "graphnet": _graph_network,
    "gatedgcn": _node_edge(lambda hidden, dropout: GatedGCNConv(hidden, hidden, dropout=dropout)),
    "molgraph": _node_edge(lambda hidden, dropout: MolecularGraphConv(hidden, hidden, edge_channels=hidden)),
}
