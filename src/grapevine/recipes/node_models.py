"""The networks that classify nodes, with the sizes and the training of their papers.

GCN: Kipf & Welling 2017. GAT: Velickovic et al. 2018. GATv2: Brody et al. 2022. SAGE: Hamilton et al. 2017.
GIN: Xu et al. 2019. Each has two layers; the MLP sees no edges and is what the others are to be measured against.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn import GNN, MLP, Conv, GATConv, GATv2Conv, GCNConv, GINConv, Linear, SAGEConv
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.linear import Features
from grapevine.train.loop import Settings

ModelName = Literal["gcn", "sage", "gat", "gatv2", "gin", "mlp"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
Share = Annotated[float, Field(ge=0, lt=1)]


class NodeConfig(BaseModel):
    """What is trained on what: a network of two layers, its sizes and its training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    model: ModelName
    hidden_channels: PositiveInt = 16
    heads: PositiveInt = 1
    last_heads: PositiveInt = 1
    activation: Literal["relu", "elu"] = "relu"
    input_dropout: Share = 0.5
    dropout: Share = 0.5
    decays_first_layer_only: bool = False
    training: Settings = Settings()


def node_config(dataset: str, model: str = "gcn", *, max_epochs: int | None = None) -> NodeConfig:
    """The published settings of a model on a data set, or sensible ones where the paper has none.

    Raises:
        InputError: if there is no such model.

    >>> node_config("cora", "gcn").hidden_channels
    16
    """
    check(model in MODELS, f"there is no model {model!r}; there are {', '.join(MODELS)}")
    check(max_epochs is None or max_epochs >= 1, f"there must be at least one epoch, got {max_epochs}")
    fields = {"dataset": dataset, "model": model, **_DEFAULTS[model], **_ON.get((dataset, model), {})}
    config = NodeConfig.model_validate(fields)
    if max_epochs is None:
        return config
    training = config.training.model_copy(update={"max_epochs": max_epochs})
    return config.model_copy(update={"training": training})


def make_model(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
    """The network, called as `model(x, adj)`.

    >>> sum(p.numel() for p in make_model(node_config("cora", "gcn"), 1433, 7).parameters())
    23063
    """
    return _NETWORKS[config.model](config, in_channels, out_channels)


def first_layer(model: nn.Module) -> list[nn.Parameter]:
    """The parameters of the first layer."""
    return list(model.get_submodule("layers.0").parameters())


class _Encoded(nn.Module):
    """A linear map of the features in front of a network that wants them dense and narrow."""

    def __init__(self, encoder: Linear, network: GNN):
        super().__init__()
        self.layers = nn.ModuleList([encoder, network])

    def forward(self, x: Features, adj: Edges) -> Tensor:
        encoder, network = self.layers
        return network(encoder(x), adj)


def _stack(config: NodeConfig, first: Conv, last: Conv) -> GNN:
    return GNN(
        [first, last],
        activation=config.activation,
        dropout=config.dropout,
        input_dropout=config.input_dropout,
    )


def _gcn(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
    hidden = config.hidden_channels
    return _stack(config, GCNConv(in_channels, hidden), GCNConv(hidden, out_channels))


def _sage(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
    hidden = config.hidden_channels
    return _stack(config, SAGEConv(in_channels, hidden), SAGEConv(hidden, out_channels))


def _attention(layer: type[GATConv] | type[GATv2Conv]) -> Callable[[NodeConfig, int, int], nn.Module]:
    """Heads side by side, then averaged heads; the attention weights are dropped out like the states."""

    def make(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
        hidden, p = config.hidden_channels, config.dropout
        first = layer(in_channels, hidden, heads=config.heads, dropout=p)
        last = layer(hidden * config.heads, out_channels, heads=config.last_heads, concat=False, dropout=p)
        return _stack(config, first, last)

    return make


def _gin(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
    hidden = config.hidden_channels
    first, last = (GINConv(MLP([hidden, hidden, width])) for width in (hidden, out_channels))
    return _Encoded(Linear(in_channels, hidden), _stack(config, first, last))


def _mlp(config: NodeConfig, in_channels: int, out_channels: int) -> nn.Module:
    return MLP(
        [in_channels, config.hidden_channels, out_channels],
        activation=config.activation,
        dropout=config.dropout,
        input_dropout=config.input_dropout,
    )


_NETWORKS: dict[str, Callable[[NodeConfig, int, int], nn.Module]] = {
    "gcn": _gcn,
    "sage": _sage,
    "gat": _attention(GATConv),
    "gatv2": _attention(GATv2Conv),
    "gin": _gin,
    "mlp": _mlp,
}

_KIPF = Settings(learning_rate=0.01, weight_decay=5e-4, max_epochs=200, patience=10)
_VELICKOVIC = Settings(learning_rate=0.005, weight_decay=5e-4, max_epochs=1000, patience=100)
_ATTENTION = {
    "hidden_channels": 8, "heads": 8, "activation": "elu", "input_dropout": 0.6, "dropout": 0.6,
    "training": _VELICKOVIC,
}  # fmt: skip

_DEFAULTS: dict[str, Mapping[str, object]] = {
    "gcn": {"hidden_channels": 16, "decays_first_layer_only": True, "training": _KIPF},
    "sage": {"hidden_channels": 64, "training": Settings()},
    "gat": _ATTENTION,
    "gatv2": _ATTENTION,
    "gin": {
        "hidden_channels": 64,
        "training": Settings(learning_rate=0.005, weight_decay=5e-3),  # by validation accuracy on Cora
    },
    "mlp": {"hidden_channels": 64, "training": Settings()},
}
_DIGITS = {"input_dropout": 0.2, "training": Settings(max_epochs=400, patience=50)}

# What differs on one data set: published, or chosen by validation accuracy (digits).
_ON: dict[tuple[str, str], Mapping[str, object]] = {
    ("pubmed", "gat"): {
        "last_heads": 8,
        "training": Settings(learning_rate=0.01, weight_decay=1e-3, max_epochs=1000, patience=100),
    },
    **{("digits", model): _DIGITS for model in MODELS},
    ("digits", "gcn"): {"hidden_channels": 64} | _DIGITS,
    ("digits", "mlp"): {"dropout": 0.2} | _DIGITS,
}
