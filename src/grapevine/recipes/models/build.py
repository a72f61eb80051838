"""Builds the network that a configuration describes, for the graph it is to learn from."""

from torch import nn

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn import GCNII, Dropped, JumpingNetwork, OnColumns, PNAConv, RandomSigns, SignNet
from grapevine.nn.conv.pna import average_log_degree
from grapevine.nn.network import Network
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.models.config import NEEDS_BOTH_WAYS, NEEDS_EDGES, ModelConfig, ModelName, settled
from grapevine.recipes.models.deep import DEEP, dropped
from grapevine.recipes.models.encoders import ENCODERS, encoder
from grapevine.recipes.models.given import Given, edge_channels_of
from grapevine.recipes.models.heads import head_of
from grapevine.recipes.models.heterophily import NETWORKS
from grapevine.recipes.models.layers import blocks, stack
from grapevine.recipes.models.wired import wired
from grapevine.task.objective import Objective
from grapevine.task.task import Level


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
    config, given = settled(config, graph), Given.of(config, graph)
    width = config.state_channels or config.hidden_channels  # of the states of which a head makes what is asked
    if config.name in ENCODERS and config.wiring is None:
        network, width = encoder(config, given), config.hidden_channels
    else:
        width = objective.out_channels if level == "node" else width
        network = _layered(config, given, width, is_read_out=level == "graph")
    _fit_to(network, graph)
    network = dropped(config, network)
    head = head_of(config, given, graph, objective, level, width)
    return Network(network, head, edge=given.edge, front=_front(config))


def _front(config: ModelConfig) -> nn.Module | None:
    """What eigenvectors go through; None where there are none."""
    told = config.eigenvectors
    if told is None:
        return None
    return OnColumns(told.first, told.count, SignNet(told.count) if told.signnet else RandomSigns())


def _layered(config: ModelConfig, given: Given, width: int, *, is_read_out: bool) -> nn.Module:
    """A network whose last layer puts out so many numbers."""
    if config.wiring is not None:
        return wired(config, given, width)
    for networks in (DEEP, NETWORKS):
        if config.name in networks:
            return networks[config.name](config, given, width)
    return blocks(config, given, width) if config.has_blocks else stack(config, given, width, is_read_out=is_read_out)


def _fit_to(network: nn.Module, graph: Graph) -> None:
    """Tell the layers of PNA the degrees of the graph; what they are told is saved with the weights."""
    for layer in network.modules():
        if isinstance(layer, PNAConv):
            layer.avg_log_degree.fill_(average_log_degree([graph]))


def first_layer(network: Network) -> list[nn.Parameter]:
    """The parameters of the first layer."""
    return list(_inner(network).get_submodule("layers.0").parameters())


def decayed(network: Network, config: ModelConfig) -> list[nn.Parameter] | None:
    """The parameters that `weight_decay` is of; None: all. The others have `other_weight_decay`."""
    if config.decays_first_layer_only:
        return first_layer(network)
    inner = _inner(network)  # of GCNII the layers have their own, apart from its maps (Chen et al. 2020)
    return list(inner.layers.parameters()) if isinstance(inner, GCNII) else None


def _inner(network: Network) -> nn.Module:
    """What the drops and the jumps are around."""
    inner = network.encoder
    while isinstance(inner, Dropped | JumpingNetwork):
        inner = inner.encoder
    return inner


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
    if name in NEEDS_EDGES and edge_channels_of(graph, "edge_attr") is None:
        return f"its {level}s must be told by edge features (edge_attr), and there are none; gin does without"
    if name in NEEDS_BOTH_WAYS and not graph.adj.is_symmetric():
        return "its edges go one way, and it needs both directions of each; mpnn and gine do not"
    if name == "linkx" and level == "graph":
        return "it learns a weight for each node of one graph, and other graphs are to be told; sage-sep can be"
    return None
