"""A residual block around any convolution: normalise, hear the neighbours, a second linear map, and add what was there.

h_i' = h_i + dropout(W dropout(activation(conv(norm(h))_i)) + b)

With the convolution's own map this is the two-layer network after each aggregation of Platonov et al. 2023, "A critical
look at the evaluation of GNNs under heterophily: are we really making progress?"
"""

from typing import ClassVar

from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, linear
from grapevine.nn.norm import LayerNorm
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class ResidualBlock(Conv):
    """A residual block (Platonov et al. 2023), itself a convolution from `channels` to `channels`.

    Blocks follow one another without anything between them: `GNN(blocks, activation="none")`. Its edge input is that
    of the convolution.

    Args:
        conv: from `channels` to `inner_channels`.
        channels: width of the states.
        inner_channels: width of what the convolution puts out; None: `channels`.
        norm: of the states that the convolution is given, called as norm(x); None: a LayerNorm. `nn.Identity()` is
            none.
        activation: after the convolution.
        dropout: after the activation and after the second map, in training.

    >>> import torch
    >>> from grapevine.nn import GCNConv
    >>> block = ResidualBlock(GCNConv(3, 8), 3, inner_channels=8)
    >>> block(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 3])
    """

    equation: ClassVar[Equation] = Equation(
        name="Separated SAGE (SAGE-sep), a residual block",
        message="h_j, behind a LayerNorm; in the block any other convolution can stand in the place of SAGE",
        aggregation="mean, not yourself",
        update="h_i + W' GELU(W_root LN(h_i) + W m_i + b)",
        edges="features",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2023,
        paper="Platonov et al., A critical look at the evaluation of GNNs under heterophily: are we really making "
        "progress?",
    )

    def __init__(
        self,
        conv: Conv,
        channels: int,
        *,
        inner_channels: int | None = None,
        norm: nn.Module | None = None,
        activation: ActivationName = "gelu",
        dropout: float = 0.0,
    ):
        super().__init__()
        if not isinstance(conv, Conv):
            raise InputError(f"a block stands around a convolution, got {type(conv).__name__}")
        self.conv, self.bias = conv, None
        self.norm = LayerNorm(channels) if norm is None else norm
        self.lin = Linear(inner_channels or channels, channels)
        self.activation: ActivationName = activation
        self.dropout = dropout

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        x_dst = x[1] if isinstance(x, tuple) else x
        if not isinstance(x_dst, Tensor):
            raise InputError("a residual block takes dense features; put a Linear layer in front of it")
        given = (self.norm(x[0]), self.norm(x[1])) if isinstance(x, tuple) else self.norm(x)
        if self.conv.normalize:
            heard, bias = self.conv(given, adj, edge), None
        else:
            heard, bias = self.conv.combine(given, adj, edge), self.conv.bias
        heard = epilogue(heard, bias, activation=self.activation, dropout=dropout)
        return x_dst + epilogue(linear(heard, self.lin.fitted(heard)), self.lin.bias, dropout=dropout)
