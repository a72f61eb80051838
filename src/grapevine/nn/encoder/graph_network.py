"""Graph network: edges, nodes and the whole graph hear one another, T times (Battaglia et al. 2018).

s_0 = encoder(x, e),   s' = s + block(s)      s: the states of edges, nodes and the graph
"""

from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Graph, as_adjacency
from grapevine.nn.conv.graph_network_block import GraphNetworkBlock, GraphState, Updates, Widths
from grapevine.nn.conv.inputs import Edges, edges_of
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features
from grapevine.typing import ActivationName


class GraphNetwork(Encoder):
    """Encode and process, of the paper's encode-process-decode (Battaglia et al. 2018, "Relational inductive biases,
    deep learning, and graph networks"); a `Head` decodes.

    The state of the graph starts as zeros. As an encoder it shows the states of the nodes; `run` shows all of them.

    Args:
        in_channels: width of the node features.
        hidden_channels: width of all states.
        edge_channels: width of the edge features, its edge input; 0 for none: edge states start as zeros.
        updates: what the block's updates see, all `hidden_channels` wide; None: everything (`Updates.full`).
        num_steps: how often the block is applied; it is one block, as in the paper.
        residual: add to the states what the block makes of them, and do not replace them by it.
        activation: in the block's networks.

    >>> import torch
    >>> network = GraphNetwork(3, 8, 2)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 2)).shape
    torch.Size([4, 8])
    """

    equation: ClassVar[Equation] = GraphNetworkBlock.equation

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        edge_channels: int = 0,
        *,
        updates: Updates | None = None,
        num_steps: int = 3,
        residual: bool = True,
        activation: ActivationName = "relu",
    ):
        super().__init__()
        check_channels("hidden_channels", hidden_channels)
        check(num_steps >= 1, f"num_steps must be at least 1, got {num_steps}")
        widths = Widths(hidden_channels, hidden_channels, hidden_channels)
        self.block = GraphNetworkBlock(widths, updates or Updates.full(hidden_channels), activation=activation)
        out = self.block.out_widths
        check(out == widths, f"the block is applied again to what it gives: all {hidden_channels} wide, got {out}")
        self.node_encoder = Linear(in_channels, hidden_channels)
        self.edge_encoder = Linear(edge_channels, hidden_channels) if edge_channels else None
        self.out_channels, self.num_steps, self.residual = hidden_channels, num_steps, residual

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        states = self.run(x, adj, edge)
        next(states)  # encoded, not yet a step
        yield x
        for state in states:
            assert state.node is not None
            yield state.node

    def run(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[GraphState]:
        """The states of nodes, edges and graphs: encoded, and after each step."""
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        there = adj if isinstance(adj, Graph) else adjacency
        node = self.node_encoder(x)
        num_graphs = adj.num_graphs if isinstance(adj, Graph) else 1
        if self.edge_encoder is None:
            check(edge is None, "this GraphNetwork has no edge input; give edge_channels")
            edge = node.new_zeros(adjacency.num_edges, self.out_channels)
        elif edge is None:
            raise InputError("this GraphNetwork needs edge features; without edge_channels it does without them")
        else:
            edge = self.edge_encoder(edges_of(edge, adj, adjacency, ndim=2))
        state = GraphState(node, edge, node.new_zeros(num_graphs, self.out_channels))
        yield state
        for _ in range(self.num_steps):
            state = self._added(state, self.block(state, there))
            yield state

    def _added(self, before: GraphState, after: GraphState) -> GraphState:
        """What the block made of the states, added to them where there was an update."""
        if not self.residual:
            return after
        parts = ("node", "edge", "graph")
        pairs = {part: (getattr(before, part), getattr(after, part)) for part in parts}
        return GraphState(**{part: new if new is old else old + new for part, (old, new) in pairs.items()})
