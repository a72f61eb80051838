"""The matrices of a graph that layers multiply by several times.

D^-1/2 A D^-1/2    and    2 L / lambda_max - I,    L = I - D^-1/2 A D^-1/2  or  D - A
"""

from dataclasses import dataclass
from functools import reduce
from operator import mul

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn.conv.gcn import normalised
from grapevine.nn.conv.inputs import Edges, Ends, edges_of, ends_of
from grapevine.nn.conv.laplacian import Normalization
from grapevine.nn.linear import Features
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce
from grapevine.ops.spmm import spmm


@dataclass(frozen=True)
class GraphMatrix:
    """row_scale_i weight_ij col_scale_j at the edges, and diagonal_i; what is None is 1, on the diagonal 0."""

    pattern: Pattern
    weight: Float[Tensor, " e"] | None = None
    row_scale: Float[Tensor, " n"] | None = None
    col_scale: Float[Tensor, " n"] | None = None
    diagonal: Float[Tensor, "n 1"] | None = None

    def times(self, x: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """The product with x, in one pass over the edges."""
        out = spmm(self.pattern, x, self.weight, row_scale=self.row_scale, col_scale=self.col_scale)
        return out if self.diagonal is None else torch.addcmul(out, self.diagonal, x)


def gcn_matrix(
    adjacency: Adjacency, edge_weight: Float[Tensor, " e"] | None, dtype: torch.dtype, *, scale: float = 1.0
) -> GraphMatrix:
    """scale D^-1/2 A D^-1/2, D the (weighted) in-degrees.

    >>> gcn_matrix(Adjacency([[0, 1], [1, 0]]), None, torch.float32).times(torch.eye(2)).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    if edge_weight is not None:
        weight = normalised(adjacency, edge_weight, False)
        return GraphMatrix(adjacency.pattern, weight if scale == 1 else scale * weight)
    src_scale, dst_scale = adjacency.gcn_scale(dtype)
    return GraphMatrix(adjacency.pattern, None, dst_scale if scale == 1 else scale * dst_scale, src_scale)


def edge_numbers(matrix: GraphMatrix) -> Float[Tensor, " e"]:
    """What stands in the matrix at each edge.

    >>> edge_numbers(gcn_matrix(Adjacency([[0, 1], [1, 0]]), None, torch.float32)).tolist()
    [1.0, 1.0]
    """
    pattern, factors = matrix.pattern, [] if matrix.weight is None else [matrix.weight]
    if matrix.row_scale is not None:
        factors.append(gather(pattern, matrix.row_scale, side="rows"))
    if matrix.col_scale is not None:
        factors.append(gather(pattern, matrix.col_scale, side="cols"))
    return reduce(mul, factors) if factors else torch.ones(pattern.num_entries, device=pattern.device)


def weighed_edges(
    adj: Edges, adjacency: Adjacency, edge: Tensor | None, *, add_self_loops: bool
) -> tuple[Adjacency, Tensor | None]:
    """The adjacency, with a loop at every node that has none if so asked, and its weights, those of new loops 1.

    Raises:
        InputError: unless `edge` is [e] weights in the order of `adj`, or None.
    """
    edge = None if edge is None else edges_of(edge, adj, adjacency, ndim=1)
    if not add_self_loops:
        return adjacency, edge
    looped = adjacency.with_self_loops()
    if edge is None:
        return looped, None
    return looped, torch.cat([edge, edge.new_ones(looped.num_edges - adjacency.num_edges)])[looped.edge_id]


def scaled_laplacian(
    bare: Adjacency,
    edge_weight: Float[Tensor, " e"] | None,
    lambda_max: float | Float[Tensor, " n"],
    *,
    normalization: Normalization = "sym",
    dtype: torch.dtype,
) -> GraphMatrix:
    """2 L / lambda_max - I of an adjacency without self-loops; lambda_max is one number, or one for each node.

    >>> laplacian = scaled_laplacian(Adjacency([[0, 1], [1, 0]]), None, 2.0, dtype=torch.float32)
    >>> laplacian.times(torch.tensor([[1.0], [3.0]])).tolist()
    [[-3.0], [-1.0]]
    """
    step = _two_over(lambda_max, bare, dtype)
    if normalization == "sym":
        is_plain = not isinstance(lambda_max, Tensor) and lambda_max == 2
        diagonal = None if is_plain else (step - 1).unsqueeze(1)
        matrix = gcn_matrix(bare, edge_weight, dtype)
        row_scale = -step if matrix.row_scale is None else -step * matrix.row_scale
        return GraphMatrix(bare.pattern, matrix.weight, row_scale, matrix.col_scale, diagonal)
    if edge_weight is None:
        degree = bare.in_degree.to(dtype)
    else:
        degree = segment_reduce(bare.pattern, edge_weight, reduce="sum")
    return GraphMatrix(bare.pattern, edge_weight, -step, None, (step * degree - 1).unsqueeze(1))


def one_set_of(x: Ends, adj: Edges, layer: str) -> tuple[Features, Adjacency]:
    """The states and the adjacency of a layer whose sources and targets are the same nodes.

    Raises:
        InputError: for a pair of states.
    """
    if isinstance(x, tuple):
        raise InputError(f"{layer} goes more than one hop and takes one set of nodes, not a pair of states")
    states, _, adjacency = ends_of(x, adj)
    return states, adjacency


def _two_over(lambda_max: float | Tensor, bare: Adjacency, dtype: torch.dtype) -> Float[Tensor, " n"]:
    """2 / lambda_max for each node, and 0 for 0, where L is 0 too."""
    if not isinstance(lambda_max, Tensor):
        return torch.full((bare.num_nodes,), 2 / lambda_max, dtype=dtype, device=bare.device)
    wide = lambda_max.detach().double()
    return (2 / wide.where(wide > 0, 1)).where(wide > 0, 0).to(dtype)
