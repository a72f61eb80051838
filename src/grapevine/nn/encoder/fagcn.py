"""FAGCN, the whole network: each layer adds what it hears, its sign learnt, to the first states (Bo et al. 2021).

H_0 = ReLU(W_in x + b),  H_l = FAConv_l(H_(l-1)) + eps H_0,  y = W H_L + b

D. Bo, X. Wang, C. Shi and H. Shen, "Beyond low-frequency information in graph convolutional networks", AAAI 2021.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from grapevine.graph import as_adjacency
from grapevine.nn.conv.fagcn import FAConv
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features, linear
from grapevine.ops.epilogue import epilogue


class FAGCN(Encoder):
    """FAGCN (Bo et al. 2021). It has no edge input.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer.
        hidden_channels: width of the states.
        num_layers: how often neighbours are heard.
        eps: the share of the first states that each layer adds; 0.3 in the paper's program.
        dropout: on the first states and on the weights of edges, in training; 0.5 in the paper's program.
        input_dropout: on the features, in training.
        add_self_loops: see `FAConv`.

    >>> network = FAGCN(3, 2, hidden_channels=8)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation = FAConv.equation

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 32,
        num_layers: int = 2,
        eps: float = 0.3,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        add_self_loops: bool = False,
    ):
        super().__init__()
        check_channels("num_layers", num_layers)
        self.out_channels, self.eps = out_channels, eps
        self.dropout, self.input_dropout = dropout, input_dropout
        self.lin_in, self.lin_out = Linear(in_channels, hidden_channels), Linear(hidden_channels, out_channels)
        self.layers = nn.ModuleList(
            FAConv(hidden_channels, dropout=dropout, add_self_loops=add_self_loops) for _ in range(num_layers)
        )

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        yield x
        given = dropout_features(x, self.input_dropout, self.training)
        dropout = self.dropout if self.training else 0.0
        first = epilogue(linear(given, self.lin_in.fitted(given)), self.lin_in.bias, activation="relu", dropout=dropout)
        h = first
        yield h
        for layer in cast(Sequence[FAConv], self.layers):
            h = torch.add(layer(h, adjacency, edge), first, alpha=self.eps)
            yield h
        yield self.lin_out(h)

    def extra_repr(self) -> str:
        return f"eps={self.eps}, dropout={self.dropout}"
