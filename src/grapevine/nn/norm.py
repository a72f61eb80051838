"""Normalisations of node states, all called as norm(x, members).

BatchNorm: each channel over all nodes        LayerNorm: each node over its channels
GraphNorm: each channel over the nodes of one graph, of whose mean a learnt share is subtracted (Cai et al. 2021)
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.nn.linear import check_fits
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


def _check_states(x: Tensor, weight: Tensor) -> None:
    check_tensor("x", x, ndim=2)
    check_fits(x, weight)
