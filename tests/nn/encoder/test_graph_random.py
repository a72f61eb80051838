"""GRAND with random propagation against its dense formula; what is hidden, and in which order it is computed."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn import GraphRandomNetwork, drop_node
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, leaf, random_edges
from tests.nn.conv.dense import gcn_matrix

EDGES = random_edges(NUM_SRC, NUM_SRC)


def by_hand(network: GraphRandomNetwork, x: torch.Tensor) -> torch.Tensor:
    """MLP(1 / (K + 1) sum over k of P^k x)."""
    matrix = gcn_matrix(EDGES, NUM_SRC)
    powers = [torch.linalg.matrix_power(matrix, k) for k in range(network.num_steps + 1)]
    spread = sum(powers) @ x / len(powers)
    first, last = network.layers
    return (spread @ first.weight.T + first.bias).relu() @ last.weight.T + last.bias


@pytest.mark.parametrize("num_steps", [1, 4])
def test_the_dense_formula(num_steps):
    network, x = GraphRandomNetwork(5, 3, hidden_channels=4, num_steps=num_steps).double().eval(), leaf(NUM_SRC, 5)
    torch.nn.init.uniform_(network.layers[0].bias)
    torch.testing.assert_close(network(x, EDGES), by_hand(network, x))


@pytest.mark.parametrize("input_dropout", [0.0, 1e-12])
def test_either_order_hides_the_same_nodes(input_dropout):
    """Spread and map change places where nothing is dropped out between them."""
    network, x = GraphRandomNetwork(5, 3, dropout=0.0, input_dropout=input_dropout).double(), leaf(NUM_SRC, 5)
    torch.manual_seed(3)
    out = network(x, EDGES)
    torch.manual_seed(3)
    hidden = drop_node(x, 0.5)
    assert 0 < int((hidden == 0).all(1).sum()) < NUM_SRC
    torch.testing.assert_close(out, by_hand(network, hidden))


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NUM_SRC, 6) * (torch.rand(NUM_SRC, 6) < 0.3)
    sparse = SparseMatrix.from_torch(x.to_sparse())
    for network in (
        GraphRandomNetwork(6, 2).eval(),
        GraphRandomNetwork(6, 2, drop_node=0.0, dropout=0.0, input_dropout=0.1),
    ):
        results = []
        for given in (sparse, x):
            torch.manual_seed(0)
            results.append(network(given, EDGES))
        torch.testing.assert_close(*results)


def test_batch_norm_is_of_the_hidden_states():
    network, x = GraphRandomNetwork(5, 3, hidden_channels=4, batch_norm=True, dropout=0.0).double(), leaf(NUM_SRC, 5)
    hidden = network.all_states(x, EDGES)[1]
    assert hidden.min() >= 0
    assert network.norm.norm.running_mean.abs().max() > 0


@pytest.mark.parametrize(("options", "match"), [({"num_steps": 0}, "num_steps"), ({"drop_node": 1.0}, "below 1")])
def test_wrong_options_are_named(options, match):
    with pytest.raises(InputError, match=match):
        GraphRandomNetwork(5, 3, **options)
