"""What is made of the states of nodes: the readout of the model's paper, or another one, and the answers."""

from collections.abc import Callable

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn import (
    MLP,
    Aggregation,
    AttentionSum,
    AttentiveReadout,
    DeepSets,
    FingerprintReadout,
    GatedReadout,
    GaussianHistogram,
    Linear,
    Max,
    Mean,
    Readout,
    Set2Set,
    SetTransformer,
    SortPool,
    Sum,
)
from grapevine.nn.head import EdgeHead, EdgeName, GraphHead, Head, JoinedHead, JumpingReadout, NodeHead, PairHead
from grapevine.nn.pair import Bilinear, Decoder, Dot, PairMLP
from grapevine.recipes.models.config import HEADS_SIDE_BY_SIDE, ModelConfig, ModelName, ReadoutName
from grapevine.recipes.models.encoders import ENCODERS
from grapevine.recipes.models.given import GRAPH_FEATURES, Given, edge_channels_of, graph_channels_of
from grapevine.recipes.models.heterophily import NETWORKS
from grapevine.task.objective import Objective
from grapevine.task.task import Level

_SORTED = 30  # nodes that sort pooling keeps
_OWN: dict[ModelName, ReadoutName] = {  # of their papers; the others read out with the sum
    "mpnn": "set2set", "dmpnn": "mean", "attentivefp": "attentive", "weave": "histogram", "molgraph": "histogram",
    "fingerprint": "fingerprint", "ggnn": "gated", "gatedgcn": "mean", "pna": "mean", "gine": "mean",
}  # fmt: skip


def head_of(config: ModelConfig, given: Given, graph: Graph, objective: Objective, level: Level, width: int) -> Head:
    """What answers for the items of that level, of states of that width."""
    if level == "graph":
        return _graph_head(config, given, graph, objective, width)
    if level == "link":
        return PairHead(_decoder(config, width))
    if level == "edge":
        return _edge_head(config, graph, objective, width)
    return NodeHead(None if width == objective.out_channels else Linear(width, objective.out_channels))


def _graph_head(config: ModelConfig, given: Given, graph: Graph, objective: Objective, width: int) -> Head:
    out, features = objective.out_channels, graph_channels_of(graph)
    if config.jumping == "readout" and not given.is_sparse:
        return _jumping(config, given, width, out)
    read, read_width = _readout(config, given, width)
    hidden = config.state_channels or config.hidden_channels
    network = MLP([read_width + features, hidden, out], activation=config.activation, dropout=config.head_dropout)
    return JoinedHead(read, network, features=GRAPH_FEATURES if features else None)


def _readout(config: ModelConfig, given: Given, width: int) -> tuple[Head, int]:
    """The head that reads graphs out, and how wide its answer is."""
    name = readout_name(config)
    if name in ("fingerprint", "gated") and given.is_sparse:  # they read the features too
        check(config.readout is None, f"the readout {name} takes dense features: choose another, such as sum")
        name = "sum"
    if name == "fingerprint":
        return FingerprintReadout(_state_widths(config, given, width), width), width
    if name == "gated":
        return GatedReadout(given.channels, width, width), width
    aggregation, read_width = _AGGREGATIONS[name](width)
    return GraphHead(Readout(aggregation)), read_width


def readout_name(config: ModelConfig) -> ReadoutName:
    """What was asked for, or the readout of the model's paper.

    >>> readout_name(ModelConfig(name="mpnn")), readout_name(ModelConfig(name="gin"))
    ('set2set', 'sum')
    """
    return config.readout or _OWN.get(config.name, "sum")


_AGGREGATIONS: dict[ReadoutName, Callable[[int], tuple[Aggregation, int]]] = {
    "sum": lambda width: (Sum(), width),
    "mean": lambda width: (Mean(), width),
    "max": lambda width: (Max(), width),
    "attention": lambda width: (AttentionSum(width, width), width),
    "set2set": lambda width: (Set2Set(width), 2 * width),
    "sort": lambda width: (SortPool(width, _SORTED), _SORTED * width),
    "deep-sets": lambda width: (DeepSets(MLP([width, width, width]), Linear(width, width), out_channels=width), width),
    "set-transformer": lambda width: (SetTransformer(width), width),
    "attentive": lambda width: (AttentiveReadout(width), width),
    "histogram": lambda width: (GaussianHistogram(), 11 * width),
}


def _jumping(config: ModelConfig, given: Given, width: int, out: int) -> Head:
    aggregation, read_width = _AGGREGATIONS[readout_name(config)](width)
    check(read_width == width, "a readout of every layer keeps the width: sum, mean or max")
    readout, widths = Readout(aggregation), _state_widths(config, given, width)
    return JumpingReadout(widths, out, readout=readout, dropout=config.head_dropout)


def _state_widths(config: ModelConfig, given: Given, width: int) -> list[int]:
    """Of the features and of each layer's states."""
    is_stack = config.name not in ENCODERS and config.name not in NETWORKS
    check(is_stack, f"{config.name} is no stack of layers that could be read out one by one")
    hidden = config.hidden_channels * (config.heads if config.name in HEADS_SIDE_BY_SIDE else 1)
    return [given.channels, *[hidden] * (config.num_layers - 1), width]


def _edge_head(config: ModelConfig, graph: Graph, objective: Objective, width: int) -> Head:
    edge, edge_channels = _told_of_edges(graph) if config.uses_edges else (None, 0)
    decoder = PairMLP(
        [width, config.hidden_channels, objective.out_channels], symmetric=bool(config.symmetric),
        edge_channels=edge_channels, activation=config.activation, dropout=config.head_dropout,
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
        width = edge_channels_of(graph, name)
        if width is not None:
            return name, width
    return None, 0
