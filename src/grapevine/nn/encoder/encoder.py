"""The common face of whole networks that give every node a state, whatever they keep between their steps."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, cast

from torch import Tensor, nn

from grapevine.nn.conv.inputs import Edges
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features


class Encoder(nn.Module, ABC):
    """A network called as encoder(x, adj, edge), that can show the states of every step too.

    A subclass of one paper says what it is in `equation`.
    """

    equation: ClassVar[Equation]

    @abstractmethod
    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        """The states that a readout of every layer reads, one after another, the input's first."""

    def forward(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Tensor:
        """The states in the end.

        Args:
            x: [n, c] node features, dense or, where the encoder takes them, sparse.
            adj: an Adjacency, a Graph or an edge_index tensor. A batch of graphs lets GraphNorm tell them apart.
            edge: what the layers are given as their edge input, in the order of `adj`.

        Returns:
            [n, out_channels]
        """
        last = x
        for states in self.steps(x, adj, edge):
            last = states  # the earlier ones are let go
        return cast(Tensor, last)

    def all_states(self, x: Features, adj: Edges, edge: Tensor | None = None) -> list[Features]:
        """The states before the first step, which are x itself, and after each; the last ones are `forward`'s.

        >>> import torch
        >>> from grapevine.nn import GNN, GCNConv
        >>> network = GNN([GCNConv(3, 16), GCNConv(16, 2)])
        >>> [states.shape[1] for states in network.all_states(torch.ones(2, 3), torch.tensor([[0], [1]]))]
        [3, 16, 2]
        """
        return list(self.steps(x, adj, edge))
