"""What two states say together: of a link whether it is there, of an edge its class or its number.

Dot: u . v      Bilinear: u^T W v      PairMLP: an MLP of [u * v, |u - v|, u + v] (symmetric) or of [u, v] (directed)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.nn.linear import check_channels
from grapevine.nn.mlp import MLP
from grapevine.typing import ActivationName


class Decoder(nn.Module, ABC):
    """From the states of the first and the second node of each pair, and features of the pair, to [k, c] numbers."""

    @abstractmethod
    def forward(
        self, u: Float[Tensor, "k c"], v: Float[Tensor, "k c"], edge: Float[Tensor, "k d"] | None = None
    ) -> Float[Tensor, "k out"]: ...


class Dot(Decoder):
    """The dot product of the two states, the same in both directions; it has no weights.

    >>> Dot()(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])).tolist()
    [[11.0]]
    """

    def forward(self, u: Tensor, v: Tensor, edge: Tensor | None = None) -> Tensor:
        _check_pair(u, v)
        check(edge is None, "Dot takes no edge features; PairMLP does")
        return (u * v).sum(1, keepdim=True)


class Bilinear(Decoder):
    """u^T W_o v for each output o, from a Glorot start (Glorot and Bengio 2010), and a bias.

    Args:
        channels: width of the states.
        out_channels: how many numbers a pair gets.
        symmetric: use (W_o + W_o^T) / 2, so that both directions get the same numbers.

    >>> decoder = Bilinear(2)
    >>> u, v = torch.rand(3, 2), torch.rand(3, 2)
    >>> torch.allclose(decoder(u, v), decoder(v, u))
    True
    """

    def __init__(self, channels: int, out_channels: int = 1, *, symmetric: bool = True):
        super().__init__()
        check_channels("channels", channels)
        check_channels("out_channels", out_channels)
        self.weight = nn.Parameter(torch.empty(out_channels, channels, channels))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.symmetric = symmetric
        for matrix in self.weight.detach():
            nn.init.xavier_uniform_(matrix)

    def forward(self, u: Tensor, v: Tensor, edge: Tensor | None = None) -> Tensor:
        _check_pair(u, v)
        check(edge is None, "Bilinear takes no edge features; PairMLP does")
        weight = (self.weight + self.weight.mT) / 2 if self.symmetric else self.weight
        # One output at a time: [k, c] of memory, not [k, out, c].
        return torch.stack([((u @ matrix) * v).sum(1) for matrix in weight], 1) + self.bias


class PairMLP(Decoder):
    """An MLP of both states and, if the pair has any, its features.

    Args:
        channels: the width of a state, those of the hidden layers, and how many numbers a pair gets.
        symmetric: let it see u * v, |u - v| and u + v, which are the same in both directions; else u and v, in order.
        edge_channels: width of the pair's own features, 0 for none.
        activation: between the layers.
        dropout: after each activation, in training.

    >>> decoder = PairMLP([4, 16, 3])
    >>> u, v = torch.rand(5, 4), torch.rand(5, 4)
    >>> decoder(u, v).shape, torch.equal(decoder(u, v), decoder(v, u))
    (torch.Size([5, 3]), True)
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        symmetric: bool = True,
        edge_channels: int = 0,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
    ):
        super().__init__()
        check(len(channels) >= 2, f"PairMLP needs the widths of a state and of its output, got {list(channels)}")
        for width in channels:
            check_channels("each of channels", width)
        self.symmetric, self.edge_channels = symmetric, edge_channels
        width = (3 if symmetric else 2) * channels[0] + edge_channels
        self.mlp = MLP([width, *channels[1:]], activation=activation, dropout=dropout)

    def forward(self, u: Tensor, v: Tensor, edge: Tensor | None = None) -> Tensor:
        _check_pair(u, v)
        seen = [u * v, (u - v).abs(), u + v] if self.symmetric else [u, v]
        if edge is not None:
            edge = edge.unsqueeze(1) if edge.ndim == 1 else edge
            check_rows("edge", edge, len(u), "pairs")
            seen.append(edge)
        width = 0 if edge is None else edge.shape[1]
        if width != self.edge_channels:
            raise InputError(f"this PairMLP takes {self.edge_channels} features of a pair, got {width}")
        return self.mlp(torch.cat(seen, 1))


def _check_pair(u: Tensor, v: Tensor) -> None:
    check_tensor("u", u, ndim=2)
    if u.shape != v.shape:
        raise InputError(f"the states of both ends must have one shape, got {tuple(u.shape)} and {tuple(v.shape)}")
