"""Layers for scalars that keep their variance from the first step: radial weights and readouts of equivariant networks.

y = x W1 / root(k),  then for each further layer  y = c silu(y) W / root(k)          k the inputs of the layer, no bias

W is drawn with variance one, and c makes the activated numbers of variance one (as in e3nn).
"""

import itertools
from collections.abc import Sequence
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.equivariant.gate import second_moment_scale


class ScalarMLP(nn.Module):
    """Layers without a bias, with SiLU between them.

    Args:
        channels: of the input, of each hidden layer, and of the output.

    >>> ScalarMLP([8, 64, 64, 256])(torch.ones(5, 8)).shape
    torch.Size([5, 256])
    """

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        check(len(channels) >= 2, f"a network has an input and an output, got channels {list(channels)}")
        self.weights = nn.ParameterList(torch.randn(pair) for pair in itertools.pairwise(channels))
        self.scale = second_moment_scale("silu")

    def forward(self, x: Float[Tensor, "n k"]) -> Float[Tensor, "n c"]:
        first, *others = self.weights
        x = x @ (first * (1 / sqrt(len(first))))
        for weight in others:
            x = nn.functional.silu(x) @ (weight * (self.scale / sqrt(len(weight))))
        return x

    def extra_repr(self) -> str:
        return ", ".join(str(len(weight)) for weight in self.weights) + f", {self.weights[-1].shape[1]}"
