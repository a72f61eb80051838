"""Builds the network that a configuration describes, for the graph it is to learn from."""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn import (
    GNN,
    MLP,
    BatchNorm,
    Conv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GINEConv,
    GraphNorm,
    LayerNorm,
    Linear,
    LinearConv,
    Max,
    Mean,
    Readout,
    ResidualBlock,
    SAGEConv,
    Sum,
)
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.head import EdgeHead, EdgeName, GraphHead, Head, JumpingReadout, NodeHead, PairHead
from grapevine.nn.linear import Features, dropout_features, linear
from grapevine.nn.network import Network
from grapevine.nn.pair import Bilinear, Decoder, Dot, PairMLP
from grapevine.ops.epilogue import epilogue
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.models.config import ModelConfig, ModelName, settled
from grapevine.task.objective import Objective
from grapevine.task.task import Level
from grapevine.typing import ActivationName

_NORMS: dict[str, Callable[[int], nn.Module]] = {"batch": BatchNorm, "layer": LayerNorm, "graph": GraphNorm}
_AGGREGATIONS = {"sum": Sum, "mean": Mean, "max": Max}
_EDGES: dict[ModelName, EdgeName] = {
    "gcn": "edge_weight", "gat": "edge_attr", "gatv2": "edge_attr", "gine": "edge_attr",
}  # fmt: skip


def build_network(config: ModelConfig, graph: Graph, objective: Objective, *, level: Level) -> Network:
    """The network, with fresh weights, called as `network(graph, items)`.

    Args:
        graph: one of those it is for; its widths count.
        objective: how many numbers an item is given.
        level: of what something is predicted.

    Raises:
        InputError: if the model does not fit the graph; see `obstacle`.

    >>> import torch
    >>> from grapevine.task import SingleLabel
    >>> graph, config = Graph([[0], [1]], x=torch.ones(2, 1433)), ModelConfig(name="gcn", hidden_channels=16)
    >>> network = build_network(config, graph, SingleLabel(num_classes=7), level="node")
    >>> sum(p.numel() for p in network.parameters())
    23063
    """
    why = obstacle(config.name, graph, level)
    check(why is None, f"{config.name} does not fit this graph: {why}")
    config, given = settled(config, graph), _Given.of(config, graph)
    is_asked = level == "node"  # of the others a head makes of the states what is asked
    width = objective.out_channels if is_asked else config.state_channels or config.hidden_channels
    if config.has_blocks:
        encoder = _blocks(config, given, width)
    else:
        encoder = _stack(config, given, width, is_read_out=level == "graph")
    is_jumping = level == "graph" and config.jumping and isinstance(encoder, GNN) and not given.is_sparse
    head = _jumping(config, given, width, objective) if is_jumping else _head(config, graph, width, objective, level)
    return Network(encoder, head, edge=given.edge)


def first_layer(network: Network) -> list[nn.Parameter]:
    """The parameters of the first layer."""
    return list(network.encoder.get_submodule("layers.0").parameters())


def obstacle(name: ModelName, graph: Graph, level: Level) -> str | None:
    """Why a model does not fit the graph; None if it does.

    >>> obstacle("gcn", Graph([[0], [1]]), "node")
    'its nodes have no features x'
    """
    if "x" not in graph.node:
        return "its nodes have no features x"
    values = graph.x.values if isinstance(graph.x, SparseMatrix) else graph.x
    if not isinstance(graph.x, SparseMatrix) and graph.x.ndim != 2:
        return f"its features x must be [n, c], they have shape {tuple(graph.x.shape)}"
    if not values.is_floating_point():
        return f"its features x must be floating-point numbers, they are {str(values.dtype).removeprefix('torch.')}"
    if name == "gine" and _edge_channels(graph, "edge_attr") is None:
        return f"its {level}s must be told by edge features (edge_attr), and there are none; gin does without"
    return None


class _Given(NamedTuple):
    """What the encoder is given: the features, and a tensor of the edges, if any, with its width."""

    channels: int
    is_sparse: bool
    edge: EdgeName | None
    edge_channels: int | None

    @classmethod
    def of(cls, config: ModelConfig, graph: Graph) -> "_Given":
        edge = _EDGES.get(config.name) if config.uses_edges or config.name == "gine" else None
        width = None if edge is None else _edge_channels(graph, edge)
        return cls(graph.x.shape[1], isinstance(graph.x, SparseMatrix), None if width is None else edge, width)


class _Layer(NamedTuple):
    """A convolution and the width of its states."""

    conv: Conv
    width: int


class _Framed(nn.Module):
    """A linear map of the features in front of a network that wants them dense, and what stands behind it.

    z = activation(W x + b), dropped out where it is activated
    """

    def __init__(
        self, front: Linear, network: GNN, back: nn.Module | None, *, activation: ActivationName, input_dropout: float,
        dropout: float,
    ):  # fmt: skip
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


