"""GPR-GNN: how much each hop counts is learnt, and may be negative (Chien et al. 2021).

H_0 = MLP(x),  H_k = P H_(k-1),  y = sum over k = 0 .. K of gamma_k H_k,  P = D^-1/2 (A + I) D^-1/2

E. Chien, J. Peng, P. Li and O. Milenkovic, "Adaptive universal generalized PageRank graph neural network", ICLR 2021.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.conv.matrix import gcn_matrix, weighed_edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, check_channels, check_features, dropout_features
from grapevine.nn.mlp import MLP
from grapevine.typing import ActivationName

GammaStart = Literal["ppr", "nppr", "sgc", "random"]


class GPRGNN(Encoder):
    """GPR-GNN (Chien et al. 2021). Its edge input is [e] weights.

    Where neighbours are unlike, gamma learns to change its sign from hop to hop. `all_states` shows x, and the sum
    up to each hop.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer; it is what walks along the edges.
        hidden_channels: widths of the hidden layers of the MLP.
        num_hops: K.
        start: what gamma begins as: "ppr" alpha (1 - alpha)^k and (1 - alpha)^K for the last, personalised PageRank;
            "nppr" alpha^k, "random" uniform in +-sqrt(3 / (K + 1)), both then divided by their absolute sum;
            "sgc" all on hop alpha, a whole number.
        alpha: see `start`.
        activation: in the MLP.
        dropout: in the MLP, and on its output before it walks, in training.
        input_dropout: on the features, in training.

    >>> network = GPRGNN(3, 2, hidden_channels=[8], num_hops=2, alpha=0.5)
    >>> network.gamma.tolist()
    [0.5, 0.25, 0.25]
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="GPR-GNN",
        message="w_ij h_j / sqrt(d_i d_j), K times",
        aggregation="sum, yourself too",
        update="m_i; in the end the sum of g_k h_i^k, g learnt, h^0 = MLP(x_i)",
        edges="weights",
        readout="",
        cost="n c^2 + K e c, K hops",
        power="below 1-WL",
        year=2021,
        paper="Chien et al., Adaptive universal generalized PageRank graph neural network",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: Sequence[int] = (64,),
        num_hops: int = 10,
        start: GammaStart = "ppr",
        alpha: float = 0.1,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
    ):
        super().__init__()
        check_channels("num_hops", num_hops)
        self.out_channels, self.num_hops, self.dropout = out_channels, num_hops, dropout
        widths = [in_channels, *hidden_channels, out_channels]
        self.mlp = MLP(widths, activation=activation, dropout=dropout, input_dropout=input_dropout)
        self.gamma = nn.Parameter(first_gamma(num_hops, start, alpha))

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        looped, edge = weighed_edges(adj, adjacency, edge, add_self_loops=True)
        yield x
        h = dropout_features(self.mlp(x), self.dropout, self.training)
        assert isinstance(h, Tensor)
        matrix, out = gcn_matrix(looped, edge, h.dtype), self.gamma[0] * h
        yield out
        for gamma in self.gamma[1:]:
            h = matrix.times(h)
            out = torch.addcmul(out, gamma, h)
            yield out

    def extra_repr(self) -> str:
        return f"num_hops={self.num_hops}, dropout={self.dropout}"


def first_gamma(num_hops: int, start: GammaStart, alpha: float) -> Float[Tensor, " k+1"]:
    """How much each hop counts before anything is learnt; see `GPRGNN`.

    >>> first_gamma(3, "sgc", 2).tolist()
    [0.0, 0.0, 1.0, 0.0]
    """
    hop = torch.arange(num_hops + 1)
    if start == "sgc":
        check(alpha in hop.tolist(), f"for sgc alpha is a hop, a whole number from 0 to {num_hops}, got {alpha!r}")
        return (hop == alpha).to(torch.get_default_dtype())
    if start == "random":
        gamma = torch.empty(num_hops + 1).uniform_(-1, 1)
        return gamma / gamma.abs().sum()
    check(0 <= alpha <= 1, f"alpha is a share, 0 to 1, got {alpha!r}")
    if start == "ppr":
        gamma = alpha * (1 - alpha) ** hop.double()
        gamma[-1] = (1 - alpha) ** num_hops
    else:
        check(start == "nppr", f"start must be ppr, nppr, sgc or random, got {start!r}")
        gamma = alpha ** hop.double()
        gamma /= gamma.sum()
    return gamma.to(torch.get_default_dtype())
