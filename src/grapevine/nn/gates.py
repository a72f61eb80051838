"""Gates, and the recurrent cells made of them, with the same bits on any number of threads.

sigmoid(x) = (1 + tanh(x / 2)) / 2
LSTM: c' = f c + i tanh(g),  h' = o tanh(c')        (Hochreiter & Schmidhuber 1997, with forget gates)
GRU:  h' = z h + (1 - z) tanh(W x + b + r (U h + d))  (Cho et al. 2014, the reset gate behind the matrix)

PyTorch's own sigmoid rounds the last numbers of each thread's share in another way than the rest.
"""

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.nn.linear import linear
from grapevine.ops.epilogue import epilogue


def tanh(x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
    """The hyperbolic tangent."""
    return epilogue(x, activation="tanh")


def sigmoid(x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
    """1 / (1 + exp(-x)).

    >>> import torch
    >>> sigmoid(torch.tensor([0.0, 100.0])).tolist()
    [0.5, 1.0]
    """
    return 0.5 * tanh(0.5 * x) + 0.5


def lstm_step(
    cell: nn.LSTMCell, x: Float[Tensor, "n c"], state: tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """The new (h, c) of a PyTorch LSTM cell."""
    h, c = state
    gates = linear(x, cell.weight_ih, cell.bias_ih) + linear(h, cell.weight_hh, cell.bias_hh)
    let_in, forget, content, let_out = gates.chunk(4, 1)
    c = sigmoid(forget) * c + sigmoid(let_in) * tanh(content)
    return sigmoid(let_out) * tanh(c), c


def gru_step(cell: nn.GRUCell, x: Float[Tensor, "n c"], h: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """The new state of a PyTorch GRU cell."""
    gates, own = linear(x, cell.weight_ih, cell.bias_ih), linear(h, cell.weight_hh, cell.bias_hh)
    (reset, keep, content), (own_reset, own_keep, own_content) = gates.chunk(3, 1), own.chunk(3, 1)
    new = tanh(content + sigmoid(reset + own_reset) * own_content)
    return new + sigmoid(keep + own_keep) * (h - new)
