"""The graph network block: edges, nodes and the whole graph hear one another in turn (Battaglia et al. 2018).

e' = f_e([e, h_j, h_i, u]),   h_i' = f_h([sum over j of e'_ij, h_i, u]),   u' = f_u([sum of all e', sum of all h', u])

Every part may be left out. `Updates` holds what each of the three sees; its constructors are the paper's figure 4.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_rows
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.nn.edge_mlp import EdgeMLP
from grapevine.nn.equation import Equation
from grapevine.nn.mlp import MLP
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce
from grapevine.typing import ActivationName

Together: TypeAlias = Literal["sum", "mean", "max"]


class Widths(NamedTuple):
    """Of the states of nodes, edges and graphs; 0 where there are none."""

    node: int
    edge: int
    graph: int


@dataclass(frozen=True)
class GraphState:
    """States of the nodes [n, c], of the edges [e, d] in the order of the adjacency, and of the graphs [g, k]."""

    node: Tensor | None = None
    edge: Tensor | None = None
    graph: Tensor | None = None


@dataclass(frozen=True)
class EdgeUpdate:
    """What the new state of an edge is made of; with `attention` it says also how much its target is to hear of it."""

    out_channels: int
    edge: bool = True
    ends: bool = True
    graph: bool = True
    attention: bool = False


@dataclass(frozen=True)
class NodeUpdate:
    """What the new state of a node is made of, and how its edges come together where they don't say so themselves."""

    out_channels: int
    edges: bool = True
    node: bool = True
    graph: bool = True
    aggregation: Together = "sum"


@dataclass(frozen=True)
class GraphUpdate:
    """What the new state of a graph is made of, and how its edges and its nodes come together."""

    out_channels: int
    edges: bool = True
    nodes: bool = True
    graph: bool = True
    aggregation: Together = "sum"


@dataclass(frozen=True)
class Updates:
    """The updates of a block in their order; what has none stays as it is."""

    edge: EdgeUpdate | None = None
    node: NodeUpdate | None = None
    graph: GraphUpdate | None = None

    @classmethod
    def full(cls, channels: int, *, aggregation: Together = "sum") -> "Updates":
        """Everything sees everything (figure 4a)."""
        node = NodeUpdate(channels, aggregation=aggregation)
        return cls(EdgeUpdate(channels), node, GraphUpdate(channels, aggregation=aggregation))

    @classmethod
    def independent(cls, channels: int) -> "Updates":
        """Each sees itself only, as an encoder or a decoder does (4b without its memory)."""
        node, graph = NodeUpdate(channels, edges=False, graph=False), GraphUpdate(channels, edges=False, nodes=False)
        return cls(EdgeUpdate(channels, ends=False, graph=False), node, graph)

    @classmethod
    def message_passing(cls, channels: int) -> "Updates":
        """Gilmer et al. 2017: edges and nodes do not hear of the graph, which is read out of the nodes (4c)."""
        node, graph = NodeUpdate(channels, graph=False), GraphUpdate(channels, edges=False, graph=False)
        return cls(EdgeUpdate(channels, graph=False), node, graph)

    @classmethod
    def non_local(cls, channels: int) -> "Updates":
        """Wang et al. 2018: nodes hear the ends of their edges by attention, and nothing else (4d)."""
        edge = EdgeUpdate(channels, edge=False, graph=False, attention=True)
        return cls(edge, NodeUpdate(channels, node=False, graph=False))

    @classmethod
    def relation_network(cls, channels: int) -> "Updates":
        """Santoro et al. 2017: the graph is made of the pairs of nodes, which are its edges (4e)."""
        edge = EdgeUpdate(channels, edge=False, graph=False)
        return cls(edge, None, GraphUpdate(channels, nodes=False, graph=False))

    @classmethod
    def deep_set(cls, channels: int) -> "Updates":
        """Zaheer et al. 2017: no edges; nodes hear of the graph, the graph of its nodes (4f)."""
        return cls(None, NodeUpdate(channels, edges=False), GraphUpdate(channels, edges=False, graph=False))


