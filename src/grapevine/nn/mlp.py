"""A multilayer perceptron: what is left of a graph network when no message passes.

h' = dropout(activation(W h + b)), and W h + b at the end
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.linear import Features, Linear, dropout_features, linear
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class MLP(nn.Module):
    """Linear layers with an activation and dropout between them.

    Args:
        channels: the widths from input to output; the first may be -1.
        activation: between the layers.
        dropout: after each activation, in training.
        input_dropout: on the input, in training.
        batch_norm: normalise before each activation.

    >>> import torch
    >>> MLP([4, 16, 3])(torch.ones(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        batch_norm: bool = False,
    ):
        super().__init__()
        check(len(channels) >= 2, f"an MLP needs the widths of its input and its output, got {list(channels)}")
        self.activation: ActivationName = activation
        self.dropout, self.input_dropout = dropout, input_dropout
        self.layers = nn.ModuleList(Linear(c, d) for c, d in pairwise(channels))
        self.norms = nn.ModuleList(nn.BatchNorm1d(c) for c in channels[1:-1]) if batch_norm else None

    def forward(self, x: Features, adj: object = None) -> Tensor:
        """Map [n, c] features; `adj` is not looked at, so that an MLP can stand where a graph network does."""
        h = dropout_features(x, self.input_dropout, self.training)
        dropout = self.dropout if self.training else 0.0
        *hidden, last = cast(Sequence[Linear], self.layers)
        norms = [None] * len(hidden) if self.norms is None else list(self.norms)
        for layer, norm in zip(hidden, norms, strict=True):
            out, bias = (linear(h, layer.fitted(h)), layer.bias) if norm is None else (norm(layer(h)), None)
            h = epilogue(out, bias, activation=self.activation, dropout=dropout)
        return last(h)
