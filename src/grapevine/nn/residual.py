"""What a deep stack keeps of the states before a layer, all called as residual(out, before, first).

AddResidual:      h' = h + out                            (He et al. 2016)
InitialResidual:  h' = (1 - alpha) out + alpha h_0        (Chen et al. 2020)
GatedResidual:    h' = g out + (1 - g) h,  g = sigmoid(W h + b)

He et al., "Deep residual learning for image recognition", 2016. Chen et al., "Simple and deep graph convolutional
networks", 2020. Srivastava, Greff & Schmidhuber, "Highway networks", 2015, and on graphs Rahimi, Cohn & Baldwin,
"Semi-supervised user geolocation via graph convolutional networks", 2018.
"""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.gates import sigmoid
from grapevine.nn.linear import Linear

_CARRY = -1.0  # where the gates' bias starts: more of h than of out goes on, as Srivastava et al. advise


class Residual(nn.Module, ABC):
    """Joins what a layer puts out to the states it was given and to the first ones of the same width."""

    @abstractmethod
    def forward(
        self, out: Float[Tensor, "n c"], before: Float[Tensor, "n c"], first: Float[Tensor, "n c"]
    ) -> Float[Tensor, "n c"]:
        """The new states."""


class AddResidual(Residual):
    """The states before are added (He et al. 2016).

    >>> import torch
    >>> AddResidual()(torch.tensor([[1.0]]), torch.tensor([[10.0]]), torch.tensor([[100.0]])).item()
    11.0
    """

    def forward(self, out: Tensor, before: Tensor, first: Tensor) -> Tensor:
        return before + out


class InitialResidual(Residual):
    """A share of the first states is mixed in, however deep the layer is (Chen et al. 2020).

    Args:
        alpha: that share.

    >>> import torch
    >>> InitialResidual(0.5)(torch.tensor([[1.0]]), torch.tensor([[10.0]]), torch.tensor([[100.0]])).item()
    50.5
    """

    def __init__(self, alpha: float = 0.1):
        super().__init__()
        check(0 <= alpha <= 1, f"alpha is a share, 0 to 1, got {alpha!r}")
        self.alpha = alpha

    def forward(self, out: Tensor, before: Tensor, first: Tensor) -> Tensor:
        return out.lerp(first, self.alpha)

    def extra_repr(self) -> str:
        return f"{self.alpha}"


class GatedResidual(Residual):
    """A learnt gate says of each number how much of the layer's output goes on, and how much of what was there.

    Args:
        channels: width of the states.

    >>> import torch
    >>> GatedResidual(2)(torch.ones(3, 2), torch.zeros(3, 2), torch.zeros(3, 2)).shape
    torch.Size([3, 2])
    """

    def __init__(self, channels: int):
        super().__init__()
        self.lin = Linear(channels, channels)
        nn.init.constant_(self.lin.bias, _CARRY)  # pyright: ignore[reportArgumentType] it was made with one

    def forward(self, out: Tensor, before: Tensor, first: Tensor) -> Tensor:
        return before + sigmoid(self.lin(before)) * (out - before)
