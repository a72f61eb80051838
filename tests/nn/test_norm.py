"""Normalisations against their formulas on every graph of a batch, and against PyTorch Geometric's."""

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Graph
from tests.nn.compare import assert_same, leaf

SIZES = (4, 1, 0, 3)
EPS = 1e-5


def batch() -> Graph:
    return Graph.batch([Graph(torch.zeros(2, 0).long(), num_nodes=size) for size in SIZES])


def moved(norm: nn.Module) -> nn.Module:
    """The norm in float64, its parameters no longer 1 and 0."""
    torch.manual_seed(0)
    for parameter in norm.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    return norm.double()


def graph_norm(norm: gnn.GraphNorm, x: Tensor) -> Tensor:
    shifted = x - norm.mean_share * x.mean(0)
    return norm.weight * shifted / ((shifted**2).mean(0) + EPS).sqrt() + norm.bias


def test_graph_norm():
    norm, x, graph = moved(gnn.GraphNorm(3)), leaf(sum(SIZES), 3), batch()
    leaves = [x, *norm.parameters()]

    def by_graph() -> Tensor:
        return torch.cat([graph_norm(norm, part) for part in x.split(SIZES) if len(part)])

    assert_same(lambda: norm(x, graph.members), by_graph, leaves)
    assert_same(lambda: norm(x), lambda: graph_norm(norm, x), leaves)


def test_layer_norm():
    norm, x = moved(gnn.LayerNorm(3)), leaf(5, 3)

    def formula() -> Tensor:
        shifted = x - x.mean(1, keepdim=True)
        return norm.norm.weight * shifted / ((shifted**2).mean(1, keepdim=True) + EPS).sqrt() + norm.norm.bias

    assert_same(lambda: norm(x, batch().members), formula, [x, *norm.parameters()])


def test_batch_norm():
    norm, x = moved(gnn.BatchNorm(3)), leaf(5, 3)

    def formula() -> Tensor:
        shifted = x - x.mean(0)
        return norm.norm.weight * shifted / ((shifted**2).mean(0) + EPS).sqrt() + norm.norm.bias

    assert_same(lambda: norm(x, batch().members), formula, [x, *norm.parameters()])


def test_batch_norm_remembers_what_it_saw():
    norm, x = gnn.BatchNorm(2).double(), 3 + 2 * leaf(1000, 2).detach()
    for _ in range(100):
        norm(x)
    torch.testing.assert_close(norm.eval()(x), (x - x.mean(0)) / x.std(0), rtol=1e-3, atol=1e-3)


def test_batch_norm_of_no_nodes_remembers_nothing():
    norm = gnn.BatchNorm(2)
    assert norm(torch.ones(0, 2)).shape == (0, 2)
    assert norm.norm.running_mean.isfinite().all()
    assert norm.norm.running_var.isfinite().all()


def test_equals_pyg():
    pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")
    ours, theirs, x, graph = moved(gnn.GraphNorm(3)), pyg.GraphNorm(3).double(), leaf(sum(SIZES), 3), batch()
    names = {"weight": ours.weight, "bias": ours.bias, "mean_scale": ours.mean_share}
    theirs.load_state_dict({name: parameter.detach() for name, parameter in names.items()})
    pairs = [(ours, theirs)]
    for our_kind, their_norm in ((gnn.BatchNorm, pyg.BatchNorm(3)), (gnn.LayerNorm, pyg.LayerNorm(3, mode="node"))):
        ours = moved(our_kind(3))
        inner = their_norm.module if our_kind is gnn.BatchNorm else their_norm
        inner.load_state_dict(ours.norm.state_dict())
        pairs.append((ours, their_norm.double()))
    for ours, theirs in pairs:
        arguments = (x, graph.graph_id, graph.num_graphs) if isinstance(ours, gnn.GraphNorm) else (x,)
        assert_same(lambda o=ours: o(x, graph.members), lambda t=theirs, a=arguments: t(*a), [x], tolerance=1e-8)


@pytest.mark.parametrize("make", [gnn.GraphNorm, gnn.BatchNorm, gnn.LayerNorm])
@pytest.mark.parametrize("x", [None, [[1.0, 2.0, 3.0]], torch.ones(8, 2), torch.ones(8), torch.ones(8, 3).long()])
def test_wrong_input_is_named(make, x):
    with pytest.raises(InputError):
        make(3)(x, batch().members)


def test_members_of_other_nodes_are_named():
    with pytest.raises(InputError, match="8"):
        gnn.GraphNorm(3)(torch.ones(5, 3), batch().members)
