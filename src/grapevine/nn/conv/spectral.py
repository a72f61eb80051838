"""Spectral network: multiplication in the eigenbasis of one graph's Laplacian (Bruna et al. 2014).

H'_o = sum over i of U diag(g_oi(lambda)) U^T H_i,    L = U diag(lambda) U^T,    g_oi a cubic spline

The spline is one of the eigenvalue, not of its rank: nodes whose eigenvalues are equal are then multiplied alike, so
that the layer does not depend on the basis chosen among their eigenvectors unless the last of them are cut off.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, as_adjacency
from grapevine.graph.hash import mix
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.inputs import Edges, Ends
from grapevine.nn.conv.laplacian import Normalization, laplacian_matrix
from grapevine.nn.conv.matrix import one_set_of
from grapevine.nn.equation import Equation
from grapevine.nn.linear import check_channels

_DENSE_UP_TO = 1000  # nodes; above, the iteration for the lowest eigenvalues alone


@dataclass(frozen=True)
class Spectrum:
    """The lowest eigenvalues of a graph's Laplacian, rising, their eigenvectors, and which graph it is of."""

    values: Float[Tensor, " d"]
    vectors: Float[Tensor, "n d"]
    fingerprint: Tensor  # a number made of the edges


def laplacian_eigenvectors(
    adj: Edges,
    num: int | None = None,
    edge_weight: Float[Tensor, " e"] | None = None,
    *,
    normalization: Normalization = "sym",
) -> Spectrum:
    """The `num` lowest eigenvalues of the Laplacian and their eigenvectors, in float64; the signs are arbitrary.

    Args:
        adj: an Adjacency, a Graph or an edge_index tensor; every edge in both directions.
        num: how many, or None for all of them.
        edge_weight: [e] in the order of `adj`.
        normalization: "sym" for I - D^-1/2 A D^-1/2, "none" for D - A.

    Raises:
        InputError: if the edges do not go both ways with one weight, or there are fewer nodes than `num`.

    >>> spectrum = laplacian_eigenvectors(Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]]), 2)
    >>> spectrum.values.abs().round(decimals=4).tolist(), spectrum.vectors.shape
    ([0.0, 1.0], torch.Size([3, 2]))
    """
    matrix = laplacian_matrix(adj, edge_weight, normalization=normalization)
    size: int = matrix.shape[0]
    num = size if num is None else num
    check(isinstance(num, int) and 1 <= num <= size, f"num must lie in 1 .. {size}, the number of nodes, got {num!r}")
    values, vectors = _lowest(matrix, num)
    adjacency = as_adjacency(adj)
    device = adjacency.device
    there = [torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in (values, vectors)]
    return Spectrum(there[0], there[1], _fingerprints(adjacency, size).squeeze(0))


