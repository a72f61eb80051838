"""Graph convolution: the mean of the neighbourhood, each end weighed by its degree (Kipf and Welling 2017).

H' = D^-1/2 (A + I) D^-1/2 H W,    D the degrees of A + I
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.graph import Adjacency
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends, edges_of, ends_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import Features, Linear, linear
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce
from grapevine.ops.sparse import SparseMatrix
from grapevine.ops.spmm import spmm


def gcn_conv(
    x: Features,
    adjacency: Adjacency,
    weight: Float[Tensor, "d c"],
    edge_weight: Float[Tensor, " e"] | None = None,
    *,
    is_bipartite: bool = False,
) -> Float[Tensor, "n d"]:
    """D^-1/2 A D^-1/2 x W^T for an adjacency that already has the self-loops it wants.

    D holds the weighted in-degrees. Where the sources are other nodes than the targets, as they are in any adjacency
    that is not square, their D holds their out-degrees.

    >>> adjacency = Adjacency(torch.tensor([[0, 1, 0, 1], [0, 0, 1, 1]]), num_nodes=2)
    >>> gcn_conv(torch.tensor([[1.0], [3.0]]), adjacency, torch.eye(1)).round().tolist()
    [[2.0], [2.0]]
    """
    if edge_weight is None:
        src_scale, dst_scale = adjacency.gcn_scale(weight.dtype)
        if is_bipartite:
            _, src_scale = adjacency.reverse().gcn_scale(weight.dtype)
        return propagate(x, adjacency, weight, row_scale=dst_scale, col_scale=src_scale)
    is_bipartite = is_bipartite or not adjacency.is_square
    return propagate(x, adjacency, weight, edge_weight=normalised(adjacency, edge_weight, is_bipartite))


def normalised(adjacency: Adjacency, edge_weight: Float[Tensor, " e"], is_bipartite: bool) -> Float[Tensor, " e"]:
    """[e] w / sqrt(d_i d_j), with gradients for w; 0 where a degree is not positive."""
    pattern = adjacency.pattern
    dst_degree = segment_reduce(pattern, edge_weight, reduce="sum")
    src_degree = dst_degree
    if is_bipartite:
        src_degree = segment_reduce(pattern.transposed, edge_weight, reduce="sum")
    # The 1 keeps the gradient finite where the degree is 0.
    dst_scale, src_scale = (d.where(d > 0, 1).rsqrt().where(d > 0, 0) for d in (dst_degree, src_degree))
    return edge_weight * gather(pattern, dst_scale, side="rows") * gather(pattern, src_scale, side="cols")


def propagate(
    x: Features,
    adjacency: Adjacency,
    weight: Float[Tensor, "d c"],
    *,
    reduce: str = "sum",
    edge_weight: Tensor | None = None,
    row_scale: Tensor | None = None,
    col_scale: Tensor | None = None,
) -> Float[Tensor, "n d"]:
    """A x W^T in the cheaper order: (A x) W^T where x is dense and narrow, else A (x W^T).

    The two are equal. Where x wants no gradient, (A x) W^T needs no second sum over the edges in the backward; where
    it does, A (x W^T) keeps x for it, which is often kept anyway, and not A x.
    """
    d, c = weight.shape
    options = {"reduce": reduce, "row_scale": row_scale, "col_scale": col_scale}
    if not isinstance(x, SparseMatrix) and (c < d if x.requires_grad else c <= 2 * d):
        return linear(spmm(adjacency.pattern, x, edge_weight, **options), weight)
    return spmm(adjacency.pattern, linear(x, weight), edge_weight, **options)


class GCNConv(Conv):
    """Graph convolution (Kipf and Welling 2017). Its edge input is [e] weights.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        add_self_loops: hear yourself too, where no loop is there yet, with weight 1; not in bipartite graphs.
        bias: add a bias.

    >>> edge_index = torch.tensor([[0, 0, 1, 2, 1, 2, 2, 3], [1, 2, 2, 3, 0, 0, 1, 2]])
    >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])
    >>> layer = GCNConv(2, 2)
    >>> layer.lin.weight.data = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
    >>> [round(number, 3) for number in layer(x, edge_index)[0].tolist()]
    [0.933, 0.933]
    """

    equation: ClassVar[Equation] = Equation(
        name="GCN",
        message="w_ij h_j / sqrt(d_i d_j)",
        aggregation="sum, yourself too",
        update="W m_i + b",
        edges="weights",
        readout="",
        cost="n c^2 + e c",
        power="below 1-WL",
        year=2017,
        paper="Kipf & Welling, Semi-supervised classification with graph convolutional networks",
    )

    def __init__(self, in_channels: int, out_channels: int, *, add_self_loops: bool = True, bias: bool = True):
        super().__init__()
        self.in_channels, self.out_channels, self.add_self_loops = in_channels, out_channels, add_self_loops
        self.lin = Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        x_src, _, adjacency = ends_of(x, adj)
        self.lin.fit_width(x_src)
        if edge is not None:
            edge = edges_of(edge, adj, adjacency, ndim=1)
        is_pair = isinstance(x, tuple)
        if self.add_self_loops and not is_pair:
            looped = adjacency.with_self_loops()
            if edge is not None:
                loops = edge.new_ones(looped.num_edges - adjacency.num_edges)
                edge = torch.cat([edge, loops])[looped.edge_id]
            adjacency = looped
        return gcn_conv(x_src, adjacency, self.lin.weight, edge, is_bipartite=is_pair)

    def extra_repr(self) -> str:
        return f"add_self_loops={self.add_self_loops}"
