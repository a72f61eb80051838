"""ARMAConv against PyTorch Geometric, its weights copied."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.conv.arma import ARMAConv
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)


def copied(theirs: torch.nn.Module, ours: ARMAConv) -> None:
    """Their [c, d] matrices a stack are our [k d, c] ones."""
    with torch.no_grad():
        ours.lin.weight.copy_(theirs.init_weight.transpose(1, 2).flatten(0, 1))
        for k, lin in enumerate(ours.lins_skip):
            lin.weight.copy_(theirs.root_weight[k].transpose(1, 2).flatten(0, 1))
            lin.bias.copy_(theirs.bias[k].flatten())
        for k, weight in enumerate(ours.weights):
            weight.copy_(theirs.weight[k])


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("stacks", "layers"), [(1, 1), (3, 1), (2, 3)])
@pytest.mark.parametrize("in_channels", [2, 9])
def test_pyg(stacks, layers, shared, in_channels):
    pyg = pytest.importorskip("torch_geometric.nn")
    torch.manual_seed(0)
    options = {"num_stacks": stacks, "num_layers": layers, "shared_weights": shared}
    theirs = pyg.ARMAConv(in_channels, 3, **options, act=torch.nn.functional.elu).double()
    torch.nn.init.uniform_(theirs.bias)
    ours = ARMAConv(in_channels, 3, **options, activation="elu").double()
    copied(theirs, ours)
    x, weight = leaf(NUM_SRC, in_channels), leaf(EDGES.shape[1], seed=3).detach().abs().requires_grad_()
    assert_same(lambda: ours(x, EDGES), lambda: theirs(x, EDGES), [x])
    assert_same(lambda: ours(x, EDGES, weight), lambda: theirs(x, EDGES, weight), [x, weight])


def test_sparse_features_are_the_dense_ones():
    x = torch.randn(NUM_SRC, 6) * (torch.rand(NUM_SRC, 6) < 0.3)
    layer = ARMAConv(6, 4, num_stacks=2, num_layers=2)
    torch.testing.assert_close(layer(SparseMatrix.from_torch(x.to_sparse()), EDGES), layer(x, EDGES))


def test_dropout_is_on_the_skips_in_training():
    """All of the input dropped where it comes in again: only the first product is left."""
    x = leaf(NUM_SRC, 3)
    layer = ARMAConv(3, 4, dropout=1.0, activation="none", bias=False).double()
    plain = layer.eval()(x, EDGES)
    without = plain - x @ layer.lins_skip[0].weight.T
    torch.testing.assert_close(layer.train()(x, EDGES), without)


def test_wrong_input_is_named():
    x = torch.ones(3, 2)
    with pytest.raises(InputError, match="num_layers must be a positive number"):
        ARMAConv(2, 2, num_layers=0)
    with pytest.raises(InputError, match="not a pair"):
        ARMAConv(2, 2)((x, x), torch.tensor([[0], [1]]))