class SpectralConv(Conv):
    """Spectral network layer with smooth multipliers (Bruna et al. 2014), of ONE graph; it has no edge input.

    It takes the graph its eigenvectors are of, or a batch of that graph with itself, and refuses any other one. The
    eigenvectors are saved with the layer.

    Args:
        in_channels: input width.
        out_channels: output width.
        spectrum: what `laplacian_eigenvectors` gives; layers may share it.
        num_coefficients: learnt numbers a pair of channels: the multipliers at as many eigenvalues, evenly spaced from
            the lowest to the highest that is kept, with a cubic spline between them; at least 4.
        bias: add a bias.

    >>> graph = Adjacency([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> layer = SpectralConv(1, 1, laplacian_eigenvectors(graph), bias=False)
    >>> _ = nn.init.ones_(layer.weight)  # every multiplier is 1
    >>> layer(torch.tensor([[1.0], [2.0], [4.0]]), graph).round(decimals=3).tolist()
    [[1.0], [2.0], [4.0]]
    """

    equation: ClassVar[Equation] = Equation(
        name="Spectral network",
        message="g(L)_ij h_j, from every node of the graph",
        aggregation="sum",
        update="m_i + b, with g(L) = U diag(g(lambda)) U^T, one g for each pair of channels",
        edges="weights",
        readout="a fully connected layer over all nodes",
        cost="n k c + k c^2, k eigenvectors",
        power="depends on the basis",
        year=2014,
        paper="Bruna et al., Spectral networks and locally connected networks on graphs",
    )

    values: Tensor
    vectors: Tensor
    basis: Tensor
    fingerprint: Tensor

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        spectrum: Spectrum,
        *,
        num_coefficients: int = 8,
        bias: bool = True,
    ):
        super().__init__()
        check_channels("in_channels", in_channels)
        check_channels("out_channels", out_channels)
        check(num_coefficients >= 4, f"a cubic spline has at least 4 num_coefficients, got {num_coefficients}")
        check(isinstance(spectrum, Spectrum), "spectrum must be what laplacian_eigenvectors gives")
        self.in_channels, self.out_channels = in_channels, out_channels
        dtype = torch.get_default_dtype()
        self.register_buffer("values", spectrum.values.to(dtype))
        self.register_buffer("vectors", spectrum.vectors.to(dtype))
        self.register_buffer("basis", spline_basis(spectrum.values, num_coefficients).to(dtype))
        self.register_buffer("fingerprint", spectrum.fingerprint)
        self.weight = nn.Parameter(torch.empty(num_coefficients, out_channels, in_channels))
        for matrix in self.weight.detach():
            nn.init.xavier_uniform_(matrix)
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None

    def combine(self, x: Ends, adj: Edges, edge: Tensor | None = None) -> Tensor:
        check(
            edge is None, "SpectralConv's edge weights are those its eigenvectors were made of; ChebConv takes weights"
        )
        states, adjacency = one_set_of(x, adj, "SpectralConv")
        if not isinstance(states, Tensor):
            raise InputError("SpectralConv takes dense features; put a Linear layer in front of it, or use to_dense()")
        width = states.shape[1]
        check(width == self.in_channels, f"x must have {self.in_channels} columns, got shape {tuple(states.shape)}")
        self._check_graph(adjacency)
        copies = states.reshape(-1, self.vectors.shape[0], width)
        multiplier = torch.einsum("dq,qoi->doi", self.basis, self.weight)
        spectral = torch.einsum("nd,bni,doi->bdo", self.vectors, copies, multiplier)
        return (self.vectors @ spectral).flatten(0, 1)

    def _check_graph(self, adjacency: Adjacency) -> None:
        size = self.vectors.shape[0]
        is_same = adjacency.num_nodes % size == 0
        if is_same:
            is_same = bool((_fingerprints(adjacency, size) == self.fingerprint).all())
        if not is_same:
            came = f"{adjacency.num_nodes} nodes, {adjacency.num_edges} edges"
            raise InputError(
                f"this SpectralConv knows the eigenvectors of one graph of {size} nodes, and got another one ({came}):"
                " make a layer with that one's laplacian_eigenvectors, or take ChebConv, which is for any graph"
            )

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, num_eigenvectors={len(self.values)}"


def spline_basis(values: Float[Tensor, " d"], num_coefficients: int) -> Float[Tensor, "d q"]:
    """What each of the numbers at evenly spaced places adds to a cubic spline through them, at each of the values.

    Polynomials of degree 3 are met exactly.
    """
    at = values.detach().cpu().double().numpy()
    low, high = at.min(), at.max()
    places = np.linspace(low, high if high - low > 1e-9 else low + 1, num_coefficients)
    from scipy.interpolate import CubicSpline  # slow to import, and this layer alone needs it

    spline: Any = CubicSpline(places, np.eye(num_coefficients), bc_type="not-a-knot")
    return torch.from_numpy(spline(at)).to(values.device)


def _lowest(matrix: Any, num: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import eigh  # slow to import, and this layer alone needs it
    from scipy.sparse.linalg import eigsh

    size = matrix.shape[0]
    if size <= _DENSE_UP_TO or num > size // 3:
        return eigh(matrix.toarray(), subset_by_index=(0, num - 1))
    start = np.random.default_rng(0).standard_normal(size)  # a fixed one, so that two runs find the same bits
    values, vectors = eigsh(matrix, k=num, which="SA", v0=start)
    order = values.argsort()
    return values[order], vectors[:, order]


def _fingerprints(adjacency: Adjacency, size: int) -> Tensor:
    """[k] a number for each of the k graphs of `size` nodes side by side, of its edges in any order; 0 where an edge
    leads from one to another."""
    src, dst = adjacency.edge_index
    place = src // size
    total = torch.zeros(adjacency.num_nodes // size, dtype=torch.int64, device=src.device)
    total = total.index_add(0, place, mix(src % size * size + dst % size + 1))
    within = place == dst // size
    return total if bool(within.all()) else torch.zeros_like(total)
