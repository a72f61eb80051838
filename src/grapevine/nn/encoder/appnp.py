"""APPNP: predict first, then let the predictions walk as personalised PageRank does (Gasteiger et al. 2019).

Z_0 = H = MLP(x),    Z_(k+1) = (1 - alpha) P Z_k + alpha H,    P = D^-1/2 (A + I) D^-1/2

J. Gasteiger, A. Bojchevski and S. Günnemann, "Predict then propagate: graph neural networks meet personalized
PageRank", ICLR 2019.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.conv.matrix import GraphMatrix, edge_numbers, gcn_matrix, weighed_edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features, linear
from grapevine.ops.epilogue import epilogue


class APPNP(Encoder):
    """APPNP (Gasteiger et al. 2019). Its edge input is [e] weights.

    Steps have no weights, so there can be many of them. `all_states` shows x, the MLP's hidden states, its answers
    and what each step makes of those.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answers, which are what walks.
        hidden_channels: widths of the MLP's hidden layers.
        num_steps: K, how often neighbours are heard.
        alpha: the share of a node's own prediction in every step: the chance to start again.
        dropout: on the features and on the hidden states, in training.
        input_dropout: on the features, where it is another one.
        edge_dropout: on the numbers of P, drawn anew in each step, in training; 0.5 in the paper.

    >>> network = APPNP(3, 2, hidden_channels=[8])
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="APPNP",
        message="w_ij h_j / sqrt(d_i d_j)",
        aggregation="sum, yourself too",
        update="(1 - a) m_i + a h0_i, K times, h0 = MLP(x_i)",
        edges="weights",
        readout="",
        cost="n c^2 + K e c, K steps",
        power="below 1-WL",
        year=2019,
        paper="Gasteiger et al., Predict then propagate: graph neural networks meet personalized PageRank",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: Sequence[int] = (64,),
        num_steps: int = 10,
        alpha: float = 0.1,
        dropout: float = 0.0,
        input_dropout: float | None = None,
        edge_dropout: float = 0.0,
    ):
        super().__init__()
        check_channels("num_steps", num_steps)
        check(0 <= alpha <= 1, f"alpha is a share, 0 to 1, got {alpha!r}")
        self.num_steps, self.alpha, self.dropout, self.edge_dropout = num_steps, alpha, dropout, edge_dropout
        self.input_dropout = dropout if input_dropout is None else input_dropout
        widths = [in_channels, *hidden_channels, out_channels]
        self.layers = nn.ModuleList(Linear(c, d) for c, d in pairwise(widths))

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        looped, edge = weighed_edges(adj, adjacency, edge, add_self_loops=True)
        yield x
        h = dropout_features(x, self.input_dropout, self.training)
        dropout = self.dropout if self.training else 0.0
        *hidden, last = cast(Sequence[Linear], self.layers)
        for layer in hidden:
            h = epilogue(linear(h, layer.fitted(h)), layer.bias, activation="relu", dropout=dropout)
            yield h
        first = z = last(h)
        yield z
        matrix = gcn_matrix(looped, edge, z.dtype, scale=1 - self.alpha)
        is_thinned = self.training and self.edge_dropout > 0
        matrix = GraphMatrix(matrix.pattern, edge_numbers(matrix)) if is_thinned else matrix
        for _ in range(self.num_steps):
            heard = (_thinned(matrix, self.edge_dropout) if is_thinned else matrix).times(z)
            z = torch.add(heard, first, alpha=self.alpha)
            yield z


def _thinned(matrix: GraphMatrix, p: float) -> GraphMatrix:
    assert matrix.weight is not None
    return replace(matrix, weight=epilogue(matrix.weight.unsqueeze(0), dropout=p).squeeze(0))
