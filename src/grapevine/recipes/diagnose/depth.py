"""How alike the states of nodes grow with depth: of a run layer by layer, of data by a network that has not learnt.

Measures: `grapevine.diagnose.smoothing`. A GCN that has not learnt shows what its averaging does to these features on
this graph; training may hold against it, so its figures are an indication.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from grapevine.diagnose import smoothing
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.nn import GNN, GCNConv
from grapevine.nn.encoder import Encoder
from grapevine.nn.head import edge_tensor
from grapevine.nn.network import Network
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.diagnose.subject import Subject
from grapevine.recipes.problem import with_features
from grapevine.report.diagnosis.data import Depth

UNTRAINED_LAYERS, UNTRAINED_WIDTH = 32, 32
_MOST = 2e8  # numbers that all layers' edges come to
_GRAPHS = 300  # of a collection


def measure_depth(subject: Subject) -> Depth | str:
    """The figures of every layer, or why they were not measured."""
    graph = sampled(subject.heard, _GRAPHS)
    if graph.num_edges == 0:
        return "over-smoothing was not measured: there is no edge to smooth along"
    network = subject.network
    if network is None or subject.config is None:
        states: list[Any] = untrained_states(graph)
        words = f"a GCN of {UNTRAINED_LAYERS} layers that has not learnt"
    else:
        states = layer_states(network, graph)
        words = f"this run's {subject.config.model.name.upper()}"
    width = max(state.shape[1] for state in states if isinstance(state, Tensor))
    if len(states) * graph.num_edges * width > _MOST:
        return f"over-smoothing was not measured: {graph.num_edges:,} edges and {len(states)} layers would take long"
    try:
        return Depth(words, network is not None, tuple(smoothing(states, graph)))
    except InputError as error:
        return f"over-smoothing was not measured: {error}"


def layer_states(network: Network, graph: Graph) -> list[Any]:
    """The states of the nodes before the first layer and after each, the last ones those that the head is given.

    >>> from grapevine.nn.head import NodeHead
    >>> graph = Graph([[0, 1], [1, 0]], x=torch.ones(2, 3))
    >>> network = Network(GNN([GCNConv(3, 8), GCNConv(8, 2)]), NodeHead())
    >>> [state.shape[1] for state in layer_states(network, graph)]
    [3, 8, 2]
    """
    network = network.eval()
    edge = edge_tensor(graph, network.edge)
    given: Any = (graph.x, graph) if edge is None else (graph.x, graph, edge)
    with torch.no_grad():
        if isinstance(network.encoder, Encoder):
            return network.encoder.all_states(*given)
        return [graph.x, *_watched(network.encoder, given)]


def untrained_states(graph: Graph, num_layers: int = UNTRAINED_LAYERS, seed: int = 0) -> list[Any]:
    """Of a GCN with fresh weights, after each layer."""
    graph = with_features(graph)
    x = as_floats(graph.x)
    network = untrained(x.shape[1], num_layers, seed)
    with torch.no_grad():
        return network.all_states(x, graph)


def untrained(channels: int, num_layers: int, seed: int = 0) -> GNN:
    """A GCN with fresh weights, in evaluation mode.

    >>> len(untrained(3, 4).layers)
    4
    """
    widths = [channels] + [UNTRAINED_WIDTH] * num_layers
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [GCNConv(before, after) for before, after in pairwise(widths)]
        return GNN(layers, activate_last=True).eval()


def as_floats(x: Tensor | SparseMatrix) -> Any:
    """Features that layers take: [n, c] of floating-point numbers, sparse ones as they are."""
    if isinstance(x, SparseMatrix):
        return x
    return x.reshape(x.shape[0], -1).float()


def sampled(graph: Graph, most: int) -> Graph:
    """So many of the graphs of a collection, evenly spaced; all where there are no more."""
    if graph.num_graphs <= most:
        return graph
    return take(graph, torch.linspace(0, graph.num_graphs - 1, most).long())


def _watched(encoder: nn.Module, given: tuple[Any, ...]) -> list[Tensor]:
    """The states of the stack within an encoder that has no steps of its own, and what is made of them in the end."""
    states: list[Any] = []
    inner: Any = next((part for part in encoder.modules() if isinstance(part, Encoder)), None)
    if inner is None:
        return [encoder(*given)]
    hook = inner.register_forward_pre_hook(lambda stack, told: states.extend(stack.all_states(*told)))
    try:
        last = encoder(*given)
    finally:
        hook.remove()
    is_same = bool(states) and states[-1].shape == last.shape and torch.equal(states[-1], last)
    return states if is_same else [*states, last]
