"""A whole network: an encoder gives every node a state, a head makes of the states what was asked for.

model(graph, items) = head(encoder(front(graph)), graph, items)        front: of columns of eigenvectors, if any
"""

from typing import Any, cast

from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.encoder import Encoder
from grapevine.nn.head import EdgeName, Head, edge_tensor


class Network(nn.Module):
    """An encoder and a head, called with a graph and what is asked of it.

    Args:
        encoder: called as encoder(x, graph, edge), or encoder(x, graph) where there is no edge input: a `GNN`, a
            convolution or an `MLP`.
        head: what is done with the states; where it reads all layers the encoder must be an `Encoder`, such as a `GNN`.
        edge: the tensor of the graph's edges that the encoder is given, if any.
        front: what is made of the features first, called as front(x, graph) if there is one: `OnColumns`.

    >>> import torch
    >>> from grapevine.nn import GNN, GCNConv
    >>> from grapevine.nn.head import NodeHead
    >>> network = Network(GNN([GCNConv(3, 8), GCNConv(8, 2)]), NodeHead())
    >>> graph = Graph([[0, 1], [1, 2]], x=torch.ones(3, 3))
    >>> network(graph).shape, network(graph, torch.tensor([2])).shape
    (torch.Size([3, 2]), torch.Size([1, 2]))
    """

    def __init__(self, encoder: nn.Module, head: Head, *, edge: EdgeName | None = None, front: nn.Module | None = None):
        super().__init__()
        check(isinstance(head, Head), f"head must be a Head, got {type(head).__name__}")
        is_fit = isinstance(encoder, Encoder) or not head.reads_all_layers
        check(is_fit, f"{type(head).__name__} reads every layer of an Encoder, this one is {type(encoder).__name__}")
        check(edge in (None, "edge_weight", "edge_attr"), f"edge must be edge_weight, edge_attr or None, got {edge!r}")
        self.encoder, self.head, self.front = encoder, head, front
        self.edge: EdgeName | None = edge

    def forward(self, graph: Graph, items: Int[Tensor, "*ends k"] | None = None) -> Float[Tensor, "k c"]:
        """The numbers of those items: nodes, graphs, pairs of nodes or edges, as the head is; None: of all.

        Raises:
            InputError: if the graph lacks features, or the edge tensor that the network needs.
        """
        return self.head(self._heard(graph), graph, items)

    def states(self, graph: Graph) -> Float[Tensor, "n c"]:
        """The states of the nodes that the head is given: the network's embedding of them."""
        return self.encoder(*self._inputs(graph))

    def graph_states(self, graph: Graph) -> Float[Tensor, "g c"]:
        """What the head reads each graph out as: the network's embedding of the graphs.

        Raises:
            InputError: if the network is none of graphs.
        """
        return self.head.read(self._heard(graph), graph)

    def _heard(self, graph: Graph) -> Any:
        """The states that the head is given."""
        if self.head.reads_all_layers:
            return cast(Encoder, self.encoder).all_states(*self._inputs(graph))
        return self.states(graph)

    def _inputs(self, graph: Graph) -> tuple[Any, ...]:
        check(isinstance(graph, Graph), f"a network is called with a Graph, got {type(graph).__name__}")
        check("x" in graph.node, "the graph must hold features x of its nodes")
        edge = edge_tensor(graph, self.edge)
        x = graph.x if self.front is None else self.front(graph.x, graph)
        return (x, graph) if edge is None else (x, graph, edge)
