"""SGConv against PyTorch Geometric and a power of the dense matrix; its cache is only used for what it was made of."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.conv.sgc import SGConv
from grapevine.nn.gnn import GNN
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)


@pytest.mark.parametrize("options", [{}, {"K": 3}, {"K": 2, "add_self_loops": False}])
@pytest.mark.parametrize("widths", [(3, 5), (5, 3)])
def test_pyg(widths, options):
    pyg = pytest.importorskip("torch_geometric.nn")
    theirs, ours = pyg.SGConv(*widths, **options).double(), SGConv(*widths, **options).double()
    torch.nn.init.uniform_(theirs.lin.bias)
    state = theirs.state_dict()
    ours.load_state_dict({"lin.weight": state["lin.weight"], "bias": state["lin.bias"]})
    x, weight = leaf(NUM_SRC, widths[0]), leaf(EDGES.shape[1], seed=3).detach().abs().requires_grad_()
    assert_same(lambda: ours(x, EDGES), lambda: theirs(x, EDGES), [x])
    assert_same(lambda: ours(x, EDGES, weight), lambda: theirs(x, EDGES, weight), [x, weight])


def test_a_power_of_the_dense_matrix():
    matrix = torch.eye(NUM_SRC, dtype=torch.float64)
    for j, i in EDGES.T.tolist():
        if i != j:
            matrix[i, j] += 1
    for k in (1, 2):  # which have a loop already
        matrix[k, k] = sum(1 for j, i in EDGES.T.tolist() if i == j == k)
    scale = matrix.sum(1) ** -0.5
    matrix = scale[:, None] * matrix * scale
    layer, x = SGConv(3, 2, 3).double(), leaf(NUM_SRC, 3)
    wanted = torch.linalg.matrix_power(matrix, 3) @ x @ layer.lin.weight.T
    torch.testing.assert_close(layer(x, EDGES), wanted)


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NUM_SRC, 6) * (torch.rand(NUM_SRC, 6) < 0.3)
    sparse = SparseMatrix.from_torch(x.to_sparse())
    layer = SGConv(6, 4, 2)
    torch.testing.assert_close(layer(sparse, EDGES), layer(x, EDGES))
    with pytest.raises(InputError, match="of dense features"):
        SGConv(6, 4, 2, cached=True)(sparse, EDGES)


def hops(layer: SGConv, monkeypatch) -> list[int]:
    """Counts how often S^K x is made."""
    count, make = [], layer._hops
    monkeypatch.setattr(layer, "_hops", lambda *given: (count.append(1), make(*given))[1])
    return count


@pytest.mark.parametrize("as_tensor", [False, True])
def test_the_cache_serves_what_it_was_made_of_and_nothing_else(as_tensor, monkeypatch):
    plain, cached = SGConv(3, 4, 2), SGConv(3, 4, 2, cached=True)
    cached.load_state_dict(plain.state_dict())
    count = hops(cached, monkeypatch)
    x, weight = torch.randn(NUM_SRC, 3), torch.rand(EDGES.shape[1])
    graph = Graph(EDGES, num_nodes=NUM_SRC)
    adj = EDGES.clone() if as_tensor else graph
    other = EDGES.flip(0) if as_tensor else Graph(EDGES.flip(0), num_nodes=NUM_SRC)

    def check(made: int, *given) -> None:
        torch.testing.assert_close(cached(*given), plain(*given))
        assert len(count) == made

    with torch.no_grad():
        check(1, x, adj)
    check(1, x, adj)
    check(2, x, adj, weight)
    check(2, x, adj, weight)
    check(3, x, other)
    check(4, x.clone(), other)
    check(5, x, adj)
    x += 1  # in place: the same object, and other features
    check(6, x, adj)
    weighted = weight.clone().requires_grad_()
    check(7, x, adj, weighted)
    check(8, x, adj, weighted)
    if as_tensor:
        adj[0, 0] = (adj[0, 0] + 1) % NUM_SRC
        check(9, x, adj)


def test_what_is_kept_in_inference_is_trained_on():
    layer, x, graph = SGConv(3, 4, 2, cached=True), torch.randn(NUM_SRC, 3), Graph(EDGES, num_nodes=NUM_SRC)
    with torch.inference_mode():
        before = layer(x, graph)
    after = layer(x, graph)
    after.sum().backward()
    assert torch.equal(before, after)
    assert layer.lin.weight.grad is not None
    network = GNN([layer, SGConv(4, 2)], input_dropout=0.5)
    first, second = network(x, graph), network(x, graph)  # dropout makes other features each time
    assert not torch.equal(first, second)