class GraphNetworkBlock(nn.Module):
    """One block of a graph network (Battaglia et al. 2018), a `GraphState` to a `GraphState`.

    Args:
        widths: of what comes in, 0 for what there is not, and so is not seen.
        updates: the parts; see `Updates`.
        hidden_channels: width of the one hidden layer of each network; None: that of its output.
        activation: of the hidden layers.

    >>> block = GraphNetworkBlock(Widths(3, 2, 0), Updates.full(4))
    >>> graph = Graph([[0, 1], [1, 2]])
    >>> out = block(GraphState(torch.ones(3, 3), torch.ones(2, 2)), graph)
    >>> out.node.shape, out.edge.shape, out.graph.shape
    (torch.Size([3, 4]), torch.Size([2, 4]), torch.Size([1, 4]))
    """

    equation: ClassVar[Equation] = Equation(
        name="Graph network",
        message="e'_ij = MLP([e_ij, h_j, h_i, u]), u the state of the graph",
        aggregation="sum",
        update="MLP([m_i, h_i, u]), e_ij' = e'_ij, and of the graph u' = MLP([sum of e', sum of h', u])",
        edges="features, updated",
        readout="the graph's state u",
        cost="n c^2 + e c^2",
        power="1-WL",
        year=2018,
        paper="Battaglia et al., Relational inductive biases, deep learning, and graph networks",
    )

    def __init__(
        self,
        widths: Widths,
        updates: Updates,
        *,
        hidden_channels: int | None = None,
        activation: ActivationName = "relu",
    ):
        super().__init__()
        self.widths, self.updates = Widths(*widths), updates
        edge, node, graph = updates.edge, updates.node, updates.graph
        self.edge_network = self.node_network = self.graph_network = None
        out = self.widths
        if edge is not None:
            layers = [hidden_channels or edge.out_channels, edge.out_channels + edge.attention]
            ends = out.node * edge.ends
            # An edge lies in its target's graph, so what it sees of that comes with the target.
            seen = ends, ends + out.graph * edge.graph, out.edge * edge.edge
            self.edge_network = EdgeMLP(*seen, layers, activation=activation)
            out = out._replace(edge=edge.out_channels)
        if node is not None:
            seen = out.edge * node.edges + out.node * node.node + out.graph * node.graph
            self.node_network = _network("node", seen, node.out_channels, hidden_channels, activation)
            out = out._replace(node=node.out_channels)
        if graph is not None:
            seen = out.edge * graph.edges + out.node * graph.nodes + out.graph * graph.graph
            self.graph_network = _network("graph", seen, graph.out_channels, hidden_channels, activation)
            out = out._replace(graph=graph.out_channels)
        self.out_widths = out

    def forward(self, state: GraphState, adj: Adjacency | Graph) -> GraphState:
        """The states after the updates. An Adjacency is one graph; edge states are in its order, before and after."""
        places = _Places.of(adj)
        self._check(state, places)
        edge, logits = self._edges(state, places)
        node = self._nodes(GraphState(state.node, edge, state.graph), logits, places)
        return GraphState(node, edge, self._graphs(GraphState(node, edge, state.graph), places))

    def _edges(self, state: GraphState, places: "_Places") -> tuple[Tensor | None, Tensor | None]:
        update = self.updates.edge
        if update is None or self.edge_network is None:
            return state.edge, None
        ends = [state.node] if update.ends and self.widths.node else []
        graph = [places.to_nodes(state.graph)] if update.graph and self.widths.graph else []
        x_src, x_dst = _joined(ends), _joined([*ends, *graph])
        own = state.edge if update.edge and self.widths.edge else None
        out = self.edge_network(places.adjacency.pattern, x_src, x_dst, own)
        return (out[:, 1:], out[:, 0]) if update.attention else (out, None)

    def _nodes(self, state: GraphState, logits: Tensor | None, places: "_Places") -> Tensor | None:
        update, pattern = self.updates.node, places.adjacency.pattern
        if update is None or self.node_network is None:
            return state.node
        seen = []
        if update.edges and state.edge is not None:
            if logits is None:
                seen.append(segment_reduce(pattern, state.edge, reduce=update.aggregation))
            else:
                share = edge_softmax(pattern, logits).unsqueeze(1)
                seen.append(segment_reduce(pattern, share * state.edge, reduce="sum"))
        if update.node and state.node is not None:
            seen.append(state.node)
        if update.graph and state.graph is not None:
            seen.append(places.to_nodes(state.graph))
        return self.node_network(torch.cat(seen, 1))

    def _graphs(self, state: GraphState, places: "_Places") -> Tensor | None:
        update = self.updates.graph
        if update is None or self.graph_network is None:
            return state.graph
        seen = []
        if update.edges and state.edge is not None:
            seen.append(segment_reduce(places.edges, state.edge, reduce=update.aggregation))
        if update.nodes and state.node is not None:
            seen.append(segment_reduce(places.members, state.node, reduce=update.aggregation))
        if update.graph and state.graph is not None:
            seen.append(state.graph)
        return self.graph_network(torch.cat(seen, 1))

    def _check(self, state: GraphState, places: "_Places") -> None:
        counts = places.adjacency.num_nodes, places.adjacency.num_edges, places.members.num_rows
        for name, tensor, width, count in zip(
            ("node", "edge", "graph"), (state.node, state.edge, state.graph), self.widths, counts, strict=True
        ):
            if (tensor is None) != (width == 0) or (tensor is not None and tensor.shape[1:] != (width,)):
                came = "none" if tensor is None else f"shape {tuple(tensor.shape)}"
                raise InputError(f"this block takes {name} states {width or 'of no'} wide, got {came}")
            if tensor is not None:
                check_rows(name, tensor, count, f"{name}s")


class _Places(NamedTuple):
    """Who hears whom, and which nodes and which edges are each graph's."""

    adjacency: Adjacency
    members: Pattern
    edges: Pattern

    @classmethod
    def of(cls, adj: Adjacency | Graph) -> "_Places":
        check(
            isinstance(adj, (Adjacency, Graph)),
            "a GraphNetworkBlock takes an Adjacency or a Graph, in whose order its edge states are",
        )
        graph = adj if isinstance(adj, Graph) else Graph(adj)
        pattern, members = graph.adj.pattern, graph.members
        # Edges are sorted by target, and the nodes of a graph stand together: so do its edges.
        edges = Pattern.trusted(pattern.indptr[members.indptr.long()], pattern.indices, pattern.num_cols)
        return cls(graph.adj, members, edges)

    def to_nodes(self, graph: Float[Tensor, "g k"] | None) -> Float[Tensor, "n k"]:
        """The state of each node's graph."""
        assert graph is not None
        return gather(self.members, graph, side="rows")


def _network(name: str, seen: int, out: int, hidden: int | None, activation: ActivationName) -> MLP:
    check(seen > 0, f"the {name} update sees nothing: what it is to see has no width here")
    return MLP([seen, hidden or out, out], activation=activation)


def _joined(tensors: list[Tensor | None]) -> Tensor | None:
    present = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(present, 1) if present else None
