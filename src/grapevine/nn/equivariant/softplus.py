"""The shifted softplus (Schütt et al. 2017): smooth to every order, and 0 at 0.

ssp(x) = log(1 + e^x) - log 2
"""

import math

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from grapevine.nn.linear import Linear
from grapevine.ops.linear import linear


def shifted_softplus(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """ssp(x).

    >>> import torch
    >>> shifted_softplus(torch.zeros(1)).tolist()
    [0.0]
    """
    return softplus(x) - math.log(2)


def linear_of_softplus(layer: Linear, x: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
    """W ssp(x) + b, the shift taken off the bias: one pass over x less."""
    assert layer.bias is not None
    return linear(softplus(x), layer.weight, layer.bias - math.log(2) * layer.weight.sum(1))
