"""LINKX: who your neighbours are, by name, and what you are, each through its own network (Lim et al. 2021).

h_A = MLP_A(A),  h_X = MLP_X(X),  y = MLP(ReLU(W [h_A, h_X] + b + h_A + h_X)),    row i of A marks the neighbours of i

It has a weight for each node, so it knows the nodes of one graph only, by their numbers (it is transductive).

D. Lim, F. Hohne, X. Li, S. L. Huang, V. Gupta, O. Bhalerao and S.-N. Lim, "Large scale learning on non-homophilous
graphs: new benchmarks and strong simple methods", NeurIPS 2021.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import as_adjacency
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features, dropout_features, linear
from grapevine.ops.epilogue import epilogue
from grapevine.ops.spmm import spmm


class LINKX(Encoder):
    """LINKX (Lim et al. 2021), for the nodes of one graph. It has no edge input; a repeated edge counts each time.

    A row of A times the first weight is a sum over the neighbours' rows of it, so A is never made dense.

    Args:
        num_nodes: how many nodes the graph has; a graph of another number is refused.
        in_channels: width of the features.
        out_channels: width of the answer.
        hidden_channels: width of h_A, h_X and of the hidden layers.
        num_layers: linear layers of the last MLP.
        num_edge_layers, num_node_layers: of MLP_A and MLP_X.
        dropout: in the last MLP, in training.
        input_dropout: on the features, in training.
        batch_norm: after each activation in the MLPs, as in the paper's program.

    >>> network = LINKX(4, 3, 2, hidden_channels=8)
    >>> network(torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([4, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="LINKX",
        message="row j of a matrix W_A, learnt for each node of the graph",
        aggregation="sum",
        update="MLP(ReLU(W [m_i, V x_i] + b + m_i + V x_i))",
        edges="none",
        readout="",
        cost="n c^2 + e c",
        power="depends on the basis",
        year=2021,
        paper="Lim et al., Large scale learning on non-homophilous graphs: new benchmarks and strong simple methods",
    )

    def __init__(
        self,
        num_nodes: int,
        in_channels: int,
        out_channels: int,
        *,
        hidden_channels: int = 64,
        num_layers: int = 1,
        num_edge_layers: int = 1,
        num_node_layers: int = 1,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        batch_norm: bool = True,
    ):
        super().__init__()
        counts = ("num_nodes", num_nodes), ("num_layers", num_layers)
        more = ("num_edge_layers", num_edge_layers), ("num_node_layers", num_node_layers)
        for name, number in (*counts, *more):
            check_channels(name, number)
        self.num_nodes, self.out_channels, self.input_dropout = num_nodes, out_channels, input_dropout
        hidden = [hidden_channels]
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(num_nodes, hidden_channels)))
        self.bias = nn.Parameter(torch.zeros(hidden_channels))
        self.edge_mlp = _Layers(hidden * num_edge_layers, batch_norm=batch_norm)
        self.lin_node = Linear(in_channels, hidden_channels)
        self.node_mlp = _Layers(hidden * num_node_layers, batch_norm=batch_norm)
        self.lin_joint = Linear(2 * hidden_channels, hidden_channels)
        first, *others = [*hidden * (num_layers - 1), out_channels]
        self.lin_last = Linear(hidden_channels, first)
        self.last_mlp = _Layers([first, *others], batch_norm=batch_norm, dropout=dropout)

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        check(edge is None, "LINKX has no edge input; GCNConv takes weights of edges, GATConv features")
        check_features("x", x)
        if x.shape[0] != self.num_nodes:
            raise InputError(
                f"this LINKX learnt a weight for each of the {self.num_nodes} nodes of one graph and says nothing of "
                f"another one, got {x.shape[0]} nodes: take a model that hears features, such as sage-sep"
            )
        adjacency = as_adjacency(adj, num_src=self.num_nodes, num_dst=self.num_nodes)
        yield x
        given = dropout_features(x, self.input_dropout, self.training)
        of_edges = self.edge_mlp(spmm(adjacency.pattern, self.weight) + self.bias)
        of_node = self.node_mlp(linear(given, self.lin_node.fitted(given), self.lin_node.bias))
        joint = self.lin_joint(torch.cat([of_edges, of_node], 1)) + of_edges + of_node
        yield joint
        yield self.last_mlp(self.lin_last(joint.relu()))

    def extra_repr(self) -> str:
        return f"{self.num_nodes} nodes"


class _Layers(nn.Module):
    """Linear layers, each behind ReLU, a batch norm and dropout; of one width there is none."""

    def __init__(self, channels: Sequence[int], *, batch_norm: bool, dropout: float = 0.0):
        super().__init__()
        self.layers = nn.ModuleList(Linear(c, d) for c, d in pairwise(channels))
        self.norms = nn.ModuleList(nn.BatchNorm1d(c) if batch_norm else nn.Identity() for c in channels[:-1])
        self.dropout = dropout

    def forward(self, h: Tensor) -> Tensor:
        for norm, layer in zip(self.norms, cast(Sequence[Linear], self.layers), strict=True):
            h = norm(h.relu())
            h = layer(epilogue(h, dropout=self.dropout) if self.training and self.dropout else h)
        return h
