"""The spread of the messages of a neighbourhood.

var_i = mean over the edges e into i of (m_e - mean_i)^2,    std_i = sqrt(var_i + eps)        (Corso et al. 2020)
"""

import torch
from torch import Tensor

from grapevine.errors import check
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.ops.gather import check_features, gather_op, row_views, segment_sum_op
from grapevine.ops.gather.reference import scaled
from grapevine.ops.pattern import Pattern
from grapevine.ops.spmm import mean_scale
from grapevine.ops.trilinear import no_gradients, split_views


class Var(Aggregation):
    """The variance of each channel, with the number of messages as divisor; 0 where one or none arrives.

    The mean is subtracted before squaring, so that nothing is lost where the mean is large; for the backward only the
    messages themselves are kept.

    >>> pattern = Pattern(torch.tensor([0, 2, 3]), torch.tensor([0, 1, 0]), num_cols=2)
    >>> Var()(pattern, torch.tensor([[1.0], [3.0], [7.0]])).tolist()
    [[1.0], [0.0]]
    """

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return _variance(pattern, message)


class Std(Aggregation):
    """The standard deviation of each channel, sqrt(variance + eps), of finite gradient where all messages are equal.

    There, and where one message or none arrives, it is sqrt(eps).

    Args:
        eps: what is added to the variance; the paper's default.

    >>> pattern = Pattern(torch.tensor([0, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> Std()(pattern, torch.tensor([[1.0], [3.0]])).round(decimals=4).tolist()
    [[1.0]]
    """

    def __init__(self, *, eps: float = 1e-5):
        super().__init__()
        check(eps > 0, f"eps must be positive, or the gradient at equal messages is infinite, got {eps}")
        self.eps = eps

    def forward(self, pattern: Pattern, message: Tensor) -> Tensor:
        return (_variance(pattern, message) + self.eps).sqrt()


def _variance(pattern: Pattern, message: Tensor) -> Tensor:
    check_features(pattern, "message", message, "entries")
    scale = mean_scale(pattern, torch.promote_types(message.dtype, torch.float32))
    return variance_op(*row_views(pattern), message, scale)


# One operation, for what it keeps: the messages, from which its derivative by m_e, 2 (m_e - mean_i) / count_i, is made
# anew. The views of the rows are those of `ops.gather`, and scale is 1 / count_i.


@torch.library.custom_op("grapevine::segment_variance", mutates_args=())
def variance_op(index: list[Tensor], segments: list[Tensor], x: Tensor, scale: Tensor) -> Tensor:
    """[n, *c] the variance within each segment, 0 for an empty one."""
    return segment_sum_op(index, segments, _centred(index, segments, x, scale).square_(), scale)


@variance_op.register_fake
def _(index, segments, x, scale):
    return x.new_empty(segments[0].shape[0] - 1, *x.shape[1:])


def _save(ctx, inputs, output) -> None:
    index, segments, *kept = inputs
    ctx.views = len(index), len(segments)
    ctx.save_for_backward(*index, *segments, *kept)


def _backward(ctx, grad):
    index, segments, (x, scale) = split_views(ctx)
    shared = gather_op(index, segments, scaled(2 * grad, scale))
    return *no_gradients(ctx), shared * _centred(index, segments, x, scale), None


variance_op.register_autograd(_backward, setup_context=_save)


def _centred(index: list[Tensor], segments: list[Tensor], x: Tensor, scale: Tensor) -> Tensor:
    return x - gather_op(index, segments, segment_sum_op(index, segments, x, scale))