def _stack(config: ModelConfig, given: _Given, width: int, *, is_read_out: bool) -> nn.Module:
    """Layers with an activation between them, and behind the last where its states are read out."""
    needs_dense = config.name in ("gin", "gine") or (
        config.name == "sage" and config.aggregation not in ("mean", "sum")
    )
    front = Linear(given.channels, config.hidden_channels) if given.is_sparse and needs_dense else None
    layers, channels = [], given.channels if front is None else config.hidden_channels
    for k in range(config.num_layers):
        is_last = k == config.num_layers - 1
        out = width if is_last else config.hidden_channels
        layers.append(_CONVS[config.name](config, channels, out, given.edge_channels, is_last))
        channels = layers[-1].width
    normed = layers if is_read_out else layers[:-1]
    network = GNN(
        [layer.conv for layer in layers],
        activation=config.activation,
        dropout=config.dropout,
        input_dropout=config.input_dropout if front is None else 0.0,
        norms=None if config.norm == "none" else [_NORMS[config.norm](layer.width) for layer in normed],
        residual=config.residual,
        activate_last=is_read_out,
    )
    if front is None:
        return network
    return _Framed(front, network, None, activation="none", input_dropout=config.input_dropout, dropout=0.0)


def _blocks(config: ModelConfig, given: _Given, width: int) -> nn.Module:
    """Residual blocks between two linear maps."""
    hidden, blocks = config.hidden_channels, []
    for _ in range(config.num_layers):
        conv, inner = _CONVS[config.name](config, hidden, hidden, given.edge_channels, False)
        options = {"activation": config.activation, "dropout": config.dropout}
        blocks.append(ResidualBlock(conv, hidden, inner_channels=inner, norm=_norm(config), **options))
    back = nn.Sequential(_norm(config), Linear(hidden, width))
    return _Framed(
        Linear(given.channels, hidden), GNN(blocks, activation="none"), back, activation=config.activation,
        input_dropout=config.input_dropout, dropout=config.dropout,
    )  # fmt: skip


def _norm(config: ModelConfig) -> nn.Module:
    return nn.Identity() if config.norm == "none" else _NORMS[config.norm](config.hidden_channels)


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


def _mapped(config: ModelConfig, channels: int, out: int) -> MLP:
    """What GIN maps its sums with: two linear layers (Xu et al. 2019)."""
    has_norm = config.norm == "batch"
    return MLP([channels, config.hidden_channels, out], activation=config.activation, batch_norm=has_norm)


def _gin(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    return _Layer(GINConv(_mapped(config, channels, out), train_eps=config.train_eps), out)


def _gine(config: ModelConfig, channels: int, out: int, edge: int | None, is_last: bool) -> _Layer:
    network = _mapped(config, channels, out)
    return _Layer(GINEConv(network, in_channels=channels, edge_channels=edge, train_eps=config.train_eps), out)


_CONVS: dict[ModelName, Callable[..., _Layer]] = {
    "mlp": _alone,
    "gcn": _gcn,
    "sage": _sage,
    "gat": _attention(GATConv),
    "gatv2": _attention(GATv2Conv),
    "gin": _gin,
    "gine": _gine,
}


def _jumping(config: ModelConfig, given: _Given, width: int, objective: Objective) -> Head:
    hidden = config.hidden_channels * (config.heads if config.name in ("gat", "gatv2") else 1)
    widths = [given.channels, *[hidden] * (config.num_layers - 1), width]
    readout = Readout(_AGGREGATIONS[config.readout]())
    return JumpingReadout(widths, objective.out_channels, readout=readout, dropout=config.head_dropout)


def _head(config: ModelConfig, graph: Graph, width: int, objective: Objective, level: Level) -> Head:
    if level == "node":
        return NodeHead()
    out, dropout, activation = objective.out_channels, config.head_dropout, config.activation
    if level == "graph":
        network = MLP([width, width, out], activation=activation, dropout=dropout)
        return GraphHead(Readout(_AGGREGATIONS[config.readout]()), network)
    if level == "link":
        return PairHead(_decoder(config, width))
    edge, edge_channels = _told_of_edges(graph) if config.uses_edges else (None, 0)
    decoder = PairMLP(
        [width, config.hidden_channels, out], symmetric=bool(config.symmetric),
        edge_channels=edge_channels, activation=activation, dropout=dropout,
    )  # fmt: skip
    return EdgeHead(decoder, edge=edge)


def _decoder(config: ModelConfig, width: int) -> Decoder:
    """Of pairs of nodes."""
    symmetric = bool(config.symmetric)
    if config.decoder == "dot":
        return Dot()
    if config.decoder == "bilinear":
        return Bilinear(width, symmetric=symmetric)
    widths = [width, config.hidden_channels, 1]
    return PairMLP(widths, symmetric=symmetric, activation=config.activation, dropout=config.head_dropout)


def _told_of_edges(graph: Graph) -> tuple[EdgeName | None, int]:
    """The tensor that says most of an edge, and its width."""
    names: tuple[EdgeName, ...] = ("edge_attr", "edge_weight")
    for name in names:
        width = _edge_channels(graph, name)
        if width is not None:
            return name, width
    return None, 0


def _edge_channels(graph: Graph, name: EdgeName) -> int | None:
    """How wide the edges' tensor of that name is; None if there is none of floating-point numbers."""
    tensor = graph.edge.get(name)
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        return None
    return 1 if tensor.ndim == 1 else tensor.shape[1]
