"""From the states of the nodes to the numbers that were asked for: of nodes, graphs, pairs of nodes or edges.

NodeHead: f(h_i)      GraphHead: f(readout of h_i, i in G)      PairHead: f(h_u, h_v)      EdgeHead: f(h_u, h_v, e_uv)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.nn.aggregation import Max, Mean, Min, Sum
from grapevine.nn.linear import Features, Linear
from grapevine.nn.pair import Decoder
from grapevine.nn.readout import Readout

EdgeName: TypeAlias = Literal["edge_weight", "edge_attr"]


class Head(nn.Module, ABC):
    """The last part of a network; `items` says what is asked for, None: everything there is."""

    reads_all_layers: bool = False  # whether it is given the states of every layer, as a list from the input on

    @abstractmethod
    def forward(
        self, states: Features | list[Features], graph: Graph, items: Int[Tensor, "*ends k"] | None = None
    ) -> Float[Tensor, "k c"]: ...

    def read(self, states: Features | list[Features], graph: Graph) -> Float[Tensor, "g d"]:
        """What each graph is read out as, before any answer is made of it: the network's embedding of the graphs.

        Raises:
            InputError: if the head reads no graphs out.
        """
        raise InputError(f"{type(self).__name__} reads no graphs out: there are states of nodes alone")


class NodeHead(Head):
    """The rows of those nodes, through a network if there is one.

    >>> NodeHead()(torch.tensor([[1.0], [2.0]]), Graph([[0], [1]]), torch.tensor([1])).tolist()
    [[2.0]]
    """

    def __init__(self, network: nn.Module | None = None):
        super().__init__()
        self.network = network

    def forward(self, states: Tensor, graph: Graph, items: Int[Tensor, " k"] | None = None) -> Tensor:
        chosen = states if items is None else states.index_select(0, items)
        return chosen if self.network is None else self.network(chosen)


class GraphHead(Head):
    """The states of each graph's nodes brought together, then through a network if there is one.

    >>> batch = Graph.batch([Graph([[0], [1]]), Graph([[0], [1]], num_nodes=3)])
    >>> GraphHead(Readout())(torch.ones(5, 1), batch).tolist()
    [[2.0], [3.0]]
    """

    def __init__(self, readout: Readout, network: nn.Module | None = None):
        super().__init__()
        self.readout, self.network = readout, network

    def forward(self, states: Tensor, graph: Graph, items: Int[Tensor, " k"] | None = None) -> Tensor:
        read = self.read(states, graph)
        read = read if items is None else read.index_select(0, items)
        return read if self.network is None else self.network(read)

    def read(self, states: Tensor, graph: Graph) -> Tensor:
        return self.readout(states, graph)


class JoinedHead(Head):
    """What another head reads of each graph, side by side with what is known of the whole graph, through a network.

    Args:
        head: gives a row for each graph.
        network: maps what it read, and the features behind it if there are any.
        features: the name of the graphs' tensor, [g, f], that joins.

    >>> graph = Graph([[0], [1]], graph={"features": torch.tensor([[5.0, 6.0]])})
    >>> JoinedHead(GraphHead(Readout()), nn.Identity(), features="features")(torch.ones(2, 1), graph).tolist()
    [[2.0, 5.0, 6.0]]
    """

    def __init__(self, head: Head, network: nn.Module, *, features: str | None = None):
        super().__init__()
        self.reads_all_layers = head.reads_all_layers
        self.head, self.network, self.features = head, network, features

    def forward(
        self, states: Features | list[Features], graph: Graph, items: Int[Tensor, " k"] | None = None
    ) -> Tensor:
        read = self.head(states, graph, items)
        if self.features is None:
            return self.network(read)
        known = graph.graph.get(self.features)
        if not isinstance(known, Tensor):
            raise InputError(f"the graphs must hold {self.features}, what is known of each whole graph")
        known = known if items is None else known.index_select(0, items)
        return self.network(torch.cat([read, known.to(read.dtype)], 1))

    def read(self, states: Features | list[Features], graph: Graph) -> Tensor:
        return self.head(states, graph)


class JumpingReadout(Head):
    """The readout of every layer's states, the input's too, each through its own linear map, dropped out and added up.

    It is the readout of the graph networks of Xu et al. 2019, "How powerful are graph neural networks?"

    Args:
        channels: the width of the input and of each layer's states.
        out_channels: how many numbers a graph gets.
        readout: what brings the states of a graph together; the sum by default.
        dropout: on what each map gives, in training.

    >>> head = JumpingReadout([3, 8], 2)
    >>> head([torch.ones(2, 3), torch.ones(2, 8)], Graph([[0], [1]])).shape
    torch.Size([1, 2])
    """

    reads_all_layers = True

    def __init__(
        self, channels: Sequence[int], out_channels: int, *, readout: Readout | None = None, dropout: float = 0.0
    ):
        super().__init__()
        check(len(channels) > 0, "JumpingReadout needs the width of each layer's states, the input's first")
        self.readout, self.dropout = readout or Readout(), nn.Dropout(dropout)
        self.maps = nn.ModuleList(Linear(width, out_channels) for width in channels)

    def forward(self, states: list[Tensor], graph: Graph, items: Int[Tensor, " k"] | None = None) -> Tensor:
        if not isinstance(states, list) or len(states) != len(self.maps):
            came = f"{len(states)} of them" if isinstance(states, list) else type(states).__name__
            raise InputError(f"JumpingReadout takes a list of the states of {len(self.maps)} layers, got {came}")
        pairs = zip(self._read(states, graph), self.maps, strict=True)
        out = torch.stack([self.dropout(to_output(read)) for read, to_output in pairs]).sum(0)
        return out if items is None else out.index_select(0, items)

    def read(self, states: list[Tensor], graph: Graph) -> Tensor:
        return torch.cat(list(self._read(states, graph)), 1)

    def _read(self, states: list[Tensor], graph: Graph) -> Sequence[Tensor]:
        """The readout of each layer; all in one pass where it keeps the channels apart."""
        if isinstance(self.readout.aggregation, (Sum, Mean, Max, Min)):
            return self.readout(torch.cat(states, 1), graph).split([state.shape[1] for state in states], 1)
        return [self.readout(state, graph) for state in states]


class PairHead(Head):
    """What a decoder says of pairs of nodes.

    >>> from grapevine.nn.pair import Dot
    >>> states = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> PairHead(Dot())(states, Graph([[0], [1]]), torch.tensor([[0], [1]])).tolist()
    [[11.0]]
    """

    def __init__(self, decoder: Decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, states: Tensor, graph: Graph, items: Int[Tensor, "2 k"] | None = None) -> Tensor:
        if items is None:
            raise InputError("PairHead must be told the pairs of nodes: there are too many to take them all")
        check_tensor("items", items, ndim=2, dtypes=(items.dtype,))
        check_rows("items", items, 2, "ends of a pair")
        return self.decoder(states.index_select(0, items[0]), states.index_select(0, items[1]))


class EdgeHead(Head):
    """What a decoder says of edges of the graph, by their places in its adjacency.

    Args:
        decoder: a directed one tells the two directions of an edge apart, a symmetric one does not.
        edge: the tensor of the graph's edges that the decoder is given too, if any.

    >>> from grapevine.nn.pair import Dot
    >>> EdgeHead(Dot())(torch.tensor([[1.0], [2.0]]), Graph([[0, 1], [1, 1]])).tolist()
    [[2.0], [4.0]]
    """

    def __init__(self, decoder: Decoder, *, edge: EdgeName | None = None):
        super().__init__()
        self.decoder = decoder
        self.edge: EdgeName | None = edge

    def forward(self, states: Tensor, graph: Graph, items: Int[Tensor, " k"] | None = None) -> Tensor:
        src, dst = graph.adj.edge_index if items is None else graph.adj.edge_index[:, items]
        edge = edge_tensor(graph, self.edge)
        edge = edge if edge is None or items is None else edge.index_select(0, items)
        return self.decoder(states.index_select(0, src), states.index_select(0, dst), edge)


def edge_tensor(graph: Graph, name: EdgeName | None) -> Tensor | None:
    """The tensor of the graph's edges of that name, None for none."""
    if name is None:
        return None
    tensor = graph.edge.get(name)
    if not isinstance(tensor, Tensor):
        raise InputError(f"this network needs the graph's {name}, and it holds {', '.join(graph.edge) or 'none'}")
    return tensor.unsqueeze(1) if name == "edge_attr" and tensor.ndim == 1 else tensor
