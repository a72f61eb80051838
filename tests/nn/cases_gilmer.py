"""The networks of Gilmer et al. 2017 and of Battaglia et al. 2016 and 2018, for the laws of layers."""

from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.nn.conv.edge_network import EdgeNetworkConv
from grapevine.nn.conv.graph_network_block import (
    EdgeUpdate,
    GraphNetworkBlock,
    GraphState,
    NodeUpdate,
    Updates,
    Widths,
)
from grapevine.nn.conv.interaction import InteractionConv
from grapevine.nn.conv.pair_message import PairMessage
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.encoder.graph_network import GraphNetwork
from grapevine.nn.encoder.mpnn import MPNN
from grapevine.nn.gated_readout import GatedReadout
from grapevine.testing import Case, check_bipartite, check_isolated_nodes


class ReadOut(nn.Module):
    """A head behind an encoder whose every step it reads, called as a layer is."""

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, x: Tensor, graph: Graph, edge: Tensor) -> Tensor:
        return self.head(self.encoder.all_states(x, graph, edge), graph)


class OneBlock(nn.Module):
    """A block of a graph network whose graph's state at the start is the sum of the nodes', called as a layer is."""

    def __init__(self, updates: Updates, part: str, *, hears_graph: bool = False, edge_channels: int = 2):
        super().__init__()
        widths = Widths(3, edge_channels, 3 if hears_graph else 0)
        self.block = GraphNetworkBlock(widths, updates, activation="tanh")
        self.part, self.hears_graph = part, hears_graph

    def forward(self, x: Tensor, graph: Graph, edge: Tensor | None = None) -> Tensor:
        u = x.new_zeros(graph.num_graphs, 3).index_add(0, graph.graph_id, x) if self.hears_graph else None
        return getattr(self.block(GraphState(x, edge, u), graph), self.part)


SMOOTH = {"activation": "tanh"}
_NO_PAIR = (check_bipartite,)
_OF_ALL_NODES = (check_bipartite, check_isolated_nodes)
_HEARD = Updates(EdgeUpdate(4), NodeUpdate(4))
_MEAN = Updates(EdgeUpdate(4, graph=False), NodeUpdate(4, graph=False, aggregation="mean"))
_ATTENTION = Updates(EdgeUpdate(4, graph=False, attention=True), NodeUpdate(4, graph=False))

CASES = [
    Case("EdgeNetwork", lambda: EdgeNetworkConv(3, 4, 5, hidden_channels=6, **SMOOTH), edge_channels=5),
    Case(
        "EdgeNetwork mean",
        lambda: EdgeNetworkConv(3, 4, 5, hidden_channels=(6, 7), aggregation="mean", root_weight=False, **SMOOTH),
        edge_channels=5,
    ),
    Case(
        "EdgeNetwork both directions",
        lambda: EdgeNetworkConv(3, 4, 5, hidden_channels=6, both_directions=True, bias=False, **SMOOTH),
        edge_channels=5,
        exempt=_NO_PAIR,
    ),
    Case(
        "EdgeNetwork linear",
        lambda: EdgeNetworkConv(3, 4, 5, hidden_channels=(), matrix_bias=False),
        edge_channels=5,
    ),
    Case("PairMessage", lambda: PairMessage(3, 4, 5, hidden_channels=6, **SMOOTH), edge_channels=5),
    Case(
        "PairMessage both directions",
        lambda: PairMessage(3, 4, 5, hidden_channels=6, aggregation="mean", both_directions=True, **SMOOTH),
        edge_channels=5,
        exempt=_NO_PAIR,
    ),
    Case(
        "Interaction",
        lambda: InteractionConv(3, 4, 5, relation_channels=(6, 7), effect_channels=5, object_channels=(8,), **SMOOTH),
        edge_channels=5,
    ),
    Case(
        "Interaction external",
        lambda: InteractionConv(2, 4, external_channels=1, relation_channels=(), effect_channels=5, **SMOOTH),
    ),
    Case("MPNN", lambda: MPNN(3, 4, 5, edge_hidden_channels=6, num_steps=2), edge_channels=5, exempt=_NO_PAIR),
    Case(
        "MPNN pair",
        lambda: MPNN(3, 4, 5, message="pair", edge_hidden_channels=6, both_directions=False),
        edge_channels=5,
        exempt=_NO_PAIR,
    ),
    Case(
        "MPNN matrix",
        lambda: MPNN(3, 4, 5, message="matrix", embedding="pad", tied=False, num_steps=2),
        edge_channels=5,
        exempt=_NO_PAIR,
    ),
    Case(
        "GatedReadout",
        lambda: ReadOut(MPNN(3, 4, 5, message="pair", edge_hidden_channels=6, num_steps=1), GatedReadout(3, 4, 2)),
        edge_channels=5,
        output="graph",
    ),
    Case(
        "GatedReadout hidden",
        lambda: ReadOut(
            MPNN(3, 4, 5, message="matrix", num_steps=1), GatedReadout(3, 4, 2, hidden_channels=6, **SMOOTH)
        ),
        edge_channels=5,
        output="graph",
    ),
    Case("Block full", lambda: OneBlock(Updates.full(4), "graph", hears_graph=True), edge_channels=2, output="graph"),
    Case(
        "Block full mean",
        lambda: OneBlock(Updates.full(4, aggregation="mean"), "graph"),
        edge_channels=2,
        output="graph",
    ),
    Case(
        "Block hears the graph",
        lambda: OneBlock(_HEARD, "node", hears_graph=True),
        edge_channels=2,
        exempt=_OF_ALL_NODES,
    ),
    Case(
        "Block message passing", lambda: OneBlock(Updates.message_passing(4), "graph"), edge_channels=2, output="graph"
    ),
    Case("Block mean", lambda: OneBlock(_MEAN, "node"), edge_channels=2, exempt=_NO_PAIR),
    Case("Block attention", lambda: OneBlock(_ATTENTION, "node"), edge_channels=2, exempt=_NO_PAIR),
    Case("Block non-local", lambda: OneBlock(Updates.non_local(4), "node", edge_channels=0), exempt=_NO_PAIR),
    Case(
        "Block relation network",
        lambda: OneBlock(Updates.relation_network(4), "graph", edge_channels=0),
        output="graph",
    ),
    Case(
        "Block deep set",
        lambda: OneBlock(Updates.deep_set(4), "graph", hears_graph=True, edge_channels=0),
        output="graph",
    ),
    Case("GraphNetwork", lambda: GraphNetwork(3, 4, 5, num_steps=2, **SMOOTH), edge_channels=5, exempt=_OF_ALL_NODES),
    Case(
        "GraphNetwork replaced",
        lambda: GraphNetwork(3, 4, residual=False, num_steps=2, **SMOOTH),
        exempt=_OF_ALL_NODES,
    ),
    Case(
        "GraphNetwork non-local",
        lambda: GraphNetwork(3, 4, updates=Updates.non_local(4), num_steps=1, **SMOOTH),
        exempt=_NO_PAIR,
    ),
]
