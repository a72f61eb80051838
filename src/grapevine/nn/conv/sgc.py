"""Simplified graph convolution: several hops of GCN and one linear map (Wu et al. 2019).

H' = S^K H W + b,    S = D^-1/2 (A + I) D^-1/2
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.conv.matrix import gcn_matrix, one_set_of, weighed_edges
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear


class SGConv(Conv):
    """Simplified graph convolution (Wu et al. 2019). Its edge input is [e] weights.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        K: number of hops.
        cached: keep S^K H and use it again as long as x, adj and edge are the same objects, unchanged and without
            gradients: full-graph training then costs one linear map a step. x is kept alive with it. Changes made
            behind PyTorch's back (through `.data` or a shared NumPy array) are not noticed.
        add_self_loops: hear yourself too, where no loop is there yet, with weight 1.
        bias: add a bias.

    >>> layer = SGConv(1, 1, 2, bias=False)
    >>> _ = nn.init.ones_(layer.lin.weight)
    >>> layer(torch.tensor([[1.0], [3.0]]), torch.tensor([[0, 1], [1, 0]])).round(decimals=3).tolist()
    [[2.0], [2.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="SGC",
        message="w_ij h_j / sqrt(d_i d_j), K times",
        aggregation="sum, yourself too",
        update="W m_i + b, after the last hop",
        edges="weights",
        readout="",
        cost="n c^2 + K e c, K hops",
        power="below 1-WL",
        year=2019,
        paper="Wu et al., Simplifying graph convolutional networks",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        K: int = 1,
        *,
        cached: bool = False,
        add_self_loops: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        check_channels("K", K)
        self.in_channels, self.out_channels, self.K = in_channels, out_channels, K
        self.cached, self.add_self_loops = cached, add_self_loops
        self.lin = Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self._seen: tuple[list[tuple[Any, int]], Tensor] | None = None  # what was given, and S^K H of it

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        states, adjacency = one_set_of(x, adj, "SGConv")
        weight = self.lin.fitted(states)
        if self.cached:
            if not isinstance(states, Tensor):
                raise InputError("SGConv keeps S^K x of dense features: use to_dense(), or cached=False")
            return linear(self._kept_hops(states, adj, adjacency, edge), weight)
        if isinstance(states, Tensor) and states.shape[1] <= self.out_channels:
            return linear(self._hops(states, adj, adjacency, edge), weight)
        return self._hops(linear(states, weight), adj, adjacency, edge)

    def _hops(self, x: Tensor, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> Tensor:
        """S^K x."""
        adjacency, edge = weighed_edges(adj, adjacency, edge, add_self_loops=self.add_self_loops)
        matrix = gcn_matrix(adjacency, edge, x.dtype)
        for _ in range(self.K):
            x = matrix.times(x)
        return x

    def _kept_hops(self, x: Tensor, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> Tensor:
        given = [thing for thing in (x, adj, edge) if isinstance(thing, Tensor)]
        if any(tensor.requires_grad or tensor.is_inference() for tensor in given):
            return self._hops(x, adj, adjacency, edge)
        # An edge_index is made an Adjacency anew at each call, so it is what is compared; a Graph's stays the same.
        key: list[tuple[Any, int]] = [(tensor, tensor._version) for tensor in given]
        if not isinstance(adj, Tensor):
            key.append((adjacency, 0))
        if self._seen is None or not _is_same(self._seen[0], key):
            with torch.inference_mode(False):  # what evaluation makes first, training uses later
                self._seen = key, self._hops(x, adj, adjacency, edge)
        return self._seen[1]

    def extra_repr(self) -> str:
        return f"K={self.K}, cached={self.cached}, add_self_loops={self.add_self_loops}"


def _is_same(seen: list[tuple[Any, int]], given: list[tuple[Any, int]]) -> bool:
    if len(seen) != len(given):
        return False
    pairs = zip(seen, given, strict=True)
    return all(there is here and then == now for (there, then), (here, now) in pairs)
