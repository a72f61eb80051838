"""Gated readout: every node says how much of it counts, from its state in the end and its features (Li et al. 2016).

h_G = sum over the nodes i of G of sigmoid(f([h_i, x_i])) * g(h_i)
"""

from jaxtyping import Float, Int
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.nn.head import Head
from grapevine.nn.linear import Features, Linear, check_channels
from grapevine.nn.mlp import MLP
from grapevine.nn.readout import Readout
from grapevine.ops.epilogue import epilogue
from grapevine.typing import ActivationName


class GatedReadout(Head):
    """Gated readout: equation 4 of Gilmer et al. 2017. Equation 7 of Li et al. 2016, "Gated graph sequence neural
    networks", is the same with g of the features too and a tanh around g and around the sum.

    Of the states that an `Encoder` shows it reads the first, the node features, and the last.

    Args:
        in_channels: width of the node features.
        state_channels: width of the last states.
        out_channels: how many numbers a graph gets.
        hidden_channels: width of a hidden layer in both networks; None: both are linear maps.
        activation: of the hidden layers.

    >>> import torch
    >>> head = GatedReadout(3, 8, 2)
    >>> head([torch.ones(2, 3), torch.ones(2, 8)], Graph([[0], [1]])).shape
    torch.Size([1, 2])
    """

    reads_all_layers = True

    def __init__(
        self,
        in_channels: int,
        state_channels: int,
        out_channels: int,
        *,
        hidden_channels: int | None = None,
        activation: ActivationName = "relu",
    ):
        super().__init__()
        check_channels("out_channels", out_channels)
        width = out_channels if hidden_channels is None else hidden_channels
        self.gate_input, self.gate_state = Linear(in_channels, width), Linear(state_channels, width, bias=False)
        self.gate_last = None if hidden_channels is None else Linear(hidden_channels, out_channels)
        hidden = [] if hidden_channels is None else [hidden_channels]
        self.value = MLP([state_channels, *hidden, out_channels], activation=activation)
        self.readout = Readout()
        self.activation: ActivationName = activation

    def forward(
        self, states: list[Features], graph: Graph, items: Int[Tensor, " k"] | None = None
    ) -> Float[Tensor, "k c"]:
        is_list = isinstance(states, list)
        if not is_list or len(states) < 2:
            came = f"{len(states)} of them" if is_list else type(states).__name__
            raise InputError(f"GatedReadout takes a list of states, the input's first, the last ones last; got {came}")
        first, last = states[0], states[-1]
        check(isinstance(last, Tensor), "GatedReadout takes dense last states")
        gate = self.gate_input(first) + self.gate_state(last)
        if self.gate_last is not None:
            gate = self.gate_last(epilogue(gate, activation=self.activation))
        # A sigmoid by the tanh of `epilogue`: the bits of PyTorch's own depend on the number of threads.
        share = 0.5 + 0.5 * epilogue(0.5 * gate, activation="tanh")
        out = self.readout(share * self.value(last), graph)
        return out if items is None else out.index_select(0, items)
