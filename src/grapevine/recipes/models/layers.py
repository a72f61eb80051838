"""Networks of layers of one kind: stacked, in residual blocks, behind a linear map where they want dense features."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn import (
    GNN,
    MLP,
    AddResidual,
    ARMAConv,
    BatchNorm,
    ChebConv,
    Conv,
    DiffGroupNorm,
    DirGNNConv,
    DropMessage,
    Encoder,
    GATConv,
    GatedResidual,
    GATSepConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GINEConv,
    GraphNorm,
    InitialResidual,
    InteractionConv,
    JumpingKnowledge,
    JumpingNetwork,
    LayerNorm,
    Linear,
    LinearConv,
    MLPMessageConv,
    NeuralFingerprintConv,
    PairNorm,
    PNAConv,
    Residual,
    ResidualBlock,
    SAGEConv,
    SGConv,
)
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.jumping import JumpKind
from grapevine.nn.linear import Features, dropout_features, linear
from grapevine.ops.epilogue import epilogue
from grapevine.recipes.models.config import ModelConfig, ModelName
from grapevine.recipes.models.given import Given
from grapevine.typing import ActivationName

_NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "layer": LayerNorm, "graph": GraphNorm}
_NORMS |= {"pair": lambda width: PairNorm(), "group": DiffGroupNorm}
_KINDS: dict[str, Literal[False, "dense"]] = {"none": False, "dense": "dense"}  # residuals that are one for all layers
_JUMPS: dict[str, JumpKind] = {"cat": "cat", "max": "max", "lstm": "lstm"}
_DROPPABLE: tuple[ModelName, ...] = ("gcn", "sage", "gin")  # whose messages can be dropped
_SPARSE: tuple[ModelName, ...] = (  # take sparse features
    "mlp", "gcn", "gat", "gatv2", "cheb", "arma", "sgc", "gat-sep", "dirgnn",
)  # fmt: skip


class _Layer(NamedTuple):
    """A convolution and the width of its states."""

    conv: Conv
    width: int


class _Framed(nn.Module):
    """A linear map of the features in front of a network that wants them dense, and what stands behind it.

    z = activation(W x + b), dropped out where it is activated
    """

    def __init__(
        self,
        front: Linear,
        network: Encoder,
        back: nn.Module | None,
        *,
        activation: ActivationName,
        input_dropout: float,
        dropout: float,
    ):
        super().__init__()
        self.layers = nn.ModuleList([front, network] if back is None else [front, network, back])
        self.activation: ActivationName = activation
        self.input_dropout, self.dropout = input_dropout, dropout

    def forward(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Tensor:
        front, network, *back = self.layers
        assert isinstance(front, Linear)
        x = dropout_features(x, self.input_dropout, self.training)
        dropout = self.dropout if self.training else 0.0
        h = epilogue(linear(x, front.fitted(x)), front.bias, activation=self.activation, dropout=dropout)
        h = network(h, adj, edge)
        return back[0](h) if back else h


def stack(config: ModelConfig, given: Given, width: int, *, is_read_out: bool) -> nn.Module:
    """Layers with an activation between them, and behind the last where its states are read out."""
    takes_sparse = config.name in _SPARSE or (
        config.name in ("sage", "sage-sep") and config.aggregation in ("mean", "sum")
    )
    front = Linear(given.channels, config.hidden_channels) if given.is_sparse and not takes_sparse else None
    has_jump = config.jumping not in ("none", "readout")
    layers, channels, residuals = [], given.channels if front is None else config.hidden_channels, []
    for k in range(config.num_layers):
        is_last = k == config.num_layers - 1 and not has_jump
        out = width if is_last else config.hidden_channels
        layers.append(layer_of(config, channels, out, given.edge_channels, is_last=is_last))
        residuals.append(_residual(config, channels, layers[-1].width))
        channels = sum(one.width for one in layers) if config.residual == "dense" else layers[-1].width
    is_read_out = is_read_out or has_jump
    normed = layers if is_read_out else layers[:-1]
    network = GNN(
        [layer.conv for layer in layers],
        activation=config.activation,
        dropout=config.dropout,
        input_dropout=config.input_dropout if front is None else 0.0,
        norms=None if config.norm == "none" else [norm_of(config, layer.width) for layer in normed],
        residual=_KINDS.get(config.residual, residuals[: len(normed)]),
        activate_last=is_read_out,
    )
    if has_jump:
        network = JumpingNetwork(
            network, JumpingKnowledge(_JUMPS[config.jumping], layers[-1].width, config.num_layers), width
        )
    if front is None:
        return network
    return _Framed(front, network, None, activation="none", input_dropout=config.input_dropout, dropout=0.0)


def blocks(config: ModelConfig, given: Given, width: int) -> nn.Module:
    """Residual blocks between two linear maps."""
    hidden, blocks = config.hidden_channels, []
    for _ in range(config.num_layers):
        conv, inner = layer_of(config, hidden, hidden, given.edge_channels)
        options = {"activation": config.activation, "dropout": config.dropout}
        blocks.append(ResidualBlock(conv, hidden, inner_channels=inner, norm=norm_of(config, hidden), **options))
    back = nn.Sequential(norm_of(config, hidden), Linear(hidden, width))
    return _Framed(
        Linear(given.channels, hidden), GNN(blocks, activation="none"), back, activation=config.activation,
        input_dropout=config.input_dropout, dropout=config.dropout,
    )  # fmt: skip


def check_asked(name: ModelName, asked: Mapping[str, object]) -> None:
    """Raise an InputError if the model makes nothing of a field of its configuration that was asked for.

    >>> check_asked("gcn", {"norm": "pair", "drop_edge": 0.2})
    """
    is_stack = name in CONVOLUTIONS
    uses = {
        "norm": is_stack, "residual": is_stack, "jumping": is_stack, "drop_message": name in _DROPPABLE,
        "drop_edge": name != "mlp", "drop_node": True,
    }  # fmt: skip
    idle = [field for field in asked if not uses[field]]
    told = " and ".join(f"{field} {asked[field]}" for field in idle)
    check(not idle, f"{name} makes nothing of {told}: try another model, such as gcn")


def layer_of(config: ModelConfig, channels: int, out: int, edge: int | None, *, is_last: bool = False) -> _Layer:
    """A convolution of the configuration's kind, with what it drops of its messages, and the width of its states."""
    layer = _CONVS[config.name](config, channels, out, edge, is_last)
    return layer if config.drop_message == 0 else layer._replace(conv=DropMessage(layer.conv, config.drop_message))


