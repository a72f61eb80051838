"""Ways to bring the messages of a neighbourhood together: the middle of the equation.

m_i = aggregate over the edges e into i of m_e
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class Aggregation(nn.Module, ABC):
    """Brings [e, c] messages, sorted by target, together to [n, c]; must not depend on their order."""

    @abstractmethod
    def forward(self, pattern: Pattern, message: Float[Tensor, "e *c"]) -> Float[Tensor, "n *d"]: ...


class Sum(Aggregation):
    """The sum; 0 where nothing arrives.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> Sum()(pattern, torch.tensor([[1.0], [2.0]])).tolist()
    [[3.0], [0.0]]
    """

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return segment_reduce(pattern, message, reduce="sum")


class Mean(Aggregation):
    """The mean; 0 where nothing arrives."""

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return segment_reduce(pattern, message, reduce="mean")


class Max(Aggregation):
    """The largest number of each channel; 0 where nothing arrives."""

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return segment_reduce(pattern, message, reduce="max")


class Min(Aggregation):
    """The smallest number of each channel; 0 where nothing arrives."""

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return segment_reduce(pattern, message, reduce="min")


class LSTM(Aggregation):
    """The last state of an LSTM that reads the messages in a random order (Hamilton et al. 2017).

    In training the order is drawn anew at each call; in evaluation it is the order of the edges, so that the answer
    does not vary. An LSTM depends on the order: this aggregation is invariant only on average.

    Args:
        in_channels: width of a message.
        out_channels: width of the state.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.lstm = nn.LSTM(in_channels, out_channels)

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        out = message.new_zeros(pattern.num_rows, self.lstm.hidden_size)
        if pattern.num_entries == 0:
            return out
        row, degree = pattern.row_of.long(), pattern.indptr.diff()
        if self.training:
            shuffled = torch.randperm(pattern.num_entries, device=message.device)
            message = message[shuffled[torch.argsort(row[shuffled], stable=True)]]
        # Packed as the LSTM wants it: all first messages, then all second ones, the longest rows in front.
        longest_first = torch.argsort(degree, descending=True, stable=True)
        rank = torch.empty_like(longest_first)
        rank[longest_first] = torch.arange(pattern.num_rows, device=rank.device)
        step = torch.arange(pattern.num_entries, device=row.device) - pattern.indptr.long()[row]
        packed = nn.utils.rnn.PackedSequence(
            message[torch.argsort(step * pattern.num_rows + rank[row])], torch.bincount(step).cpu()
        )
        _, (state, _) = self.lstm(packed)
        return out.index_copy(0, longest_first[: state.shape[1]], state[0])
