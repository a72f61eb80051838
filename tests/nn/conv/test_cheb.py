"""ChebConv against a dense polynomial of the Laplacian, PyTorch Geometric, and what it can not tell apart."""

import numpy as np
import pytest
import scipy.sparse.csgraph
import torch
from numpy.polynomial import chebyshev

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv import laplacian
from grapevine.nn.conv.cheb import ChebConv
from grapevine.nn.conv.laplacian import laplacian_matrix, largest_eigenvalues
from grapevine.nn.gnn import GNN
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import assert_same, leaf
from tests.nn.conv.dense import dense_adjacency, dense_laplacian, symmetric_edges, symmetric_weights

NODES = 10
EDGES = symmetric_edges(NODES, 16)


def polynomial(laplacian: torch.Tensor, k: int) -> torch.Tensor:
    """T_k of a symmetric matrix, by its eigenvalues and cos(k arccos)."""
    values, vectors = torch.linalg.eigh(laplacian)
    of_values = torch.from_numpy(chebyshev.Chebyshev.basis(k)(values.numpy()))
    return vectors @ torch.diag(of_values) @ vectors.T


@pytest.mark.parametrize("normalization", ["sym", "none"])
@pytest.mark.parametrize("widths", [(3, 5), (5, 3)])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_dense_polynomial(normalization, widths, is_weighted):
    torch.manual_seed(0)
    x = leaf(NODES, widths[0])
    weight = symmetric_weights(EDGES) if is_weighted else None
    whole = dense_laplacian(dense_adjacency(EDGES, NODES, weight), normalization)
    lambda_max = torch.linalg.eigvalsh(whole)[-1].item()
    layer = ChebConv(*widths, 5, normalization=normalization, lambda_max="computed").double()
    torch.nn.init.uniform_(layer.bias)
    scaled = 2 * whole / lambda_max - torch.eye(NODES, dtype=torch.float64)

    def dense() -> torch.Tensor:
        terms = [polynomial(scaled, k) @ x @ lin.weight.T for k, lin in enumerate(layer.lins)]
        return torch.stack(terms).sum(0) + layer.bias

    edge = () if weight is None else (weight,)
    assert_same(lambda: layer(x, EDGES, *edge), dense, [x, *layer.parameters()])


@pytest.mark.parametrize("given", [None, 1.7])
@pytest.mark.parametrize("widths", [(3, 5), (5, 3)])
def test_pyg(widths, given):
    pyg = pytest.importorskip("torch_geometric.nn")
    theirs = pyg.ChebConv(*widths, 4).double()
    ours = ChebConv(*widths, 4, lambda_max=given).double()
    torch.nn.init.uniform_(theirs.bias)
    ours.load_state_dict(theirs.state_dict())
    options = {} if given is None else {"lambda_max": torch.tensor(given, dtype=torch.float64)}
    # One weight for both directions: they take the degrees of the sources, we those of the targets.
    _, pair = EDGES.sort(0).values.unique(dim=1, return_inverse=True)
    x, weight = leaf(NODES, widths[0]), (0.5 + leaf(pair.max() + 1).detach().abs()).requires_grad_()
    loops = torch.tensor([[0, 3], [0, 3]])  # which count for neither
    edges = torch.cat([EDGES, loops], dim=1)

    def weighted(layer: torch.nn.Module, **options: torch.Tensor) -> torch.Tensor:
        return layer(x, edges, torch.cat([weight[pair], weight.new_ones(2)]), **options)

    assert_same(lambda: ours(x, edges), lambda: theirs(x, edges, **options), [x])
    assert_same(lambda: weighted(ours), lambda: weighted(theirs, **options), [x, weight])


