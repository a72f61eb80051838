"""The layer of an MLP in the place of a convolution: it hears nobody.

h_i' = W h_i + b
"""

import torch
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, ends_of
from grapevine.nn.linear import Linear, linear


class LinearConv(Conv):
    """A linear map of each node's own state, so that an MLP can be built as a graph network is, with the same norms,
    residuals and readouts; it has no edge input.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        bias: add a bias.

    >>> import torch
    >>> layer = LinearConv(2, 3)
    >>> layer(torch.ones(4, 2), torch.tensor([[0], [1]])).shape
    torch.Size([4, 3])
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True):
        super().__init__()
        self.lin = Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(edge is None, "LinearConv has no edge input: it hears nobody")
        _, x_dst, _ = ends_of(x, adj)
        return linear(x_dst, self.lin.fitted(x_dst))
