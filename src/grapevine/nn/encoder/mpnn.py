"""The message passing neural network: messages along the edges, and a GRU that takes them in (Gilmer et al. 2017).

h_0 = W x  (or x and zeros),   m_i = sum over j of M(h_i, h_j, e_ij),   h_i' = GRU(h_i, m_i),   T times
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal, TypeAlias, cast

from torch import Tensor, nn
from torch.nn.functional import pad

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, as_adjacency
from grapevine.nn.conv.edge_network import EdgeNetworkConv
from grapevine.nn.conv.inputs import Edges, edges_of
from grapevine.nn.conv.pair_message import PairMessage
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, check_features

MessageName: TypeAlias = Literal["edge_network", "pair", "matrix"]


class MPNN(Encoder):
    """The network of Gilmer et al. 2017, "Neural message passing for quantum chemistry", up to its readout.

    The paper reads out with Set2Set over (h_T, x), or gated (`GatedReadout`). The GRU is PyTorch's, whose reset gate
    stands behind the recurrent map and not in front. Its edge input is [e, edge_channels] features, and it needs them.

    Args:
        in_channels: width of the node features.
        hidden_channels: width of the states, the paper's d.
        edge_channels: width of the edge features.
        message: "edge_network", A(e_ij) h_j; "pair", a network of [h_i, h_j, e_ij]; "matrix", a matrix for each column
            of the edge features, so for each label where they are one-hot, as in a gated graph network.
        num_steps: T; the paper tries 3 to 8.
        edge_hidden_channels: width of the hidden layer of the edge network, or of the pair message.
        both_directions: messages of the edges that come in and of those that go out, each through weights of their
            own, side by side, as in the paper.
        tied: one message and one GRU for all steps, as in the paper, or each step its own.
        embedding: how features become states: a "linear" map, or "pad" with zeros.

    >>> import torch
    >>> network = MPNN(5, 8, 4, message="pair")
    >>> network(torch.ones(3, 5), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 4)).shape
    torch.Size([3, 8])
    """

    equation: ClassVar[Equation] = Equation(
        name="MPNN",
        message="A(e_ij) h_j, or MLP([h_i, h_j, e_ij])",
        aggregation="sum, of edges in and of edges out apart",
        update="GRU(h_i, m_i), the same in every step",
        edges="features",
        readout="Set2Set, or gated sum",
        cost="k n c^2 + k e c, k numbers that A is made of",
        power="1-WL",
        year=2017,
        paper="Gilmer et al., Neural message passing for quantum chemistry",
    )

    def __init__(
        self,
        in_channels: int,
        hidden_channels: int,
        edge_channels: int,
        *,
        message: MessageName = "edge_network",
        num_steps: int = 3,
        edge_hidden_channels: int = 128,
        both_directions: bool = True,
        tied: bool = True,
        embedding: Literal["linear", "pad"] = "linear",
    ):
        super().__init__()
        check(
            message in ("edge_network", "pair", "matrix"), f"message is edge_network, pair or matrix, got {message!r}"
        )
        check(embedding in ("linear", "pad"), f"embedding must be linear or pad, got {embedding!r}")
        check(num_steps >= 1, f"num_steps must be at least 1, got {num_steps}")
        check_channels("hidden_channels", hidden_channels)
        self.out_channels, self.num_steps = hidden_channels, num_steps
        self.embedding = Linear(in_channels, hidden_channels) if embedding == "linear" else _Pad(hidden_channels)
        if embedding == "pad":
            is_room = in_channels <= hidden_channels
            check(is_room, f"padded with zeros {in_channels} features become no {hidden_channels} states; use linear")
        shape = hidden_channels, hidden_channels * (2 if both_directions else 1), edge_channels
        copies = 1 if tied else num_steps
        self.messages = nn.ModuleList(
            _message(message, shape, edge_hidden_channels, both_directions) for _ in range(copies)
        )
        self.updates = nn.ModuleList(nn.GRUCell(shape[1], hidden_channels) for _ in range(copies))

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        if edge is None:
            raise InputError("MPNN needs edge features; a GNN of GINConv is a network without them")
        check_features("x", x)
        adjacency = as_adjacency(adj, num_src=x.shape[0], num_dst=x.shape[0])
        yield from self._run(x, adjacency, edges_of(edge, adj, adjacency, ndim=2))

    def _run(self, x: Features, adjacency: Adjacency, edge: Tensor) -> Iterator[Features]:
        messages = cast(Sequence[EdgeNetworkConv | PairMessage], self.messages)
        heard = [message.on(adjacency, edge) for message in messages]
        yield x
        h = self.embedding(x)
        for k in range(self.num_steps):
            k = k % len(heard)  # tied, all steps have the first one's weights
            h = self.updates[k](heard[k](h, h), h)
            yield h


class _Pad(nn.Module):
    """x and zeros, so that it is as wide as a state."""

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels

    def forward(self, x: Features) -> Tensor:
        if not isinstance(x, Tensor):
            raise InputError("sparse features are not padded with zeros; use embedding='linear'")
        return pad(x, (0, self.channels - x.shape[1]))


def _message(name: MessageName, shape: tuple[int, int, int], hidden: int, both: bool) -> EdgeNetworkConv | PairMessage:
    """A message of that kind, [in, out, edge] wide, and nothing added to it."""
    if name == "pair":
        return PairMessage(*shape, hidden_channels=hidden, both_directions=both)
    is_matrix = name == "matrix"
    return EdgeNetworkConv(
        *shape,
        hidden_channels=() if is_matrix else hidden,
        matrix_bias=not is_matrix,
        both_directions=both,
        root_weight=False,
        bias=False,
    )
