"""APPNP against PyTorch Geometric's, the dense formula, and the PageRank that it walks towards."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn import APPNP
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges
from tests.nn.conv.dense import gcn_matrix

EDGES = random_edges(NUM_SRC, NUM_SRC)


def predicted(network: APPNP, x: torch.Tensor) -> torch.Tensor:
    hidden, last = network.layers
    return (x @ hidden.weight.T + hidden.bias).relu() @ last.weight.T + last.bias


@pytest.mark.parametrize("alpha", [0.0, 0.1, 1.0])
def test_pyg(alpha):
    pyg = pytest.importorskip("torch_geometric.nn")
    network, walk = APPNP(5, 3, hidden_channels=[4], num_steps=6, alpha=alpha).double(), pyg.APPNP(K=6, alpha=alpha)
    x, weight = leaf(NUM_SRC, 5), leaf(EDGES.shape[1], seed=3).detach().abs().requires_grad_()
    assert_same(lambda: network(x, EDGES), lambda: walk(predicted(network, x), EDGES), [x])
    inputs = [x, weight] if alpha < 1 else [x]
    assert_same(lambda: network(x, EDGES, weight), lambda: walk(predicted(network, x), EDGES, weight), inputs)


def test_many_steps_are_personalised_pagerank():
    """Z = alpha (I - (1 - alpha) P)^-1 H, equation 3 of the paper."""
    network, x = APPNP(5, 3, hidden_channels=[4], num_steps=200, alpha=0.2).double(), leaf(NUM_SRC, 5)
    matrix = torch.eye(NUM_SRC, dtype=torch.float64) - 0.8 * gcn_matrix(EDGES, NUM_SRC)
    torch.testing.assert_close(network(x, EDGES), 0.2 * torch.linalg.solve(matrix, predicted(network, x)))


@pytest.mark.parametrize("weighted", [False, True])
def test_dropped_edges_are_right_on_the_average(weighted):
    """One step is linear in P, so its mean is the step without dropout."""
    torch.manual_seed(0)
    network, x = APPNP(5, 3, hidden_channels=[4], num_steps=1, edge_dropout=0.5), torch.randn(NUM_SRC, 5)
    weight = [torch.rand(EDGES.shape[1])] if weighted else []
    with torch.no_grad():
        wanted = network.eval()(x, EDGES, *weight)
        draws = torch.stack([network.train()(x, EDGES, *weight) for _ in range(4000)])
    assert not torch.equal(draws[0], draws[1])
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - wanted).abs() < 5 * error + 1e-6).all()


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NUM_SRC, 6) * (torch.rand(NUM_SRC, 6) < 0.3)
    network = APPNP(6, 2)
    torch.testing.assert_close(network(SparseMatrix.from_torch(x.to_sparse()), EDGES), network(x, EDGES))


def test_no_hidden_layer_is_a_linear_model():
    network, x = APPNP(5, 3, hidden_channels=[], num_steps=1, alpha=1.0).double(), leaf(NUM_SRC, 5)
    torch.testing.assert_close(network(x, EDGES), x @ network.layers[0].weight.T + network.layers[0].bias)


def test_states_are_the_hidden_ones_the_answers_and_each_step():
    network = APPNP(5, 3, hidden_channels=[8, 4], num_steps=3)
    assert [s.shape[1] for s in network.all_states(torch.ones(NUM_SRC, 5), EDGES)] == [5, 8, 4, 3, 3, 3, 3]


@pytest.mark.parametrize(
    ("options", "match"),
    [({"alpha": 2.0}, "alpha"), ({"num_steps": 0}, "num_steps"), ({"hidden_channels": [0]}, "out_channels")],
)
def test_wrong_options_are_named(options, match):
    with pytest.raises(InputError, match=match):
        APPNP(5, 3, **options)
