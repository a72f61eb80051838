"""The common face of the convolutions: everything but the bias, and then the bias.

The bias stands apart so that a stack of layers can add it, apply the activation and drop out in one pass.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.equation import Equation


class Conv(nn.Module, ABC):
    """A layer h' = combine(h) + bias; a subclass defines `combine` and sets `self.bias` (or None).

    A subclass of one paper says what it is in `equation`.
    """

    equation: ClassVar[Equation]
    bias: nn.Parameter | None
    normalize: bool = False  # scale every output to length 1, after the bias

    @abstractmethod
    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        """The layer without its bias."""

    def forward(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        """The new states.

        Args:
            x: [n, c] states, or the pair of [m, c] source and [n, c] target states of a bipartite graph.
            adj: an Adjacency, a Graph or an edge_index tensor.
            edge: weights or features of the edges, see the class, in the order of `adj`.

        Returns:
            [n, out_channels]
        """
        out = self.combine(x, adj, edge)
        out = out if self.bias is None else out + self.bias
        return nn.functional.normalize(out, dim=-1) if self.normalize else out