def test_a_lambda_for_each_graph_of_a_batch():
    pyg = pytest.importorskip("torch_geometric.nn")
    graphs = [Graph(symmetric_edges(n, n, seed=n), x=leaf(n, 3, seed=n).detach()) for n in (5, 8, 6)]
    graphs = [graph.replace(graph={"lambda_max": largest_eigenvalues(graph)}) for graph in graphs]
    batch = Graph.batch(graphs)
    theirs, ours = pyg.ChebConv(3, 4, 3).double(), ChebConv(3, 4, 3, lambda_max="graph").double()
    ours.load_state_dict(theirs.state_dict())
    lambda_max = torch.cat([graph.graph["lambda_max"] for graph in graphs])
    wanted = theirs(batch.x, batch.adj.edge_index, batch=batch.graph_id, lambda_max=lambda_max)
    torch.testing.assert_close(ours(batch.x, batch), wanted)
    computed = ChebConv(3, 4, 3, lambda_max="computed").double()
    computed.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(computed(batch.x, batch), wanted)
    with pytest.raises(InputError, match="needs a Graph with graph="):
        ours(batch.x, batch.adj)


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NODES, 6) * (torch.rand(NODES, 6) < 0.3)
    for width in (4, 8):
        layer = ChebConv(6, width, 3)
        torch.testing.assert_close(layer(SparseMatrix.from_torch(x.to_sparse()), EDGES), layer(x, EDGES))


def test_clenshaw_keeps_no_polynomials_for_the_backward():
    """Beside x and the weights nothing as large as an input is saved, whatever K is."""
    x, layer = leaf(NODES, 8), ChebConv(8, 2, 6).double()
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (saved.append(t), t)[1], lambda t: t):
        layer(x, Adjacency(EDGES, NODES))
    states = {tensor.data_ptr() for tensor in saved if tensor.is_floating_point() and tensor.shape[:1] == (NODES,)}
    assert sum(tensor.shape == (NODES, 2) for tensor in saved) == 0
    assert x.data_ptr() in states


def test_the_laplacian_is_scipys():
    matrix = dense_adjacency(EDGES, NODES)
    connected = matrix.sum(1) > 0
    for kind in ("sym", "none"):
        ours = torch.from_numpy(laplacian_matrix(Adjacency(EDGES, NODES), normalization=kind).toarray())
        theirs = torch.from_numpy(scipy.sparse.csgraph.laplacian(matrix.numpy(), normed=kind == "sym"))
        torch.testing.assert_close(ours[connected], theirs[connected])
        torch.testing.assert_close(ours, dense_laplacian(matrix, kind))


def test_largest_eigenvalue_by_iteration_is_that_of_the_whole(monkeypatch):
    graph = Graph(symmetric_edges(60, 150))
    for kind in ("sym", "none"):
        whole = largest_eigenvalues(graph, normalization=kind)
        with monkeypatch.context() as patch:
            patch.setattr(laplacian, "_DENSE_UP_TO", 0)
            torch.testing.assert_close(largest_eigenvalues(graph, normalization=kind), whole)
    bipartite = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])  # its largest is 2, the bound
    assert np.isclose(largest_eigenvalues(bipartite).item(), 2)


def test_regular_graphs_of_two_degrees_look_alike():
    """A hexagon and K_3,3, with one feature for all: 1-WL tells them apart by their degrees, this layer does not."""
    ring = [(k, (k + 1) % 6) for k in range(6)]
    complete = [(a, b) for a in range(3) for b in range(3, 6)]
    layers = [ChebConv(2, 4, 4), ChebConv(4, 4, 4)]
    network, outputs = GNN(layers), []
    for pairs in (ring, complete):
        edges = torch.tensor(pairs).T
        outputs.append(network(torch.ones(6, 2), torch.cat([edges, edges.flip(0)], dim=1)))
    torch.testing.assert_close(*outputs)


def test_wrong_input_is_named():
    x = torch.ones(3, 2)
    edges = torch.tensor([[0], [1]])
    for call, message in (
        (lambda: ChebConv(2, 2, 0), "K must be a positive number"),
        (lambda: ChebConv(2, 2, 2, normalization="none"), "give lambda_max"),
        (lambda: ChebConv(2, 2, 2, lambda_max=-1), "must be positive"),
        (lambda: ChebConv(2, 2, 2)((x, x), edges), "not a pair"),
        (lambda: ChebConv(2, 2, 2)(x, edges, torch.ones(1, 2)), "edge must have 1 dim"),
        (lambda: ChebConv(2, 2, 2, lambda_max="computed")(x, edges), "both directions"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    weight = torch.ones(2, requires_grad=True)
    with pytest.raises(InputError, match="has no gradient"):
        ChebConv(2, 2, 2, lambda_max="computed")(x, torch.tensor([[0, 1], [1, 0]]), weight)
