"""Sums in which every message has a learnt weight: gates by a softmax over the row, or each message's own.

attention:  m_i = sum over e of a_e network(m_e),  a = softmax over the row of gate(m_e)     (Bahdanau et al. 2015)
gates:      m_i = tanh(sum over e of sigmoid(gate(m_e)) tanh(network(m_e)))                  (Li et al. 2016, eq. 7)

Y. Li, D. Tarlow, M. Brockschmidt and R. Zemel, "Gated graph sequence neural networks", ICLR 2016; D. Bahdanau, K. Cho
and Y. Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.
"""

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.gates import sigmoid, tanh
from grapevine.nn.linear import Linear, check_channels
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class AttentionSum(Aggregation):
    """The mean of mapped messages, weighed by a softmax of scores (Bahdanau et al. 2015); 0 where nothing arrives.

    Args:
        in_channels: width of a message.
        out_channels: width of the result, and of what `network` gives.
        gate: gives [e, 1] scores, or [e, out_channels] for each channel its own; a linear map by default, without a
            bias, which a softmax would not notice.
        network: maps the messages, [e, in_channels] to [e, out_channels]; a linear map by default.

    >>> import torch
    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> pool = AttentionSum(1, 1, gate=nn.Identity(), network=nn.Identity())
    >>> [[round(v, 3) for v in row] for row in pool(pattern, torch.tensor([[0.0], [1.0]])).tolist()]
    [[0.731], [0.0]]
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, gate: nn.Module | None = None, network: nn.Module | None = None
    ):
        super().__init__()
        check_channels("out_channels", out_channels)
        self.out_channels = out_channels
        self.gate = gate or Linear(in_channels, 1, bias=False)
        self.network = network or Linear(in_channels, out_channels)

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n d"]:
        score, value = self.gate(message), self.network(message)
        check_width("gate", score, 1, self.out_channels)
        check_width("network", value, self.out_channels)
        return segment_reduce(pattern, edge_softmax(pattern, score) * value, reduce="sum")


class GatedSum(Aggregation):
    """The sum of mapped messages, each behind a gate of its own (Li et al. 2016); 0 where nothing arrives.

    Args:
        in_channels: width of a message.
        out_channels: width of the result, and of what `gate` and `network` give.
        gate, network: map the messages, [e, in_channels] to [e, out_channels] (a gate to [e, 1] too); linear maps by
            default.
        squash: tanh of each mapped message and of the sum, as in the paper. Without it the sum may grow with the
            number of messages, as an energy does with that of atoms (Gilmer et al. 2017 read out so).

    >>> import torch
    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> pool = GatedSum(1, 1, gate=nn.Identity(), network=nn.Identity(), squash=False)
    >>> [[round(v, 3) for v in row] for row in pool(pattern, torch.tensor([[0.0], [2.0]])).tolist()]
    [[1.762], [0.0]]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        gate: nn.Module | None = None,
        network: nn.Module | None = None,
        squash: bool = True,
    ):
        super().__init__()
        check_channels("out_channels", out_channels)
        self.out_channels, self.squash = out_channels, squash
        self.gate = gate or Linear(in_channels, out_channels)
        self.network = network or Linear(in_channels, out_channels)

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n d"]:
        score, value = self.gate(message), self.network(message)
        check_width("gate", score, 1, self.out_channels)
        check_width("network", value, self.out_channels)
        value = tanh(value) if self.squash else value
        total = segment_reduce(pattern, sigmoid(score) * value, reduce="sum")
        return tanh(total) if self.squash else total


def check_width(name: str, tensor: Tensor, *widths: int) -> None:
    """Raise an InputError unless what a given network made is a matrix of one of those widths."""
    if tensor.ndim != 2 or tensor.shape[1] not in widths:
        wanted = " or ".join(f"[e, {width}]" for width in dict.fromkeys(widths))
        raise InputError(f"{name} must give {wanted}, it gave shape {tuple(tensor.shape)}")
