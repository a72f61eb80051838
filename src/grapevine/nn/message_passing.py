"""The equation as a class: write a message and an update, choose an aggregation, and a layer is made.

h_i' = update(h_i, aggregate over the edges j -> i of message(h_j, h_i, e_ij))        (Gilmer et al. 2017)
"""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.nn.aggregation import Aggregation, Sum
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, in_order
from grapevine.ops.gather import gather


class MessagePassing(nn.Module, ABC):
    """A layer in the form of the equation; memory grows with edges times channels.

    Args:
        aggregation: how messages come together; the sum by default.

    >>> class Difference(MessagePassing):
    ...     def message(self, x_src, x_dst, edge_attr):
    ...         return x_src - x_dst
    ...     def update(self, x_dst, message):
    ...         return x_dst + message
    >>> import torch
    >>> edge_index = torch.tensor([[0, 1], [1, 0]])
    >>> Difference()(torch.tensor([[1.0], [5.0]]), edge_index).tolist()
    [[5.0], [1.0]]
    """

    def __init__(self, aggregation: Aggregation | None = None):
        super().__init__()
        self.aggregation = aggregation or Sum()

    @abstractmethod
    def message(
        self,
        x_src: Float[Tensor, "e c"],
        x_dst: Float[Tensor, "e c"],
        edge_attr: Float[Tensor, "e *d"] | None,
    ) -> Float[Tensor, "e d"]:
        """What travels along each edge, from the states of its two ends and its own features."""

    @abstractmethod
    def update(self, x_dst: Float[Tensor, "n c"], message: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """The new states, from the old ones and what arrived."""

    def forward(self, x: Ends, adj: Edges, edge_attr: Float[Tensor, "e *d"] | None = None) -> Float[Tensor, "n k"]:
        """Pass messages once.

        Args:
            x: [n, c] states, or the pair of [m, c] source and [n, c] target states of a bipartite graph.
            adj: who hears whom.
            edge_attr: [e, ...] edge features in the order of `adj`.
        """
        x_src, x_dst, adjacency = dense_ends_of(x, adj, type(self).__name__)
        if edge_attr is not None:
            edge_attr = in_order("edge_attr", edge_attr, adj, adjacency)
        pattern = adjacency.pattern
        x_j, x_i = gather(pattern, x_src, side="cols"), gather(pattern, x_dst, side="rows")
        return self.update(x_dst, self.aggregation(pattern, self.message(x_j, x_i, edge_attr)))
