"""A layer of your own from the equation, checked by the laws that Grapevine's own layers obey.

h_i' = h_i + the mean over the neighbours j of tanh(W (h_j - h_i))
"""

import torch
from torch import nn

import grapevine as gv
from grapevine import testing


class Difference(gv.nn.MessagePassing):
    """Each node hears how its neighbours differ from it."""

    def __init__(self, channels: int):
        super().__init__(gv.nn.Mean())
        self.lin = nn.Linear(channels, channels, bias=False)

    def message(self, x_src, x_dst, edge_attr):
        return self.lin(x_src - x_dst).tanh()

    def update(self, x_dst, message):
        return x_dst + message


def main() -> None:
    torch.manual_seed(0)
    layer, x = Difference(8), torch.randn(6, 8)
    ring = gv.Adjacency([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]], num_nodes=6)
    print(ring, "->", tuple(layer(x, ring).shape))

    testing.check_permutation_equivariance(layer, x, ring)
    testing.check_isolated_nodes(layer, x, ring)
    print("renumbering the nodes renumbers the answer, and a node that hears nothing has one")


if __name__ == "__main__":
    main()
