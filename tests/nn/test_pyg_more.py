"""More of PyTorch Geometric's layers, their weights loaded into ours: the same outputs and gradients to 1e-5."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.nn.interop import load_pyg
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, leaf, random_edges

pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")
Pair = tuple[Callable[[], nn.Module], Callable[[], nn.Module]]


def edge_map(in_channels: int = 3) -> nn.Sequential:
    """What their NNConv makes matrices of 5 edge features with."""
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, in_channels * 4))


# Made by Laplacians, on graphs that hold both directions of every edge.
SPECTRAL: dict[str, Pair] = {
    "ChebNet": (lambda: pyg.ChebConv(3, 4, 3), lambda: gnn.ChebConv(3, 4, 3)),
    "ChebNet narrower": (lambda: pyg.ChebConv(3, 2, 4), lambda: gnn.ChebConv(3, 2, 4)),
    "ChebNet of one term, no bias": (
        lambda: pyg.ChebConv(3, 4, 1, bias=False),
        lambda: gnn.ChebConv(3, 4, 1, bias=False),
    ),
    "ChebNet open": (lambda: pyg.ChebConv(3, 4, 3), lambda: gnn.ChebConv(-1, 4, 3)),
    "SGC": (lambda: pyg.SGConv(3, 4, K=2), lambda: gnn.SGConv(3, 4, K=2)),
    "SGC narrower": (lambda: pyg.SGConv(3, 2, K=3), lambda: gnn.SGConv(3, 2, K=3)),
    "SGC no loops, no bias": (
        lambda: pyg.SGConv(3, 4, K=2, add_self_loops=False, bias=False),
        lambda: gnn.SGConv(3, 4, K=2, add_self_loops=False, bias=False),
    ),
}
EDGE_NETWORKS: dict[str, Pair] = {
    "sum": (
        lambda: pyg.NNConv(3, 4, edge_map(), aggr="add"),
        lambda: gnn.EdgeNetworkConv(3, 4, 5, hidden_channels=6),
    ),
    "mean": (
        lambda: pyg.NNConv(3, 4, edge_map(), aggr="mean"),
        lambda: gnn.EdgeNetworkConv(3, 4, 5, hidden_channels=6, aggregation="mean"),
    ),
    "no root, no bias": (
        lambda: pyg.NNConv(3, 4, edge_map(), root_weight=False, bias=False),
        lambda: gnn.EdgeNetworkConv(3, 4, 5, hidden_channels=6, root_weight=False, bias=False),
    ),
}


def loaded(pair: Pair) -> tuple[nn.Module, nn.Module]:
    """Their layer with random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs, ours = pair[0]().eval(), pair[1]().eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.uniform_(-1, 1)
    load_pyg(ours, theirs.state_dict())
    return theirs, ours


def state(*shape: int, seed: int = 0) -> Tensor:
    return leaf(*shape, dtype=torch.float32, seed=seed)


def both_ways() -> tuple[Tensor, Tensor]:
    """Every edge with its edge back, some of them twice, and one loop at two nodes; and weights, the same both ways."""
    edges = random_edges(NUM_SRC, NUM_SRC)
    is_loop = edges[0] == edges[1]
    weight = 0.1 + state(edges.shape[1], seed=3).detach().abs()
    back = edges[:, ~is_loop].flip(0)  # theirs takes several loops of a node for one
    return torch.cat([edges, back], dim=1), torch.cat([weight, weight[~is_loop]])


@pytest.mark.parametrize("has_weights", [False, True])
@pytest.mark.parametrize("pair", SPECTRAL.values(), ids=SPECTRAL)
def test_spectral(pair, has_weights):
    theirs, ours = loaded(pair)
    x, (edges, weight) = state(NUM_SRC, 3), both_ways()
    weights = (weight,) if has_weights else ()
    assert_same(lambda: ours(x, edges, *weights), lambda: theirs(x, edges, *weights), [x], tolerance=1e-5)


@pytest.mark.parametrize("pair", EDGE_NETWORKS.values(), ids=EDGE_NETWORKS)
def test_edge_network(pair):
    theirs, ours = loaded(pair)
    x, edges = state(NUM_SRC, 3), random_edges(NUM_SRC, NUM_SRC)
    edge = state(edges.shape[1], 5, seed=3)
    assert_same(lambda: ours(x, edges, edge), lambda: theirs(x, edges, edge), [x, edge], tolerance=1e-5)


def test_edge_network_between_two_sets():
    pair: Pair = (
        lambda: pyg.NNConv((3, 7), 4, edge_map()),
        lambda: gnn.EdgeNetworkConv((3, 7), 4, 5, hidden_channels=6),
    )
    theirs, ours = loaded(pair)
    x, edges = (state(NUM_SRC, 3), state(NUM_DST, 7, seed=1)), random_edges(NUM_SRC, NUM_DST)
    edge = state(edges.shape[1], 5, seed=3)
    assert_same(lambda: ours(x, edges, edge), lambda: theirs(x, edges, edge), [*x, edge], tolerance=1e-5)


def test_what_does_not_fit_is_named():
    deeper = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 12))
    for theirs, ours, message in (
        (pyg.ChebConv(3, 4, 3), gnn.ChebConv(3, 4, 2), "unknown: lins.2.weight"),
        (pyg.SGConv(3, 4), gnn.SGConv(3, 4, bias=False), "unknown: lin.bias"),
        (pyg.NNConv(3, 4, deeper), gnn.EdgeNetworkConv(3, 4, 5, hidden_channels=6), "unknown: nn.4.weight"),
        (pyg.NNConv(3, 4, edge_map()), gnn.EdgeNetworkConv(3, 4, 5), r"nn.0.weight: shape \(6, 5\), here \(128, 5\)"),
        (
            pyg.NNConv(3, 4, edge_map()),
            gnn.EdgeNetworkConv(3, 4, 5, hidden_channels=6, both_directions=True),
            "missing: networks.1.hidden.0.weight",
        ),
    ):
        with pytest.raises(InputError, match=message):
            load_pyg(ours, theirs.state_dict())
