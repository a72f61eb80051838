"""Interaction network: what relations do to their receivers, and what becomes of objects (Battaglia et al. 2016).

h_i' = f_O([h_i, x_i, sum over j of f_R([h_j, h_i, r_ij])])      x_i: what acts on object i from outside
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, dense_ends_of, edges_of
from grapevine.nn.edge_mlp import EdgeMLP
from grapevine.nn.equation import Equation
from grapevine.nn.linear import check_channels
from grapevine.nn.mlp import MLP
from grapevine.ops.segment import segment_reduce
from grapevine.typing import ActivationName


class InteractionConv(Conv):
    """The interaction network of Battaglia et al. 2016, "Interaction networks for learning about objects, relations and
    physics". The widths are those of the paper unless given.

    Its edge input is [e, edge_channels] attributes of the relations, none with edge_channels=0. An edge runs from the
    sender to the receiver.

    Args:
        in_channels: width of the objects' states.
        out_channels: output width; the paper's output is a velocity, 2 wide.
        edge_channels: width of the relations' attributes.
        external_channels: width of the external effects, the last columns of x, which f_O sees and f_R does not; x is
            [n, in_channels + external_channels].
        relation_channels: hidden widths of f_R.
        effect_channels: width of what f_R gives, an effect.
        object_channels: hidden widths of f_O.
        activation: after each hidden layer.

    >>> layer = InteractionConv(4, 2, 1, external_channels=2)
    >>> layer(torch.ones(3, 6), torch.tensor([[0, 1], [1, 2]]), torch.ones(2, 1)).shape
    torch.Size([3, 2])
    """

    equation: ClassVar[Equation] = Equation(
        name="Interaction network",
        message="MLP([h_i, h_j, e_ij])",
        aggregation="sum",
        update="MLP([h_i, x_i, m_i]), x_i what acts from outside",
        edges="features",
        readout="MLP of the sum",
        cost="n c^2 + e c^2",
        power="1-WL",
        year=2016,
        paper="Battaglia et al., Interaction networks for learning about objects, relations and physics",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        edge_channels: int = 0,
        *,
        external_channels: int = 0,
        relation_channels: Sequence[int] = (150, 150, 150, 150),
        effect_channels: int = 50,
        object_channels: Sequence[int] = (100,),
        activation: ActivationName = "relu",
    ):
        super().__init__()
        for name, width in (("in_channels", in_channels), ("effect_channels", effect_channels)):
            check_channels(name, width)
        self.in_channels, self.edge_channels, self.external_channels = in_channels, edge_channels, external_channels
        self.out_channels, self.bias = out_channels, None
        relation = [*relation_channels, effect_channels]
        self.relation = EdgeMLP(in_channels, in_channels, edge_channels, relation, activation=activation)
        seen = in_channels + external_channels + effect_channels
        self.object = MLP([seen, *object_channels, out_channels], activation=activation)

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, x_dst, adjacency = dense_ends_of(x, adj, "InteractionConv")
        width = self.in_channels + self.external_channels
        for state in (x_src, x_dst):
            if state.shape[1] != width:
                raise InputError(f"x must have {width} columns, objects and what acts on them, got {state.shape[1]}")
        if self.edge_channels and edge is None:
            raise InputError(f"this InteractionConv needs [e, {self.edge_channels}] attributes of the edges; none came")
        check(edge is None or self.edge_channels > 0, "this InteractionConv has no edge input; give edge_channels")
        edge = None if edge is None else edges_of(edge, adj, adjacency, ndim=2)
        sender, receiver = x_src[:, : self.in_channels], x_dst[:, : self.in_channels]
        effects = self.relation(adjacency.pattern, sender, receiver, edge)
        return self.object(torch.cat([x_dst, segment_reduce(adjacency.pattern, effects, reduce="sum")], 1))
