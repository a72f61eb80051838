"""Chebyshev graph convolution: a polynomial of the Laplacian (Defferrard et al. 2016).

H' = sum over k < K of T_k(L~) H W_k,    L~ = 2 L / lambda_max - I
T_0(t) = 1, T_1(t) = t, T_k(t) = 2 t T_(k-1)(t) - T_(k-2)(t)
"""

from collections.abc import Sequence
from typing import ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, edges_of
from grapevine.nn.conv.laplacian import Normalization, largest_eigenvalues
from grapevine.nn.conv.matrix import GraphMatrix, one_set_of, scaled_laplacian
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, linear

LambdaMax = float | Literal["graph", "computed"]


class ChebConv(Conv):
    """Chebyshev graph convolution (Defferrard et al. 2016). Its edge input is [e] weights. Self-loops do not count.

    The polynomial is summed by Clenshaw's recurrence, whose memory is that of the output whatever K is; where the input
    is narrower than the output, by Chebyshev's own, which keeps K of the inputs for the backward. With the normalised
    Laplacian and one lambda_max it does not tell regular graphs of different degrees apart, as 1-WL does.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        K: number of terms: the layer hears up to K - 1 hops away.
        normalization: "sym" for the Laplacian I - D^-1/2 A D^-1/2, "none" for D - A.
        lambda_max: the largest eigenvalue of the Laplacian, or a bound of it: a number for all graphs; "graph" for the
            graphs' own tensor of that name, which `largest_eigenvalues` makes; "computed" to find it at every call, a
            constant, from a Graph for each graph of a batch, else as of one graph. By default 2, the bound of the
            normalised Laplacian; without normalisation it must be given.
        bias: add a bias.

    >>> layer = ChebConv(1, 1, 2, bias=False)
    >>> for lin in layer.lins: _ = nn.init.ones_(lin.weight)
    >>> layer(torch.tensor([[1.0], [3.0]]), torch.tensor([[0, 1], [1, 0]])).tolist()  # x - D^-1/2 A D^-1/2 x
    [[-2.0], [2.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="ChebNet",
        message="T_k(L~)_ij h_j for each k < K, along paths of up to k edges",
        aggregation="sum",
        update="sum over k of W_k m_i^k, and b",
        edges="weights",
        readout="a fully connected layer over all nodes",
        cost="K n c^2 + K e c, K terms",
        power="below 1-WL",
        year=2016,
        paper="Defferrard et al., Convolutional neural networks on graphs with fast localized spectral filtering",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        K: int,
        *,
        normalization: Normalization = "sym",
        lambda_max: LambdaMax | None = None,
        bias: bool = True,
    ):
        super().__init__()
        check_channels("K", K)
        check(normalization in ("sym", "none"), f"normalization must be sym or none, got {normalization!r}")
        self.in_channels, self.out_channels, self.K = in_channels, out_channels, K
        self.normalization: Normalization = normalization
        self.lambda_max = _checked(lambda_max, normalization)
        self.lins = nn.ModuleList(Linear(in_channels, out_channels, bias=False) for _ in range(K))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        states, adjacency = one_set_of(x, adj, "ChebConv")
        lins = cast(Sequence[Linear], self.lins)
        weights = [lin.fitted(states) for lin in lins]
        if edge is not None:
            edge = edges_of(edge, adj, adjacency, ndim=1)
        lambda_max = self._lambda_of(adj, adjacency, edge)
        bare = adjacency.without_self_loops()
        edge = None if edge is None else edge[bare.edge_id]
        kind, dtype = self.normalization, weights[0].dtype
        laplacian = scaled_laplacian(bare, edge, lambda_max, normalization=kind, dtype=dtype)
        if isinstance(states, Tensor) and states.shape[1] < self.out_channels:
            return _by_recurrence(states, laplacian, weights)
        return _by_clenshaw(states, laplacian, weights)

    def _lambda_of(self, adj: Edges, adjacency: Adjacency, edge: Tensor | None) -> float | Float[Tensor, " n"]:
        """lambda_max: one number, or that of each node's graph."""
        if isinstance(self.lambda_max, float):
            return self.lambda_max
        if self.lambda_max == "graph":
            if not isinstance(adj, Graph) or "lambda_max" not in adj.graph:
                raise InputError(
                    'lambda_max="graph" needs a Graph with graph={"lambda_max": largest_eigenvalues(graph)}'
                )
            of_graph = cast(Tensor, adj.graph["lambda_max"]).reshape(-1)
        else:
            is_constant = edge is None or not edge.requires_grad
            check(is_constant, "a computed lambda_max has no gradient by the edge weights: give it as a number")
            there = adj if isinstance(adj, Graph) else adjacency
            of_graph = largest_eigenvalues(there, edge, normalization=self.normalization)
        return of_graph[adj.graph_id] if isinstance(adj, Graph) else of_graph.expand(adjacency.num_nodes)

    def extra_repr(self) -> str:
        return f"K={self.K}, normalization={self.normalization!r}, lambda_max={self.lambda_max!r}"


def _by_recurrence(x: Tensor, laplacian: GraphMatrix, weights: Sequence[Tensor]) -> Tensor:
    """The sum of T_k(L~) x W_k^T, the polynomials as wide as the input."""
    before, term = x, x
    out = linear(x, weights[0])
    for k, weight in enumerate(weights[1:]):
        step = laplacian.times(term)
        before, term = term, step if k == 0 else torch.sub(2 * step, before)
        out = out + linear(term, weight)
    return out


def _by_clenshaw(x: Features, laplacian: GraphMatrix, weights: Sequence[Tensor]) -> Tensor:
    """The same as wide as the output: b_k = x W_k^T + 2 L~ b_(k+1) - b_(k+2), and in b_0 one L~ b_1 in place of two."""
    b, before = linear(x, weights[-1]), None
    for k in range(len(weights) - 2, -1, -1):
        term = torch.add(linear(x, weights[k]), laplacian.times(b), alpha=2 if k else 1)
        b, before = term if before is None else term - before, b
    return b


def _checked(lambda_max: LambdaMax | None, normalization: Normalization) -> LambdaMax:
    if lambda_max is None:
        check(normalization == "sym", "the Laplacian D - A has no bound known beforehand: give lambda_max")
        return 2.0
    if isinstance(lambda_max, str):
        check(
            lambda_max in ("graph", "computed"), f"lambda_max must be a number, graph or computed, got {lambda_max!r}"
        )
        return lambda_max
    check(isinstance(lambda_max, int | float) and lambda_max > 0, f"lambda_max must be positive, got {lambda_max!r}")
    return float(lambda_max)
