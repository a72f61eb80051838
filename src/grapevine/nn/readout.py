"""From the states of the nodes to one state a graph: the equation's aggregation, over the nodes of each graph.

h_G = aggregate over the nodes i of G of h_i
"""

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.aggregation import Aggregation, Sum


class Readout(nn.Module):
    """One state a graph, by any aggregation: `Readout(Sum())`, `Readout(Mean())`, `Readout(Max())`.

    >>> import torch
    >>> edge_index = torch.tensor([[0], [1]])
    >>> batch = Graph.batch([Graph(edge_index, num_nodes=2), Graph(edge_index, num_nodes=3)])
    >>> Readout()(torch.ones(5, 1), batch).tolist()
    [[2.0], [3.0]]
    """

    def __init__(self, aggregation: Aggregation | None = None):
        super().__init__()
        self.aggregation = aggregation or Sum()

    def forward(self, x: Float[Tensor, "n c"], graph: Graph) -> Float[Tensor, "g d"]:
        """The states of the graphs in a batch (or of the one graph), from the states of their nodes."""
        check(isinstance(graph, Graph), f"a readout needs the Graph whose nodes these are, got {type(graph).__name__}")
        check_tensor("x", x, ndim=2)
        check_rows("x", x, graph.num_nodes, "nodes")
        return self.aggregation(graph.members, x)
