"""Molecular graph convolution on bonds: the states of atoms and bonds make each other (Kearnes et al. 2016).

h_i'  = f_1([f_0(h_i), sum over j of e_ij])
e_ij' = f_4([f_2(e_ij), f_3([h_i, h_j])]),      f(h) = ReLU(W h + b);  as Gilmer et al. 2017 write it, section 2
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import check
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.conv.node_edge import NodeEdgeLayer
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels, linear
from grapevine.ops.epilogue import epilogue
from grapevine.ops.sddmm import sddmm
from grapevine.ops.segment import segment_reduce


def map_relu(layer: Linear, x: Float[Tensor, "n c"]) -> Float[Tensor, "n d"]:
    """ReLU(W x + b), the last two in one pass."""
    return epilogue(linear(x, layer.fitted(x)), layer.bias, activation="relu")


def joint_relu(layer: Linear, x: Float[Tensor, "n c"], y: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
    """ReLU(W [x, y] + b), without putting x and y side by side."""
    of_x, of_y = layer.weight.split([x.shape[1], y.shape[1]], dim=1)
    return epilogue(torch.addmm(linear(x, of_x), y, of_y.T), layer.bias, activation="relu")


class MolecularGraphConv(NodeEdgeLayer):
    """The molecular graph convolution of Kearnes et al. 2016, in the form of Gilmer et al. 2017.

    Both new states are made of the old ones. `Weave` is the network with pairs beyond the bonds.

    Args:
        in_channels: width of the atoms' states.
        out_channels: width of the new ones, and of f_0's.
        edge_channels: width of the bonds' states.
        edge_out_channels: width of the new ones, f_2's and f_3's; by default out_channels.
        bias: add biases.

    >>> layer = MolecularGraphConv(3, 4, edge_channels=2)
    >>> x, edge = layer(torch.ones(2, 3), torch.tensor([[0, 1], [1, 0]]), torch.ones(2, 2))
    >>> x.shape, edge.shape
    (torch.Size([2, 4]), torch.Size([2, 4]))
    """

    equation: ClassVar[Equation] = Equation(
        name="Molecular graph convolution",
        message="e_ij",
        aggregation="sum",
        update="f([f(h_i), m_i]), e_ij' = f([f(e_ij), f([h_i, h_j])]), f(h) = ReLU(W h + b)",
        edges="features, updated",
        readout="sum of a Gaussian histogram of each number",
        cost="n c^2 + e c^2",
        power="1-WL",
        year=2016,
        paper="Kearnes et al., Molecular graph convolutions: moving beyond fingerprints",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        edge_channels: int,
        edge_out_channels: int | None = None,
        bias: bool = True,
    ):
        super().__init__()
        check_channels("edge_channels", edge_channels)
        wide = out_channels if edge_out_channels is None else edge_out_channels
        self.out_channels, self.edge_out_channels, self.edge_channels = out_channels, wide, edge_channels
        self.of_atom = Linear(in_channels, out_channels, bias=bias)
        self.atom_joint = Linear(out_channels + edge_channels, out_channels, bias=bias)
        self.of_bond = Linear(edge_channels, wide, bias=bias)
        self.of_target = Linear(in_channels, wide, bias=bias)  # f_3 in two parts, each made once an atom
        self.of_source = Linear(in_channels, wide, bias=False)
        self.bond_joint = Linear(2 * wide, wide, bias=bias)

    def forward(
        self, x: Ends, adj: Edges, edge: Float[Tensor, "e d"]
    ) -> tuple[Float[Tensor, "n c2"], Float[Tensor, "e d2"]]:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "MolecularGraphConv")
        edge = edges_of(edge, adj, adjacency, ndim=2)
        width = edge.shape[1]
        check(width == self.edge_channels, f"edge must have {self.edge_channels} columns, got {width}")
        heard = segment_reduce(adjacency.pattern, edge, reduce="sum")
        atoms = joint_relu(self.atom_joint, map_relu(self.of_atom, x_dst), heard)
        ends = sddmm(adjacency.pattern, self.of_target(x_dst), self.of_source(x_src), op="add").relu()
        return atoms, joint_relu(self.bond_joint, map_relu(self.of_bond, edge), ends)
