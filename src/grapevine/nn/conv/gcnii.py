"""GCNII: a deep GCN that keeps a share of where it began, and maps each layer near the identity (Chen et al. 2020).

H' = ((1 - alpha) P H + alpha H0) ((1 - beta) I + beta W),    P = D^-1/2 (A + I) D^-1/2,    beta_l = log(lambda / l + 1)

M. Chen, Z. Wei, Z. Huang, B. Ding and Y. Li, "Simple and deep graph convolutional networks", ICML 2020. GCNII* is
    H' = (1 - alpha) P H ((1 - beta) I + beta W) + alpha H0 ((1 - beta) I + beta W0)
"""

import math
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.checks import check_rows
from grapevine.errors import InputError, check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.conv.matrix import gcn_matrix, one_set_of, weighed_edges
from grapevine.nn.equation import Equation
from grapevine.nn.linear import check_channels, check_fits, linear


class GCNIIConv(Conv):
    """One layer of GCNII (Chen et al. 2020), without its activation. Its edge input is [e] weights.

    The states of the start, H0, come as `combine(x, adj, edge, first=h0)`; without them x itself is the start, as it
    is in the first layer. A layer costs one sum along the edges and one product: beta W + (1 - beta) I is made first.

    Args:
        channels: width of the states.
        alpha: the share of the start.
        beta: how far from the identity the map is; `identity_share(layer, strength)` is the paper's.
        shared_weights: one map for what is heard and for the start; without, it is GCNII*.
        add_self_loops: hear yourself too, where no loop is there yet, with weight 1.

    >>> layer = GCNIIConv(1, alpha=0.5, beta=0.0)
    >>> x, first = torch.tensor([[1.0], [3.0]]), torch.tensor([[10.0], [20.0]])
    >>> layer.combine(x, torch.tensor([[0, 1], [1, 0]]), first=first).round(decimals=3).tolist()
    [[6.0], [11.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="GCNII",
        message="w_ij h_j / sqrt(d_i d_j)",
        aggregation="sum, yourself too",
        update="ReLU((1 - b + b W) ((1 - a) m_i + a h0_i)), h0 the states of the start, b = log(l / layer + 1)",
        edges="weights",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2020,
        paper="Chen et al., Simple and deep graph convolutional networks",
    )

    weight: nn.Parameter
    first_weight: nn.Parameter | None

    def __init__(
        self,
        channels: int,
        *,
        alpha: float = 0.1,
        beta: float = 1.0,
        shared_weights: bool = True,
        add_self_loops: bool = True,
    ):
        super().__init__()
        check_channels("channels", channels)
        for name, share in (("alpha", alpha), ("beta", beta)):
            check(0 <= share <= 1, f"{name} is a share, 0 to 1, got {share!r}")
        self.channels, self.alpha, self.beta, self.add_self_loops = channels, alpha, beta, add_self_loops
        self.weight = _square(channels)
        self.first_weight = None if shared_weights else _square(channels)
        self.bias = None

    def combine(
        self, x: Ends, adj: Edges, edge: Tensor | None = None, *, first: Float[Tensor, "n c"] | None = None
    ) -> Tensor:
        states, adjacency = one_set_of(x, adj, "GCNIIConv")
        if not isinstance(states, Tensor):
            raise InputError("GCNIIConv takes dense features; put a Linear layer in front of it, or use to_dense()")
        check_fits(states, self.weight)
        first = states if first is None else first
        check_fits(first, self.weight)
        check_rows("first", first, states.shape[0], "nodes")
        adjacency, edge = weighed_edges(adj, adjacency, edge, add_self_loops=self.add_self_loops)
        heard = gcn_matrix(adjacency, edge, states.dtype, scale=1 - self.alpha).times(states)
        if self.first_weight is not None:
            return linear(heard, self._near_identity(self.weight)) + self.alpha * linear(
                first, self._near_identity(self.first_weight)
            )
        return linear(torch.add(heard, first, alpha=self.alpha), self._near_identity(self.weight))

    def _near_identity(self, weight: Tensor) -> Tensor:
        """(1 - beta) I + beta W."""
        eye = torch.eye(self.channels, dtype=weight.dtype, device=weight.device)
        return torch.lerp(eye, weight, self.beta)

    def extra_repr(self) -> str:
        shared = self.first_weight is None
        return f"{self.channels}, alpha={self.alpha}, beta={self.beta:.3g}, shared_weights={shared}"


def identity_share(layer: int, strength: float = 0.5) -> float:
    """beta of that layer, the first one being 1: log(strength / layer + 1), so that deep layers hardly change a state.

    >>> [round(identity_share(layer), 3) for layer in (1, 2, 64)]
    [0.405, 0.223, 0.008]
    """
    check(layer >= 1, f"layers are counted from 1, got {layer}")
    check(strength >= 0, f"strength must not be negative, got {strength}")
    return min(math.log(strength / layer + 1), 1.0)


def _square(channels: int) -> nn.Parameter:
    """Uniform up to 1 / sqrt(channels), as the authors' program has it."""
    bound = channels**-0.5
    return nn.Parameter(torch.empty(channels, channels).uniform_(-bound, bound))
