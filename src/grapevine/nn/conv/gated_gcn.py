"""Gated graph convolution with states of the edges (Bresson and Laurent 2017, in the form of Dwivedi et al. 2020).

g_ij = A h_i + B h_j + C e_ij
h_i' = h_i + ReLU(norm(U h_i + sum over j of s(g_ij) * V h_j / (sum over j of s(g_ij) + 1e-6))),    s the sigmoid
e_ij' = e_ij + ReLU(norm(g_ij))
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.nn.conv.inputs import Edges, dense_ends_of, edges_of
from grapevine.nn.conv.mlp_message import EndsLinear
from grapevine.nn.conv.node_edge import NodeEdgeLayer
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Linear, check_channels
from grapevine.nn.norm import BatchNorm
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce

_EPS = 1e-6  # of the paper's program: the gates of a node add up to 1 but for it


class GatedGCNConv(NodeEdgeLayer):
    """Gated graph convolution (Bresson and Laurent 2017; Dwivedi et al. 2020, "Benchmarking graph neural networks").

    The gates are made of g_ij itself, as in the benchmark's program; its text makes them of the edges' new states.

    Args:
        in_channels: width of the nodes' states.
        out_channels: width of the new states of nodes and of edges.
        edge_channels: width of the edges' states; None: `in_channels`.
        batch_norm: normalise over all nodes, and over all edges, of the batch.
        residual: add the old states of nodes, and of edges, where they are as wide as the new ones.
        dropout: on both before they are added, in training.

    >>> import torch
    >>> layer = GatedGCNConv(4, 4)
    >>> x, edge = layer(torch.ones(3, 4), torch.tensor([[0, 1], [1, 0]]), torch.ones(2, 4))
    >>> x.shape, edge.shape
    (torch.Size([3, 4]), torch.Size([2, 4]))
    """

    equation: ClassVar[Equation] = Equation(
        name="GatedGCN",
        message="s(g_ij) * V h_j, g_ij = A h_i + B h_j + C e_ij, s the sigmoid",
        aggregation="sum, divided by the sum of the gates s(g_ij)",
        update="h_i + ReLU(BN(U h_i + m_i)), e_ij' = e_ij + ReLU(BN(g_ij))",
        edges="features, updated",
        readout="mean",
        cost="n c^2 + e c^2",
        power="below 1-WL",
        year=2017,
        paper="Bresson & Laurent, Residual gated graph ConvNets",
    )

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        edge_channels: int | None = None,
        batch_norm: bool = True,
        residual: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        edge_channels = in_channels if edge_channels is None else edge_channels
        widths = {"in_channels": in_channels, "out_channels": out_channels, "edge_channels": edge_channels}
        for name, width in widths.items():
            check_channels(name, width)
        check(0 <= dropout <= 1, f"dropout must be a probability, got {dropout}")
        self.in_channels, self.out_channels, self.edge_channels = in_channels, out_channels, edge_channels
        self.residual, self.dropout = residual, dropout
        self.lin_gate = EndsLinear((in_channels, in_channels, edge_channels), out_channels)  # A, B, C
        self.lin_own, self.lin_value = Linear(in_channels, out_channels), Linear(in_channels, out_channels)  # U, V
        self.norm_node = BatchNorm(out_channels) if batch_norm else nn.Identity()
        self.norm_edge = BatchNorm(out_channels) if batch_norm else nn.Identity()

    def forward(
        self, x: Float[Tensor, "n c"], adj: Edges, edge: Float[Tensor, "e d"]
    ) -> tuple[Float[Tensor, "n c2"], Float[Tensor, "e c2"]]:
        """The new states of nodes and edges; edges in the order of `adj`, before and after.

        Raises:
            InputError: if a state does not fit the layer or the graph.
        """
        check(isinstance(x, Tensor), "GatedGCNConv takes one dense set of nodes, not a pair of states")
        if edge is None:
            raise InputError("GatedGCNConv needs states of the edges; NodeEdgeStack makes them where there are none")
        _, _, adjacency = dense_ends_of(x, adj, "GatedGCNConv")
        for name, state, width in (("x", x, self.in_channels), ("edge", edge, self.edge_channels)):
            check(state.shape[-1] == width, f"{name} must have {width} columns, got shape {tuple(state.shape)}")
        there = edges_of(edge, adj, adjacency, ndim=2)
        pattern = adjacency.pattern
        seen = self.lin_gate(pattern, x, x, there)
        gate = seen.sigmoid()
        heard = segment_reduce(pattern, gate * gather(pattern, self.lin_value(x), side="cols"), reduce="sum")
        share = segment_reduce(pattern, gate, reduce="sum")
        new_x = self._finish(self.lin_own(x) + heard / (share + _EPS), x, self.norm_node)
        new_edge = self._finish(seen, there, self.norm_edge)
        # Beside an edge_index the edges go out as they came in.
        return new_x, new_edge[adjacency.edge_id.argsort()] if isinstance(adj, Tensor) else new_edge

    def _finish(self, new: Tensor, old: Tensor, norm: nn.Module) -> Tensor:
        """Norm, activation, dropout and residual."""
        normed = norm(new) if len(new) else new  # no rows have no variance
        out = epilogue(normed, activation="relu", dropout=self.dropout if self.training else 0.0)
        return old + out if self.residual and old.shape == out.shape else out

    def extra_repr(self) -> str:
        return f"edge_channels={self.edge_channels}, residual={self.residual}, dropout={self.dropout}"
