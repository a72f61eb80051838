"""Jumping knowledge: each node chooses among its states of all layers, near ones and far ones (Xu et al. 2018).

cat:   y_i = [h_i(1), ..., h_i(L)]
max:   y_i = max over l of h_i(l)
lstm:  y_i = sum over l of a_il h_i(l),  a_i = softmax over l of w . [f_il, b_il] + c,  f and b a two-way LSTM's states

K. Xu, C. Li, Y. Tian, T. Sonobe, K. Kawarabayashi and S. Jegelka, "Representation learning on graphs with jumping
knowledge networks", ICML 2018.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.conv.inputs import Edges
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.linear import Features, Linear, check_channels

JumpKind: TypeAlias = Literal["cat", "max", "lstm"]


class JumpingKnowledge(nn.Module):
    """Brings the states of all layers together, node by node; all are equally wide.

    Args:
        kind: "cat" side by side, "max" the largest of each number, "lstm" a mean weighed by an attention of its own
            for each node, that a two-way LSTM over the layers makes.
        channels: width of the states.
        num_layers: how many of them; the LSTM's states are num_layers * channels / 2 wide in each direction.

    >>> states = [torch.tensor([[1.0, 5.0]]), torch.tensor([[3.0, 2.0]])]
    >>> JumpingKnowledge("max", 2, 2)(states).tolist(), JumpingKnowledge("cat", 2, 2)(states).tolist()
    ([[3.0, 5.0]], [[1.0, 5.0, 3.0, 2.0]])
    """

    def __init__(self, kind: JumpKind, channels: int, num_layers: int):
        super().__init__()
        check(kind in ("cat", "max", "lstm"), f"kind must be cat, max or lstm, got {kind!r}")
        check_channels("channels", channels)
        check_channels("num_layers", num_layers)
        self.kind: JumpKind = kind
        self.channels, self.num_layers = channels, num_layers
        self.out_channels = channels * num_layers if kind == "cat" else channels
        if kind == "lstm":
            half = max(num_layers * channels // 2, 1)
            self.lstm = nn.LSTM(channels, half, bidirectional=True, batch_first=True)
            self.score = Linear(2 * half, 1)

    def forward(self, states: Sequence[Float[Tensor, "n c"]]) -> Float[Tensor, "n d"]:
        if len(states) != self.num_layers:
            raise InputError(f"JumpingKnowledge was made for {self.num_layers} layers, got the states of {len(states)}")
        if any(state.ndim != 2 or state.shape[1] != self.channels for state in states):
            came = ", ".join(str(tuple(state.shape)) for state in states)
            raise InputError(f"JumpingKnowledge takes states [n, {self.channels}], got {came}")
        if self.kind == "cat":
            return torch.cat(list(states), 1)
        stacked = torch.stack(list(states), 1)
        if self.kind == "max":
            return stacked.amax(1)
        if not len(stacked):
            return stacked.sum(1)  # an LSTM takes no empty batch
        share = self.score(self.lstm(stacked)[0].flatten(0, 1)).reshape(stacked.shape[:2]).softmax(1)
        return (share.unsqueeze(2) * stacked).sum(1)

    def extra_repr(self) -> str:
        return f"{self.kind!r}, {self.channels}, {self.num_layers}"


class JumpingNetwork(Encoder):
    """An encoder whose layers' states are brought together, and a linear map of that; the input is none of them.

    Args:
        encoder: such as a `GNN` with `activate_last`, whose layers all have the same width.
        jump: what brings the states together.
        out_channels: width of the answer.

    >>> from grapevine.nn import GNN, GCNConv
    >>> network = GNN([GCNConv(3, 8), GCNConv(8, 8)], activate_last=True)
    >>> JumpingNetwork(network, JumpingKnowledge("cat", 8, 2), 4)(torch.ones(2, 3), torch.tensor([[0], [1]])).shape
    torch.Size([2, 4])
    """

    def __init__(self, encoder: Encoder, jump: JumpingKnowledge, out_channels: int):
        super().__init__()
        check(isinstance(encoder, Encoder), f"encoder must be an Encoder, got {type(encoder).__name__}")
        self.encoder, self.jump, self.lin = encoder, jump, Linear(jump.out_channels, out_channels)

    def steps(self, x: Features, adj: Edges, edge: Tensor | None = None) -> Iterator[Features]:
        states: list[Tensor] = []
        for k, state in enumerate(self.encoder.steps(x, adj, edge)):
            if k > 0 and isinstance(state, Tensor):
                states.append(state)
            yield state
        yield self.lin(self.jump(states))
