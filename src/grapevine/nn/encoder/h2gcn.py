"""H2GCN: your own state, your neighbours' and theirs, side by side and never mixed (Zhu et al. 2020).

r_0 = activation(W_in x + b),  r_k = [P_1 r_(k-1), P_2 r_(k-1)],  y = W [r_0, r_1, .., r_K] + b
P_d = D_d^-1/2 A_d D_d^-1/2,  A_1 the neighbours but yourself, A_2 those exactly two steps away, D_d the degrees of A_d

J. Zhu, Y. Yan, L. Zhao, M. Heimann, L. Akoglu and D. Koutra, "Beyond homophily in graph neural networks: current
limitations and effective designs", NeurIPS 2020.
"""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import as_adjacency
from grapevine.graph.two_hop import MOST_PATHS, one_and_two_hops
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.conv.matrix import gcn_matrix
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features, linear
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class H2GCN(Encoder):
    """H2GCN (Zhu et al. 2020). It has no edge input, and a repeated edge counts once.

    With `num_rounds` 1 it is the H2GCN-1 of the paper, with 2 its H2GCN-2. Neighbours are added up without maps or
    activations, so all it learns stands at its two ends.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer.
        hidden_channels: width of r_0; r_k is 2^k times as wide.
        num_rounds: K.
        activation: of r_0; "none" was tried in the paper too.
        dropout: on all r_k side by side, in training; 0.5 in the paper, or none.
        input_dropout: on the features, in training.
        most_paths: paths of two edges that may be walked to find who is two steps away; more are an error.

    >>> network = H2GCN(3, 2, hidden_channels=8)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1, 2], [1, 2, 3]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="H2GCN",
        message="h_j / sqrt(d_i d_j), from neighbours, and from the nodes two steps away",
        aggregation="sum, of each kind apart, without yourself",
        update="[m_i, m'_i]; in the end W [h0_i, h1_i, .., hK_i]",
        edges="none",
        readout="",
        cost="n c^2 + t c, t pairs one or two steps apart",
        power="crosses 1-WL",
        year=2020,
        paper="Zhu et al., Beyond homophily in graph neural networks: current limitations and effective designs",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 64,
        num_rounds: int = 2,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        most_paths: int = MOST_PATHS,
    ):
        super().__init__()
        check_channels("num_rounds", num_rounds)
        check_channels("hidden_channels", hidden_channels)
        self.out_channels, self.num_rounds, self.most_paths = out_channels, num_rounds, most_paths
        self.activation: ActivationName = activation
        self.dropout, self.input_dropout = dropout, input_dropout
        self.lin_in = Linear(in_channels, hidden_channels)
        self.lin_out = Linear((2 ** (num_rounds + 1) - 1) * hidden_channels, out_channels)

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check(edge is None, "H2GCN has no edge input; GPRGNN takes weights of edges, GATConv features")
        check_features("x", x)
        hops = one_and_two_hops(as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0]), self.most_paths)
        yield x
        given = dropout_features(x, self.input_dropout, self.training)
        r = epilogue(linear(given, self.lin_in.fitted(given)), self.lin_in.bias, activation=self.activation)
        yield r
        states, matrices = [r], [gcn_matrix(hop, None, r.dtype) for hop in hops]
        for _ in range(self.num_rounds):
            r = torch.cat([matrix.times(r) for matrix in matrices], 1)
            yield r
            states.append(r)
        yield self.lin_out(dropout_features(torch.cat(states, 1), self.dropout, self.training))

    def extra_repr(self) -> str:
        return f"num_rounds={self.num_rounds}, dropout={self.dropout}"
