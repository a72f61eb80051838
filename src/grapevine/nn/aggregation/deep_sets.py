"""Deep sets: every function of a set is one of a sum (Zaheer et al. 2017).

m_i = rho(sum over e of phi(m_e))

M. Zaheer, S. Kottur, S. Ravanbakhsh, B. Poczos, R. Salakhutdinov and A. Smola, "Deep sets", NeurIPS 2017.
"""

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.nn.aggregation.attention import check_width
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.linear import check_channels
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce


class DeepSets(Aggregation):
    """A network of the sum of what another network makes of each message (Zaheer et al. 2017).

    Where nothing arrives it is rho(0).

    Args:
        phi: maps the messages, [e, c] to [e, d].
        rho: maps the sums, [rows, d] to [rows, out_channels].
        out_channels: width of what rho gives.

    >>> import torch
    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> DeepSets(nn.ReLU(), nn.Tanh(), out_channels=1)(pattern, torch.tensor([[-1.0], [0.0]])).tolist()
    [[0.0], [0.0]]
    """

    def __init__(self, phi: nn.Module, rho: nn.Module, *, out_channels: int):
        super().__init__()
        check_channels("out_channels", out_channels)
        self.phi, self.rho, self.out_channels = phi, rho, out_channels

    def forward(self, pattern: Pattern, message: Float[Tensor, "e c"]) -> Float[Tensor, "n d"]:
        out = self.rho(segment_reduce(pattern, self.phi(message), reduce="sum"))
        check_width("rho", out, self.out_channels)
        return out
