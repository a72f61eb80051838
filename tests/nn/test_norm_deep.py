"""PairNorm and DiffGroupNorm against their formulas and PyTorch Geometric's."""

import pytest
import torch

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.nn.compare import assert_same, leaf

SIZES = (4, 1, 6)


def batch() -> Graph:
    return Graph.batch([Graph([[], []], num_nodes=size) for size in SIZES])


def test_pair_norm_keeps_the_mean_distance_of_pairs():
    x = gnn.PairNorm(scale=1.5)(leaf(9, 4) * 7 + 3)
    pairs = torch.cdist(x, x).square().mean()
    assert pairs.item() == pytest.approx(2 * 1.5**2, rel=1e-5)
    assert x.mean(0).abs().max() < 1e-6


def test_pair_norm_is_of_each_graph_on_its_own():
    x, norm = leaf(sum(SIZES), 3), gnn.PairNorm()
    each = [norm(part) for part in x.split(list(SIZES))]
    torch.testing.assert_close(norm(x, batch().members), torch.cat(each))


def test_individual_scale_puts_all_nodes_on_a_sphere():
    x = gnn.PairNorm(scale=3.0, is_individual=True)(leaf(9, 4))
    torch.testing.assert_close(x.norm(dim=1), torch.full((9,), 3.0, dtype=torch.float64), rtol=1e-5, atol=0)


@pytest.mark.parametrize("is_individual", [False, True])
def test_pair_norm_equals_pyg(is_individual):
    pyg = pytest.importorskip("torch_geometric.nn")
    ours = gnn.PairNorm(scale=2.0, is_individual=is_individual, eps=1e-14)
    theirs = pyg.PairNorm(scale=2.0, scale_individually=is_individual, eps=1e-14)
    x = leaf(10, 3)
    graph = Graph.batch([Graph([[], []], num_nodes=size) for size in (4, 6)])  # a node alone is nought over nought
    assert_same(lambda: ours(x), lambda: theirs(x), [x], tolerance=1e-6)
    assert_same(lambda: ours(x, graph.members), lambda: theirs(x, graph.graph_id), [x], tolerance=1e-6)


def test_a_node_alone_becomes_zero_with_a_gradient():
    x = leaf(1, 3)
    for norm in (gnn.PairNorm(), gnn.PairNorm(is_individual=True)):
        out = norm(x)
        (gradient,) = torch.autograd.grad(out.sum(), x)
        assert out.abs().max() == 0
        assert gradient.isfinite().all()


@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_group_norm_equals_pyg(offset):
    pyg = pytest.importorskip("torch_geometric.nn")
    theirs = pyg.DiffGroupNorm(4, 3, lamda=0.7).double()
    torch.nn.init.uniform_(theirs.norm.weight)
    torch.nn.init.uniform_(theirs.norm.bias)
    ours = gnn.DiffGroupNorm(4, num_groups=3, balance=0.7).double()
    state = theirs.state_dict()
    ours.load_state_dict(
        {"lin.weight": state["lin.weight"]}
        | {name: state[f"norm.{name}"].reshape(3, 4) for name in ("weight", "bias", "running_mean")}
        | {"running_variance": state["norm.running_var"].reshape(3, 4)}
    )
    x = leaf(9, 4)
    for _ in range(2):
        assert_same(lambda: ours(x + offset), lambda: theirs(x + offset), [x], tolerance=1e-8)
    torch.testing.assert_close(ours.running_mean.flatten(), theirs.norm.running_mean)
    torch.testing.assert_close(ours.running_variance.flatten(), theirs.norm.running_var)
    ours.eval(), theirs.eval()
    assert_same(lambda: ours(x + offset), lambda: theirs(x + offset), [x], tolerance=1e-8)


def test_large_means_cost_no_digits():
    """In float32, states a thousand away from zero: E[x^2] - E[x]^2 would keep no digit of the variance."""
    torch.manual_seed(0)
    norm, x = gnn.DiffGroupNorm(4, num_groups=1, balance=1.0), torch.randn(500, 4) + 1000
    wanted = x + (x - x.mean(0)) / x.std(0, correction=0)
    torch.testing.assert_close(norm(x), wanted, rtol=0, atol=5e-3)


def test_no_nodes_and_one_node():
    norm = gnn.DiffGroupNorm(2)
    assert norm(torch.ones(0, 2)).shape == (0, 2)
    assert norm.running_mean.abs().max() == 0
    with pytest.raises(InputError, match="single node"):
        norm(torch.ones(1, 2))
    assert norm.eval()(torch.ones(1, 2)).isfinite().all()


@pytest.mark.parametrize("make", [lambda: gnn.PairNorm(), lambda: gnn.DiffGroupNorm(3)])
@pytest.mark.parametrize("x", [None, [[1.0, 2.0, 3.0]], torch.ones(8), torch.ones(8, 3).long()])
def test_wrong_input_is_named(make, x):
    with pytest.raises(InputError):
        make()(x)


def test_other_widths_are_named():
    with pytest.raises(InputError, match="columns"):
        gnn.DiffGroupNorm(3)(torch.ones(8, 2))
    with pytest.raises(InputError, match="num_groups"):
        gnn.DiffGroupNorm(3, num_groups=0)
