"""Attentive fingerprints: attention says what a gated recurrent unit reads (Xiong et al. 2020).

h_i^0 = LeakyReLU(W_x x_i)
c_i = ELU(sum over j of alpha_ij W n_ij),   alpha_i = softmax_j LeakyReLU(a [h_i, n_ij]),   h_i' = ReLU(GRU(c_i, h_i))
n_ij = LeakyReLU(W_n [h_j, e_ij]) in the first layer, h_j in the others; a molecule attends to its atoms the same way
"""

from collections.abc import Iterator
from typing import ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.aggregation import Aggregation
from grapevine.nn.conv.attention import head_vector
from grapevine.nn.conv.gat import GATConv
from grapevine.nn.conv.inputs import Edges, dense_ends_of, edges_of
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.gates import gru_step
from grapevine.nn.linear import Features, Linear, check_channels, linear
from grapevine.ops.attention import additive_attention
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce
from grapevine.ops.spmm import spmm

_SLOPE = 0.01  # of every LeakyReLU


class AttentiveFP(Encoder):
    """The atoms' part of AttentiveFP (Xiong et al. 2020); `AttentiveReadout` is the molecules'.

    Args:
        in_channels: width of the atoms' features, or -1 to take it from the first input.
        hidden_channels: width of the states, and of the output.
        edge_channels: width of the bonds' features, which the first layer reads.
        num_layers: how often atoms attend to their neighbours.
        dropout: of attention weights, and of what they bring, in training.
        edge_in_message: the first layer's messages hold the bonds' features, as in the paper; or only its attention
            sees them, and the messages are the atoms' states, as in PyTorch Geometric.

    >>> network = AttentiveFP(5, 8, edge_channels=2, num_layers=2)
    >>> network(torch.ones(2, 5), torch.tensor([[0, 1], [1, 0]]), torch.ones(2, 2)).shape
    torch.Size([2, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="AttentiveFP",
        message="a_ij W n_ij, n_ij = LeakyReLU(W' [h_j, e_ij]) in the first layer, h_j in the others",
        aggregation="sum, with a_i = softmax over j of LeakyReLU(a . [h_i, n_ij])",
        update="ReLU(GRU(ELU(m_i + b), h_i))",
        edges="features",
        readout="the same attention and GRU, from all nodes to one for the graph, twice",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2020,
        paper="Xiong et al., Pushing the boundaries of molecular representation for drug discovery with the graph "
        "attention mechanism",
    )

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int = 200,
        *,
        edge_channels: int,
        num_layers: int = 2,
        dropout: float = 0.0,
        edge_in_message: bool = True,
    ):
        super().__init__()
        check_channels("num_layers", num_layers)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.out_channels, self.dropout = hidden_channels, dropout
        self.lin_in = Linear(in_channels, hidden_channels)
        self.first = _BondAttention(hidden_channels, edge_channels, dropout, edge_in_message)
        self.convs = nn.ModuleList(_attention(hidden_channels, dropout) for _ in range(num_layers - 1))
        self.grus = nn.ModuleList(nn.GRUCell(hidden_channels, hidden_channels) for _ in range(num_layers))

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        states, _, adjacency = dense_ends_of(x, adj, "AttentiveFP")
        if edge is None:
            raise InputError("AttentiveFP needs edge features; GATConv does without them")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        yield x
        h = epilogue(self.lin_in(states), activation="leaky_relu")
        for k, gru in enumerate(self.grus):
            if k == 0:
                heard, bias = self.first(h, adjacency.pattern, edge), self.first.bias
            else:
                conv = cast(GATConv, self.convs[k - 1])
                heard, bias = conv.combine(h, adjacency), conv.bias
            dropout = self.dropout if self.training else 0.0
            heard = epilogue(heard, bias, activation="elu", dropout=dropout)
            h = gru_step(cast(nn.GRUCell, gru), heard, h).relu()
            yield h


class AttentiveReadout(Aggregation):
    """What AttentiveFP makes of a molecule's atoms (Xiong et al. 2020), by a super node.

    g^0 = ReLU(sum of h_i);  g' = ReLU(GRU(ELU(sum over i of alpha_i W h_i + b), g)),
    alpha = softmax LeakyReLU(a_atom . W h_i + a_molecule . W g)

    Args:
        channels: width of the states, and of the output.
        num_steps: how often it attends.
        dropout: of attention weights, of what they bring, and of the output, in training.

    >>> from grapevine.graph import Graph
    >>> from grapevine.nn.readout import Readout
    >>> Readout(AttentiveReadout(4))(torch.ones(2, 4), Graph([[0], [1]])).shape
    torch.Size([1, 4])
    """

    def __init__(self, channels: int, *, num_steps: int = 2, dropout: float = 0.0):
        super().__init__()
        check_channels("num_steps", num_steps)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.channels, self.num_steps, self.dropout = channels, num_steps, dropout
        self.conv = _attention(channels, dropout)
        self.gru = nn.GRUCell(channels, channels)

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n c"]:
        if message.ndim != 2 or message.shape[1] != self.channels:
            raise InputError(f"AttentiveReadout takes states [e, {self.channels}], got shape {tuple(message.shape)}")
        weight, bias, dropout = self.conv.lin.weight, self.conv.bias, self.dropout if self.training else 0.0
        places = torch.arange(pattern.num_entries, dtype=pattern.indptr.dtype, device=pattern.device)
        places = places if pattern.entry is None else pattern.entry
        atoms = Pattern.trusted(pattern.indptr, places, pattern.num_entries)  # its columns are the messages
        out = spmm(atoms, message).relu()
        value = linear(message, weight)
        of_atoms, to_molecule = value @ self.conv.att_src.T, self.conv.att_dst @ weight
        for _ in range(self.num_steps):
            scores = of_atoms, out @ to_molecule.T
            heard = additive_attention(atoms, value.unsqueeze(1), *scores, negative_slope=_SLOPE, dropout=dropout)
            heard = epilogue(heard.squeeze(1), bias, activation="elu", dropout=dropout)
            out = gru_step(self.gru, heard, out).relu()
        return epilogue(out, dropout=dropout) if dropout else out


class _BondAttention(nn.Module):
    """The first layer but for its bias: attention over neighbours and the bonds to them."""

    def __init__(self, channels: int, edge_channels: int, dropout: float, edge_in_message: bool):
        super().__init__()
        check_channels("edge_channels", edge_channels)
        self.edge_channels, self.dropout, self.edge_in_message = edge_channels, dropout, edge_in_message
        self.lin_bond = Linear(channels + edge_channels, channels, bias=False)
        self.lin = Linear(channels, channels, bias=False)
        self.att_src, self.att_dst = head_vector(1, channels), head_vector(1, channels)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, h: Tensor, pattern: Pattern, edge: Tensor) -> Tensor:
        if edge.shape[1] != self.edge_channels:
            raise InputError(f"edge must have {self.edge_channels} columns, got shape {tuple(edge.shape)}")
        of_atom, of_bond = self.lin_bond.weight.split([h.shape[1], self.edge_channels], dim=1)
        joint = torch.addmm(gather(pattern, linear(h, of_atom), side="cols"), edge, of_bond.T)
        neighbour = epilogue(joint, activation="leaky_relu")
        score = neighbour @ self.att_src.T + gather(pattern, h @ self.att_dst.T, side="rows")
        alpha = edge_softmax(pattern, epilogue(score, activation="leaky_relu"))
        alpha = epilogue(alpha, dropout=self.dropout) if self.training and self.dropout else alpha
        if self.edge_in_message:
            # The sum first and then the map, which has fewer rows.
            return linear(segment_reduce(pattern, neighbour * alpha, reduce="sum"), self.lin.weight)
        return spmm(pattern, linear(h, self.lin.weight), alpha)


def _attention(channels: int, dropout: float) -> GATConv:
    return GATConv(channels, channels, negative_slope=_SLOPE, dropout=dropout, add_self_loops=False)
