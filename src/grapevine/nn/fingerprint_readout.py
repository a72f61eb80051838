"""The readout of neural graph fingerprints: what every layer's states choose to add to a vector (Duvenaud et al. 2015).

f_G = sum over layers l and nodes i of G of softmax(W_l h_i^l + b_l)
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.nn.head import Head
from grapevine.nn.linear import Features, Linear
from grapevine.ops.segment import segment_reduce


class FingerprintReadout(Head):
    """The neural fingerprint of each graph (Duvenaud et al. 2015), then through a network if there is one.

    Every node of every layer, the input's too, spreads one unit over the numbers of the fingerprint.

    Args:
        channels: the width of the input and of each layer's states.
        out_channels: the length of the fingerprint.
        network: what makes the answer of the fingerprint, if anything.

    >>> head = FingerprintReadout([3, 8], 16)
    >>> fingerprint = head([torch.ones(2, 3), torch.ones(2, 8)], Graph([[0], [1]]))
    >>> fingerprint.shape, round(fingerprint.sum().item(), 4)  # two nodes, two layers
    (torch.Size([1, 16]), 4.0)
    """

    reads_all_layers = True

    def __init__(self, channels: Sequence[int], out_channels: int, *, network: nn.Module | None = None):
        super().__init__()
        check(len(channels) > 0, "FingerprintReadout needs the width of each layer's states, the input's first")
        self.maps = nn.ModuleList(Linear(width, out_channels) for width in channels)
        self.network = network

    def forward(
        self, states: list[Features], graph: Graph, items: Int[Tensor, " k"] | None = None
    ) -> Float[Tensor, "k c"]:
        if not isinstance(states, list) or len(states) != len(self.maps):
            came = f"{len(states)} of them" if isinstance(states, list) else type(states).__name__
            raise InputError(f"FingerprintReadout takes a list of the states of {len(self.maps)} layers, got {came}")
        written = [to_choice(layer).softmax(1) for layer, to_choice in zip(states, self.maps, strict=True)]
        fingerprint = segment_reduce(graph.members, torch.stack(written).sum(0), reduce="sum")
        fingerprint = fingerprint if items is None else fingerprint.index_select(0, items)
        return fingerprint if self.network is None else self.network(fingerprint)
