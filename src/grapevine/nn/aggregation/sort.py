"""Sort pooling: the first k messages of each row, in a canonical order (Zhang et al. 2018).

m_i = [m_(1), ..., m_(k)], sorted by the last channel, the greatest first; zeros where there are fewer

M. Zhang, Z. Cui, M. Neumann and Y. Chen, "An end-to-end deep learning architecture for graph classification",
AAAI 2018.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.errors import check
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.linear import check_channels, check_features
from grapevine.ops.pattern import Pattern


class SortPool(Aggregation):
    """The k messages that are greatest in the last channel, side by side, [rows, k * in_channels] (Zhang et al. 2018).

    Messages equal in the last channel are sorted by the one before it, and so on, as in the paper: only those that are
    equal throughout are left, and their order does not matter. Rows with fewer than k messages end in zeros.

    Args:
        in_channels: width of a message.
        k: how many to keep; the paper takes the number that 60 % of the graphs reach.

    >>> pattern = Pattern(torch.tensor([0, 3, 4]), torch.tensor([0, 1, 2, 3]), num_cols=4)
    >>> message = torch.tensor([[1.0, 5.0], [2.0, 7.0], [3.0, 5.0], [4.0, 0.5]])
    >>> SortPool(2, 2)(pattern, message).tolist()
    [[2.0, 7.0, 3.0, 5.0], [4.0, 0.5, 0.0, 0.0]]
    """

    def __init__(self, in_channels: int, k: int):
        super().__init__()
        check_channels("in_channels", in_channels)
        check_channels("k", k)
        self.in_channels, self.k, self.out_channels = in_channels, k, k * in_channels

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n k*c"]:
        check_features("message", message)
        width = message.shape[1]
        check(width == self.in_channels, f"messages must have {self.in_channels} channels, got {width}")
        message, row = by_row(pattern, message), pattern.row_of.long()
        order = _greatest_first(message.detach(), row)
        rank = torch.arange(len(row), device=row.device) - pattern.indptr.long()[row]
        is_kept = rank < self.k
        places = (row * self.k + rank)[is_kept]
        out = message.new_zeros(pattern.num_rows * self.k, width)
        return out.index_copy(0, places, message[order[is_kept]]).reshape(pattern.num_rows, self.out_channels)


def by_row(pattern: Pattern, message: Float[Tensor, "e *c"]) -> Float[Tensor, "e *c"]:
    """The messages one row after another, which they are already unless the pattern has another order of entries."""
    return message if pattern.entry is None else message[pattern.entry.long()]


def _greatest_first(message: Tensor, row: Int[Tensor, " e"]) -> Int[Tensor, " e"]:
    """The order by row and then by the last channel, the one before it, and so on, all from great to small."""
    order = _then_by_row(message[:, -1].argsort(descending=True, stable=True), row)
    first, second = message[order][:-1, -1], message[order][1:, -1]
    if not bool(((first == second) & (row[1:] == row[:-1])).any()):
        return order
    order = torch.arange(len(row), device=row.device)
    for channel in range(message.shape[1]):  # the one that counts most comes last
        order = order[message[order, channel].argsort(descending=True, stable=True)]
    return _then_by_row(order, row)


def _then_by_row(order: Tensor, row: Tensor) -> Tensor:
    return order[row[order].argsort(stable=True)]
