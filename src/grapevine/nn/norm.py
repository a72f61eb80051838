"""Normalisations of node states, all called as norm(x, members).

BatchNorm: each channel over all nodes        LayerNorm: each node over its channels
GraphNorm: each channel over the nodes of one graph, of whose mean a learnt share is subtracted (Cai et al. 2021)
PairNorm: the nodes of one graph, so that the mean distance of pairs stays (Zhao and Akoglu 2020)
DiffGroupNorm: each channel over the nodes, apart for each of several soft groups of them (Zhou et al. 2020)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.nn.linear import Linear, check_channels, check_fits
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class BatchNorm(nn.Module):
    """Each channel over all nodes of the batch (Ioffe and Szegedy 2015).

    >>> BatchNorm(1)(torch.tensor([[1.0], [3.0]])).detach().round().tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Float[Tensor, "n c"], members: Pattern | None = None) -> Float[Tensor, "n c"]:
        _check_states(x, self.norm.weight)
        if self.training and x.shape[0] == 1:
            check(False, "BatchNorm can not train on a single node: it has no variance")
        return self.norm(x)


class LayerNorm(nn.Module):
    """Each node over its own channels (Ba et al. 2016).

    >>> LayerNorm(2)(torch.tensor([[1.0, 3.0]])).detach().round().tolist()
    [[-1.0, 1.0]]
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Float[Tensor, "n c"], members: Pattern | None = None) -> Float[Tensor, "n c"]:
        _check_states(x, self.norm.weight)
        return self.norm(x)


class GraphNorm(nn.Module):
    """Each channel over the nodes of one graph: (x - a mean) / std * w + b with a, w, b learnt (Cai et al. 2021).

    >>> GraphNorm(1)(torch.tensor([[1.0], [3.0]])).detach().round().tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, channels: int, *, eps: float = 1e-5):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.mean_share, self.eps = nn.Parameter(torch.ones(channels)), eps

    def forward(self, x: Float[Tensor, "n c"], members: Pattern | None = None) -> Float[Tensor, "n c"]:
        """Normalise [n, c] states; `members` says which nodes each graph has (`Graph.members`), None: one graph."""
        _check_states(x, self.weight)
        if members is None:
            shifted = x - self.mean_share * x.mean(0, keepdim=True)
            variance = shifted.square().mean(0, keepdim=True)
        else:
            mean = segment_reduce(members, x, reduce="mean")
            shifted = x - self.mean_share * gather(members, mean, side="rows")
            variance = gather(members, segment_reduce(members, shifted.square(), reduce="mean"), side="rows")
        return self.weight * shifted / (variance + self.eps).sqrt() + self.bias


class PairNorm(nn.Module):
    """Centre the nodes of one graph, and scale them so that the mean squared distance of pairs is the same always.

    x' = scale (x - mean) / sqrt(mean over nodes of |x - mean|^2); the mean squared distance of pairs is 2 scale^2 then.
    L. Zhao and L. Akoglu, "PairNorm: tackling oversmoothing in GNNs", ICLR 2020. It has nothing to learn.

    Args:
        scale: s of the paper.
        is_individual: PairNorm-SI: scale each node by its own length instead.
        eps: added to the mean square, or square, below the root.

    >>> PairNorm()(torch.tensor([[1.0], [3.0]])).round().tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, *, scale: float = 1.0, is_individual: bool = False, eps: float = 1e-6):
        super().__init__()
        self.scale, self.is_individual, self.eps = scale, is_individual, eps

    def forward(self, x: Float[Tensor, "n c"], members: Pattern | None = None) -> Float[Tensor, "n c"]:
        """Normalise [n, c] states; `members` says which nodes each graph has (`Graph.members`), None: one graph."""
        check_tensor("x", x, ndim=2)
        if members is None:
            centred = x - x.mean(0, keepdim=True)
        else:
            centred = x - gather(members, segment_reduce(members, x, reduce="mean"), side="rows")
        square = centred.square().sum(1, keepdim=True)
        if not self.is_individual:
            if members is None:
                square = square.mean(0, keepdim=True)
            else:
                square = gather(members, segment_reduce(members, square, reduce="mean"), side="rows")
        return self.scale * centred * (square + self.eps).rsqrt()

    def extra_repr(self) -> str:
        return f"scale={self.scale}, is_individual={self.is_individual}"


class DiffGroupNorm(nn.Module):
    """Share the nodes out among soft groups, and normalise each group's share on its own.

    x' = x + balance * sum over groups g of BatchNorm_g(s_g x),    s = softmax(W x)

    K. Zhou et al., "Towards deeper graph neural networks with differentiable group normalization", NeurIPS 2020. Like
    BatchNorm it is over all nodes of a batch, and over those seen in training where it is not training. The sum over
    groups is x times one matrix product, so nothing is ever n x groups x c.

    Args:
        channels: width of the states.
        num_groups: how many groups; 10 in the paper.
        balance: lambda of the paper, how much the normalised states weigh.
        eps: added to the variance.
        momentum: the share of a batch in the running mean and variance.

    >>> norm = DiffGroupNorm(2, num_groups=3)
    >>> norm(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).shape
    torch.Size([2, 2])
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(
        self, channels: int, *, num_groups: int = 10, balance: float = 0.01, eps: float = 1e-5, momentum: float = 0.1
    ):
        super().__init__()
        check_channels("num_groups", num_groups)
        self.lin = Linear(channels, num_groups, bias=False)
        self.weight, self.bias = (nn.Parameter(fill(num_groups, channels)) for fill in (torch.ones, torch.zeros))
        self.register_buffer("running_mean", torch.zeros(num_groups, channels))
        self.register_buffer("running_variance", torch.ones(num_groups, channels))
        self.balance, self.eps, self.momentum = balance, eps, momentum

    def forward(self, x: Float[Tensor, "n c"], members: Pattern | None = None) -> Float[Tensor, "n c"]:
        _check_states(x, self.lin.weight)
        share = self.lin(x).softmax(1)
        mean, variance = self._moments(share, x) if self.training else (self.running_mean, self.running_variance)
        scale = self.weight * (variance + self.eps).rsqrt()
        return x + self.balance * (x * (share @ scale) + (self.bias - mean * scale).sum(0))

    def _moments(self, share: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """[groups, c] mean and variance of s_g x over the nodes, of which the running ones take a part.

        With s = t + mean(s) and x = z + mean(x), so that large means cost no digits:
        var(s x) = mean(s^2 z^2) - mean(s z)^2 + 2 mean(x) mean(s t z) + mean(x)^2 mean(t^2)
        """
        n = x.shape[0]
        check(n != 1, "DiffGroupNorm can not train on a single node: it has no variance")
        if n == 0:
            return self.running_mean, self.running_variance
        x_mean, share_mean = x.mean(0), share.mean(0)
        z, t = x - x_mean, share - share_mean
        middle = share.T @ z / n
        mean = middle + share_mean.unsqueeze(1) * x_mean
        spread = t.square().mean(0).unsqueeze(1)
        variance = share.square().T @ z.square() / n - middle.square()
        variance = variance + 2 * x_mean * ((share * t).T @ z / n) + x_mean.square() * spread
        variance = variance.clamp(min=0)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_variance.lerp_(variance * n / (n - 1), self.momentum)
        return mean, variance


def _check_states(x: Tensor, weight: Tensor) -> None:
    check_tensor("x", x, ndim=2)
    check_fits(x, weight)
