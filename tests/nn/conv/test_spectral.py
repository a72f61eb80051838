"""SpectralConv against its dense formula, ChebConv and SciPy's eigenvectors; other graphs are refused."""

import pytest
import torch
from numpy.polynomial import chebyshev

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv import spectral
from grapevine.nn.conv.cheb import ChebConv
from grapevine.nn.conv.spectral import SpectralConv, laplacian_eigenvectors, spline_basis
from tests.nn.compare import assert_same, leaf
from tests.nn.conv.dense import dense_adjacency, dense_laplacian, symmetric_edges, symmetric_weights

NODES = 12
EDGES = symmetric_edges(NODES, 20)
GRAPH = Adjacency(EDGES, NODES)


@pytest.fixture(autouse=True)
def _in_float64():
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("num", [None, 5])
def test_dense_formula(num):
    """sum over i of U diag(g_oi) U^T x_i, channel pair by channel pair."""
    spectrum = laplacian_eigenvectors(GRAPH, num)
    layer = SpectralConv(3, 2, spectrum, num_coefficients=6)
    x = leaf(NODES, 3)

    def dense() -> torch.Tensor:
        basis, vectors = spline_basis(spectrum.values, 6), spectrum.vectors
        columns = []
        for o in range(2):
            total = 0
            for i in range(3):
                multiplier = basis @ layer.weight[:, o, i]
                total = total + vectors @ torch.diag(multiplier) @ vectors.T @ x[:, i]
            columns.append(total + layer.bias[o])
        return torch.stack(columns, dim=1)

    assert_same(lambda: layer(x, GRAPH), dense, [x, *layer.parameters()])


@pytest.mark.parametrize("is_weighted", [False, True])
def test_multipliers_that_are_a_polynomial_are_chebconv(is_weighted):
    """All eigenvectors, and at the spline's places the values of sum_k W_k T_k; a cubic spline meets K = 4 exactly."""
    weight = symmetric_weights(EDGES)[GRAPH.edge_id] if is_weighted else None
    cheb = ChebConv(3, 2, 4, lambda_max=2)
    spectrum = laplacian_eigenvectors(GRAPH, edge_weight=weight)
    layer = SpectralConv(3, 2, spectrum, num_coefficients=7)
    places = torch.linspace(spectrum.values[0].item(), spectrum.values[-1].item(), 7)
    with torch.no_grad():
        of_places = [torch.from_numpy(chebyshev.Chebyshev.basis(k)((places - 1).numpy())) for k in range(4)]
        terms = [at[:, None, None] * lin.weight for at, lin in zip(of_places, cheb.lins, strict=True)]
        layer.weight.copy_(torch.stack(terms).sum(0))
    x = leaf(NODES, 3)
    edge = () if weight is None else (weight,)
    torch.testing.assert_close(layer(x, GRAPH), cheb(x, GRAPH, *edge), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("normalization", ["sym", "none"])
def test_eigenvectors_are_those_of_the_laplacian(normalization, monkeypatch):
    whole = dense_laplacian(dense_adjacency(EDGES, NODES), normalization)
    wanted = torch.linalg.eigvalsh(whole)
    for limit in (1000, 0):  # all at once, and by iteration
        monkeypatch.setattr(spectral, "_DENSE_UP_TO", limit)
        spectrum = laplacian_eigenvectors(GRAPH, 4, normalization=normalization)
        torch.testing.assert_close(spectrum.values, wanted[:4], rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(whole @ spectrum.vectors, spectrum.vectors * spectrum.values, rtol=1e-8, atol=1e-8)
        torch.testing.assert_close(spectrum.vectors.T @ spectrum.vectors, torch.eye(4), rtol=1e-8, atol=1e-8)


def test_equal_eigenvalues_are_multiplied_alike():
    """On a ring each eigenvalue but two comes twice: any basis of their eigenvectors gives one output."""
    ring = torch.stack([torch.arange(8), (torch.arange(8) + 1) % 8])
    graph = Adjacency(torch.cat([ring, ring.flip(0)], dim=1))
    spectrum = laplacian_eigenvectors(graph)
    turned = spectrum.vectors.clone()
    angle = torch.tensor(0.7)
    first, second = turned[:, 1].clone(), turned[:, 2].clone()
    assert torch.isclose(spectrum.values[1], spectrum.values[2])
    turned[:, 1], turned[:, 2] = angle.cos() * first - angle.sin() * second, angle.sin() * first + angle.cos() * second
    layers = [
        SpectralConv(2, 2, spectral.Spectrum(spectrum.values, v, spectrum.fingerprint))
        for v in (spectrum.vectors, turned)
    ]
    layers[1].weight.data = layers[0].weight.data
    x = leaf(8, 2)
    torch.testing.assert_close(layers[0](x, graph), layers[1](x, graph))


def test_a_batch_of_the_one_graph_is_each_alone():
    layer = SpectralConv(3, 2, laplacian_eigenvectors(GRAPH))
    graphs = [Graph(GRAPH, x=leaf(NODES, 3, seed=k).detach()) for k in range(3)]
    batch = Graph.batch(graphs)
    torch.testing.assert_close(layer(batch.x, batch), torch.cat([layer(graph.x, graph) for graph in graphs]))


def test_other_graphs_are_refused():
    layer, x = SpectralConv(3, 2, laplacian_eigenvectors(GRAPH)), torch.ones(NODES, 3)
    more = torch.cat([EDGES, EDGES[:, :1]], dim=1)
    renumbered = NODES - 1 - EDGES
    for other in (more, EDGES[:, 2:], renumbered):
        with pytest.raises(InputError, match="ChebConv, which is for any graph"):
            layer(x, other)
    with pytest.raises(InputError, match=f"one graph of {NODES} nodes"):
        layer(torch.ones(NODES + 1, 3), Adjacency(EDGES, NODES + 1))
    crossed = torch.cat([EDGES, EDGES + NODES], dim=1)
    crossed[0, 0] += NODES
    with pytest.raises(InputError, match="got another one"):
        layer(torch.ones(2 * NODES, 3), crossed)
    shuffled = EDGES[:, torch.randperm(EDGES.shape[1])]
    torch.testing.assert_close(layer(x, shuffled), layer(x, EDGES))
    with pytest.raises(InputError, match="ChebConv takes weights"):
        layer(x, EDGES, torch.ones(EDGES.shape[1]))
    with pytest.raises(InputError, match="both directions"):
        laplacian_eigenvectors(torch.tensor([[0], [1]]))
    with pytest.raises(InputError, match=f"1 .. {NODES}"):
        laplacian_eigenvectors(GRAPH, NODES + 1)
    with pytest.raises(InputError, match="at least 4"):
        SpectralConv(3, 2, laplacian_eigenvectors(GRAPH), num_coefficients=3)


def test_a_graph_without_edges():
    graph = Adjacency(torch.zeros(2, 0, dtype=torch.long), 3)
    layer = SpectralConv(2, 2, laplacian_eigenvectors(graph))
    assert layer(torch.ones(3, 2), graph).isfinite().all()