def norm_of(config: ModelConfig, width: int) -> nn.Module:
    """What stands behind a layer of such states."""
    return nn.Identity() if config.norm == "none" else _NORMS[config.norm](width)


def _residual(config: ModelConfig, channels: int, width: int) -> Residual:
    if config.residual == "initial":
        return InitialResidual(config.alpha)
    # Between other widths there is none, whatever its kind: a gate would learn nothing there.
    return GatedResidual(width) if config.residual == "gated" and channels == width else AddResidual()


def _alone(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(LinearConv(channels, out), out)


def _gcn(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(GCNConv(channels, out), out)


def _sage(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(SAGEConv(channels, out, aggregation=config.aggregation), out)


def _attention(layer: type[GATConv] | type[GATv2Conv]) -> Callable[..., _Layer]:
    """Heads side by side, in the last layer averaged; the attention weights are dropped out like the states."""

    def make(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
        heads = config.last_heads if is_last else config.heads
        options: dict[str, Any] = {"heads": heads, "concat": not is_last, "dropout": config.dropout}
        return _Layer(layer(channels, out, edge_channels=edge, **options), out if is_last else heads * out)

    return make


def _gat_sep(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    """The heads share the hidden channels."""
    return _Layer(GATSepConv(channels, out, heads=config.heads, hidden_channels=config.hidden_channels), out)


def _directed(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    """One convolution along the edges, one against them, and a map of a node's own state."""
    make = {
        "gcn": lambda: GCNConv(channels, out, bias=False),
        "sage": lambda: SAGEConv(channels, out, root_weight=False, bias=False),
        "gat": lambda: GATConv(channels, out, bias=False),
    }[config.direction_base]
    return _Layer(DirGNNConv(make(), make(), alpha=config.direction_share, root=Linear(channels, out)), out)


def _mapped(config: ModelConfig, channels: int, out: int) -> MLP:
    """What GIN maps its sums with: two linear layers (Xu et al. 2019)."""
    has_norm = config.norm == "batch"
    return MLP([channels, config.hidden_channels, out], activation=config.activation, batch_norm=has_norm)


def _gin(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(GINConv(_mapped(config, channels, out), train_eps=config.train_eps), out)


def _gine(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    network = _mapped(config, channels, out)
    return _Layer(GINEConv(network, in_channels=channels, edge_channels=edge, train_eps=config.train_eps), out)


def _arma(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    """One stack of one layer, whose activation is the network's own, behind the layer."""
    return _Layer(ARMAConv(channels, out, activation="none"), out)


def _pna(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(PNAConv(channels, out, avg_log_degree=1.0, edge_channels=edge), out)  # `fit_to` knows the degrees


def _message_mlp(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    """The last layer has no norm of its own, which would take from the answers how large they are."""
    options: dict[str, Any] = {
        "activation": config.activation, "layer_norm": not is_last, "hidden_channels": config.hidden_channels,
    }  # fmt: skip
    return _Layer(MLPMessageConv(channels, out, edge_channels=edge, **options), out)


def _interaction(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    """Hidden layers as wide as the states, fewer than those that the paper predicts motion with."""
    hidden = (config.hidden_channels,)
    conv = InteractionConv(
        channels, out, edge or 0, relation_channels=hidden, effect_channels=config.hidden_channels,
        object_channels=hidden, activation=config.activation,
    )  # fmt: skip
    return _Layer(conv, out)


def _fingerprint(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    degree = 0 if config.max_degree is None else config.max_degree
    return _Layer(NeuralFingerprintConv(channels, out, max_degree=degree, edge_channels=edge), out)


_CONVS: dict[ModelName, Callable[..., _Layer]] = {
    "cheb": lambda config, channels, out, edge, is_last: _Layer(ChebConv(channels, out, config.order), out),
    "arma": _arma,
    "sgc": lambda config, channels, out, edge, is_last: _Layer(SGConv(channels, out, config.order), out),
    "pna": _pna,
    "mlp-message": _message_mlp,
    "interaction": _interaction,
    "fingerprint": _fingerprint,
    "mlp": _alone,
    "gcn": _gcn,
    "sage": _sage,
    "gat": _attention(GATConv),
    "gatv2": _attention(GATv2Conv),
    "gin": _gin,
    "gine": _gine,
    "gat-sep": _gat_sep,
    "sage-sep": _sage,
    "dirgnn": _directed,
}

CONVOLUTIONS: tuple[ModelName, ...] = tuple(_CONVS)  # the models that are stacks of them
