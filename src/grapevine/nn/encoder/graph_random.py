"""GRAND, the graph random neural network: hide nodes, spread what is left many hops, then an MLP (Feng et al. 2020).

y = MLP(mean over k = 0 .. K of P^k DropNode(x)),    P = D^-1/2 (A + I) D^-1/2

W. Feng et al., "Graph random neural networks for semi-supervised learning on graphs", NeurIPS 2020. The other GRAND,
graph neural diffusion, is `GraphDiffusion`.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

from torch import Tensor, nn

from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.conv.matrix import GraphMatrix, gcn_matrix, weighed_edges
from grapevine.nn.dropout import DropNode
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features, linear
from grapevine.nn.norm import BatchNorm
from grapevine.ops.epilogue import epilogue


class GraphRandomNetwork(Encoder):
    """GRAND (Feng et al. 2020); the defaults are those for Cora. Its edge input is [e] weights.

    Each pass in training hides other nodes. The paper trains several passes at once to say the same of every node,
    labelled or not: `grapevine.train.consistency`.

    Args:
        in_channels: width of the features, or -1 to take it from the first input.
        out_channels: width of the answer.
        hidden_channels: width of the MLP's hidden layer.
        num_steps: K, the hops.
        drop_node: the share of the nodes whose features are hidden, in training.
        dropout: in the MLP, on its hidden states, in training.
        input_dropout: in the MLP, on what was spread, in training.
        batch_norm: normalise the hidden states, as for PubMed; what was spread is not normalised here.

    >>> import torch
    >>> network = GraphRandomNetwork(3, 2, hidden_channels=8)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="GRAND (random propagation)",
        message="w_ij h_j / sqrt(d_i d_j)",
        aggregation="sum, yourself too",
        update="m_i, K times; then MLP(the mean over the steps)",
        edges="weights",
        readout="",
        cost="n c^2 + K e c, K steps",
        power="below 1-WL",
        year=2020,
        paper="Feng et al., Graph random neural networks for semi-supervised learning on graphs",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 32,
        num_steps: int = 8,
        drop_node: float = 0.5,
        dropout: float = 0.5,
        input_dropout: float = 0.5,
        batch_norm: bool = False,
    ):
        super().__init__()
        check_channels("num_steps", num_steps)
        self.num_steps, self.dropout, self.input_dropout = num_steps, dropout, input_dropout
        self.drop_node = DropNode(drop_node)
        self.layers = nn.ModuleList([Linear(in_channels, hidden_channels), Linear(hidden_channels, out_channels)])
        self.norm = BatchNorm(hidden_channels) if batch_norm else None

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        looped, edge = weighed_edges(adj, adjacency, edge, add_self_loops=True)
        yield x
        x, _, _ = self.drop_node(x, adj)
        first, last = cast(Sequence[Linear], self.layers)
        matrix, bias = gcn_matrix(looped, edge, first.fitted(x).dtype), first.bias
        if self.training and self.input_dropout > 0:
            spread = self._spread(matrix, x if isinstance(x, Tensor) else x.to_dense())
            h = linear(epilogue(spread, dropout=self.input_dropout), first.fitted(x))
        else:
            h = self._spread(matrix, linear(x, first.fitted(x)))  # both are linear, and this is the narrow end
        if self.norm is not None:
            h, bias = self.norm(h if bias is None else h + bias), None
        h = epilogue(h, bias, activation="relu", dropout=self.dropout if self.training else 0.0)
        yield h
        yield last(h)

    def _spread(self, matrix: GraphMatrix, x: Tensor) -> Tensor:
        """The mean of x and what each hop makes of it."""
        total = x
        for _ in range(self.num_steps):
            x = matrix.times(x)
            total = total + x
        return total / (self.num_steps + 1)
