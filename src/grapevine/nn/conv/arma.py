"""ARMA graph convolution: a rational function of the Laplacian, approached by a recursion (Bianchi et al. 2021).

H_k^(t+1) = activation(S H_k^(t) W_k + H V_k + b_k),    H' = mean over the stacks k of H_k^(T),    S = D^-1/2 A D^-1/2
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, edges_of
from grapevine.nn.conv.matrix import gcn_matrix, one_set_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, check_channels, dropout_features, linear
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class ARMAConv(Conv):
    """ARMA graph convolution (Bianchi et al. 2021, first of 2019). Its edge input is [e] weights.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        num_stacks: filters side by side, whose mean is the output.
        num_layers: steps of the recursion, each a hop.
        shared_weights: the same W, V and b at every step of a stack (W from the second on; the first maps the input).
        activation: after each step.
        dropout: on the input where it comes in again at each step, in training.
        bias: add biases.

    >>> ARMAConv(3, 4, num_stacks=2, num_layers=3)(torch.ones(5, 3), torch.tensor([[0, 1], [1, 2]])).shape
    torch.Size([5, 4])
    """

    equation: ClassVar[Equation] = Equation(
        name="ARMA",
        message="w_ij W_k h_j / sqrt(d_i d_j)",
        aggregation="sum",
        update="ReLU(m_i + V_k x_i + b_k), T times; then the mean over the stacks k",
        edges="weights",
        readout="mean",
        cost="K T n c^2 + K T e c, K stacks of T steps",
        power="below 1-WL",
        year=2021,
        paper="Bianchi et al., Graph neural networks with convolutional ARMA filters",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        num_stacks: int = 1,
        num_layers: int = 1,
        shared_weights: bool = False,
        activation: ActivationName = "relu",
        dropout: float = 0.0,
        bias: bool = True,
    ):
        super().__init__()
        check_channels("num_stacks", num_stacks)
        check_channels("num_layers", num_layers)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.in_channels, self.out_channels, self.bias = in_channels, out_channels, None
        self.num_stacks, self.num_layers, self.shared_weights = num_stacks, num_layers, shared_weights
        self.activation: ActivationName = activation
        self.dropout = dropout
        width = num_stacks * out_channels
        self.lin = Linear(in_channels, width, bias=False)
        skips = 1 if shared_weights else num_layers
        self.lins_skip = nn.ModuleList(Linear(in_channels, width, bias=bias) for _ in range(skips))
        steps = min(1, num_layers - 1) if shared_weights else num_layers - 1
        self.weights = nn.ParameterList(_matrices(num_stacks, out_channels) for _ in range(steps))  # W_k, [k, c, d]

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        states, adjacency = one_set_of(x, adj, "ARMAConv")
        if edge is not None:
            edge = edges_of(edge, adj, adjacency, ndim=1)
        weight = self.lin.fitted(states)
        matrix = gcn_matrix(adjacency, edge, weight.dtype)
        out = None
        for t in range(self.num_layers):
            if out is None and isinstance(states, Tensor) and states.shape[1] < weight.shape[0]:
                heard = linear(matrix.times(states), weight)
            else:
                mapped = linear(states, weight) if out is None else self._map(out, t - 1)
                heard = matrix.times(mapped)
            out = epilogue(heard + self._skip(states, t), activation=self.activation)
        if out is None:
            raise InputError("num_layers must be positive")
        return out.unflatten(1, (self.num_stacks, self.out_channels)).mean(1)

    def _map(self, h: Tensor, k: int) -> Tensor:
        """Each stack's state through its own matrix, side by side."""
        weight = self.weights[0 if self.shared_weights else k]
        by_stack = h.unflatten(1, (self.num_stacks, self.out_channels))
        return torch.einsum("nkc,kcd->nkd", by_stack, weight).flatten(1)

    def _skip(self, x: Features, t: int) -> Tensor:
        return self.lins_skip[0 if self.shared_weights else t](dropout_features(x, self.dropout, self.training))

    def extra_repr(self) -> str:
        return f"num_stacks={self.num_stacks}, num_layers={self.num_layers}, shared_weights={self.shared_weights}"


def _matrices(count: int, channels: int) -> nn.Parameter:
    matrices = torch.empty(count, channels, channels)
    for matrix in matrices:
        nn.init.xavier_uniform_(matrix)
    return nn.Parameter(matrices)
