"""GCNIIConv and GCNII against PyTorch Geometric's GCN2Conv, the dense formula and the plain equation."""

import math

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn import GCNII, GCNIIConv
from grapevine.nn.conv.gcnii import identity_share
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges
from tests.nn.conv.dense import gcn_matrix

EDGES = random_edges(NUM_SRC, NUM_SRC)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("layer", "theta"), [(1, 0.5), (7, 1.5)])
def test_pyg(shared, layer, theta):
    pyg = pytest.importorskip("torch_geometric.nn")
    theirs = pyg.GCN2Conv(5, alpha=0.2, theta=theta, layer=layer, shared_weights=shared).double()
    ours = GCNIIConv(5, alpha=0.2, beta=identity_share(layer, theta), shared_weights=shared).double()
    state = theirs.state_dict()  # their maps stand on the right of the states, ours on the left
    named = {"weight": state["weight1"].T} | ({} if shared else {"first_weight": state["weight2"].T})
    ours.load_state_dict(named)
    x, first, weight = leaf(NUM_SRC, 5), leaf(NUM_SRC, 5, seed=4), leaf(EDGES.shape[1], seed=3).detach().abs()
    assert_same(lambda: ours.combine(x, EDGES, first=first), lambda: theirs(x, first, EDGES), [x, first])
    weight.requires_grad_()
    assert_same(
        lambda: ours.combine(x, EDGES, weight, first=first),
        lambda: theirs(x, first, EDGES, weight),
        [x, first, weight],
    )


@pytest.mark.parametrize("shared", [True, False])
def test_the_dense_formula(shared):
    layer, x, first = (
        GCNIIConv(4, alpha=0.3, beta=0.25, shared_weights=shared).double(),
        leaf(NUM_SRC, 4),
        leaf(NUM_SRC, 4),
    )
    heard, eye = gcn_matrix(EDGES, NUM_SRC) @ x, torch.eye(4, dtype=torch.float64)
    maps = [0.75 * eye + 0.25 * (layer.weight if w is None else w).T for w in (layer.weight, layer.first_weight)]
    wanted = 0.7 * heard @ maps[0] + 0.3 * first @ maps[1]
    torch.testing.assert_close(layer.combine(x, EDGES, first=first), wanted)


def test_without_a_start_the_states_are_the_start():
    layer, x = GCNIIConv(4, alpha=0.3).double(), leaf(NUM_SRC, 4)
    assert torch.equal(layer(x, EDGES), layer.combine(x, EDGES, first=x))


def test_the_encoder_is_its_layers_one_after_another():
    network, x = GCNII(5, 3, hidden_channels=4, num_layers=6, alpha=0.2, strength=0.7).double(), leaf(NUM_SRC, 5)
    matrix, first = gcn_matrix(EDGES, NUM_SRC), (x @ network.lin_in.weight.T + network.lin_in.bias).relu()
    h, states = first, network.all_states(x, EDGES)
    torch.testing.assert_close(states[1], first)
    for number, layer in enumerate(network.layers, 1):
        beta = math.log(0.7 / number + 1)
        mixed = 0.8 * matrix @ h + 0.2 * first
        h = ((1 - beta) * mixed + beta * mixed @ layer.weight.T).relu()
        torch.testing.assert_close(states[number + 1], h)
    torch.testing.assert_close(network(x, EDGES), h @ network.lin_out.weight.T + network.lin_out.bias)
    assert len(states) == 9


def test_deep_states_stay_apart():
    """With random weights, 64 layers: what GCN loses and GCNII keeps."""
    torch.manual_seed(0)
    graph, x = Adjacency(torch.stack([torch.arange(40), (torch.arange(40) + 1) % 40])), torch.randn(40, 8)
    out = GCNII(8, 8, hidden_channels=16, num_layers=64).eval().all_states(x, graph)[-2]
    assert out.std(0).mean() / out.abs().mean() > 0.3


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NUM_SRC, 6) * (torch.rand(NUM_SRC, 6) < 0.3)
    network = GCNII(6, 2, hidden_channels=4, num_layers=2)
    torch.testing.assert_close(network(SparseMatrix.from_torch(x.to_sparse()), EDGES), network(x, EDGES))


def test_training_drops_out_as_much_as_is_asked():
    network, x = GCNII(5, 3, num_layers=2, dropout=0.5, input_dropout=0.0), torch.randn(NUM_SRC, 5)
    torch.manual_seed(0)
    once = network(x, EDGES)
    torch.manual_seed(0)
    assert torch.equal(once, network(x, EDGES))
    assert not torch.equal(once, network(x, EDGES))
    states = network.all_states(x, EDGES)
    assert torch.equal(states[1], network.eval().all_states(x, EDGES)[1])  # the start itself is not dropped out
    assert network.input_dropout == 0


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: GCNIIConv(3, alpha=1.5), "alpha is a share"),
        (lambda: GCNIIConv(3, beta=-0.1), "beta is a share"),
        (lambda: GCNIIConv(0), "channels"),
        (lambda: identity_share(0), "counted from 1"),
        (lambda: identity_share(1, -1.0), "strength"),
        (lambda: GCNIIConv(3)((torch.ones(9, 3), torch.ones(9, 3)), EDGES), "not a pair"),
        (lambda: GCNIIConv(3)(torch.ones(9, 4), EDGES), "columns"),
        (lambda: GCNIIConv(3).combine(torch.ones(9, 3), EDGES, first=torch.ones(8, 3)), "first"),
        (lambda: GCNIIConv(3)(SparseMatrix.from_torch(torch.eye(9)[:, :3].to_sparse()), EDGES), "dense"),
        (lambda: GCNII(3, 2, num_layers=0), "num_layers"),
    ],
)
def test_wrong_input_is_named(make, match):
    with pytest.raises(InputError, match=match):
        make()
