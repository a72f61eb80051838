"""The whole deep network GCNII: a linear map, many layers near the identity, a linear map (Chen et al. 2020).

H_0 = ReLU(W_in x + b),  H_l = ReLU(((1 - alpha) P H_(l-1) + alpha H_0) ((1 - beta_l) I + beta_l W_l)),  y = W H_L + b
"""

from collections.abc import Iterator, Sequence
from typing import cast

from torch import Tensor, nn

from grapevine.graph import as_adjacency
from grapevine.nn.conv.gcnii import GCNIIConv, identity_share
from grapevine.nn.conv.inputs import Edges, edges_of
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features, linear
from grapevine.ops.epilogue import epilogue


class GCNII(Encoder):
    """GCNII (Chen et al. 2020); the defaults are those for Cora. Its edge input is [e] weights.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer.
        hidden_channels: width of the states.
        num_layers: how many layers; 64 for Cora, 32 for CiteSeer, 16 for PubMed.
        alpha: the share of the first states in every layer.
        strength: lambda, of which beta_l = log(lambda / l + 1), how far layer l is from the identity.
        dropout: on the features, on what each layer is given and on the last states, in training.
        input_dropout: on the features, where it is another one.
        shared_weights: one map for what is heard and for the first states; without, it is GCNII*.

    >>> import torch
    >>> network = GCNII(3, 2, hidden_channels=8, num_layers=16)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation = GCNIIConv.equation

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 64,
        num_layers: int = 64,
        alpha: float = 0.1,
        strength: float = 0.5,
        dropout: float = 0.0,
        input_dropout: float | None = None,
        shared_weights: bool = True,
    ):
        super().__init__()
        check_channels("num_layers", num_layers)
        self.dropout, self.input_dropout = dropout, dropout if input_dropout is None else input_dropout
        self.lin_in, self.lin_out = Linear(in_channels, hidden_channels), Linear(hidden_channels, out_channels)
        self.layers = nn.ModuleList(
            GCNIIConv(hidden_channels, alpha=alpha, beta=identity_share(layer, strength), shared_weights=shared_weights)
            for layer in range(1, num_layers + 1)
        )

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        edge = None if edge is None else edges_of(edge, adj, adjacency, ndim=1)
        dropout = self.dropout if self.training else 0.0
        yield x
        given = dropout_features(x, self.input_dropout, self.training)
        first = epilogue(linear(given, self.lin_in.fitted(given)), self.lin_in.bias, activation="relu")
        yield first
        h = epilogue(first, dropout=dropout) if dropout else first
        for layer in cast(Sequence[GCNIIConv], self.layers):
            h = epilogue(layer.combine(h, adjacency, edge, first=first), activation="relu", dropout=dropout)
            yield h
        yield self.lin_out(h)
