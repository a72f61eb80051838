"""PyTorch Geometric's layers, their weights loaded into ours: the same outputs and input gradients to 1e-5."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.nn.interop import load_pyg
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, leaf, random_edges

pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")


@dataclass(frozen=True)
class Peers:
    """Their layer and ours; edge_channels is 0 for weights, None for no edge input."""

    theirs: Callable[[], nn.Module]
    ours: Callable[[], nn.Module]
    edge_channels: int | None = None


def dense(out_channels: int = 4) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 8), nn.ELU(), nn.Linear(8, out_channels))


SQUARE = {
    "GCN": Peers(lambda: pyg.GCNConv(3, 4), lambda: gnn.GCNConv(3, 4)),
    "GCN weighted": Peers(lambda: pyg.GCNConv(3, 4), lambda: gnn.GCNConv(3, 4), 0),
    "GCN no loops, no bias": Peers(
        lambda: pyg.GCNConv(3, 4, add_self_loops=False, bias=False),
        lambda: gnn.GCNConv(3, 4, add_self_loops=False, bias=False),
        0,
    ),
    "GCN open": Peers(lambda: pyg.GCNConv(3, 4), lambda: gnn.GCNConv(-1, 4)),
    "SAGE mean": Peers(lambda: pyg.SAGEConv(3, 4), lambda: gnn.SAGEConv(3, 4)),
    "SAGE sum": Peers(
        lambda: pyg.SAGEConv(3, 4, aggr="sum", bias=False), lambda: gnn.SAGEConv(3, 4, aggregation="sum", bias=False)
    ),
    "SAGE max": Peers(
        lambda: pyg.SAGEConv(3, 4, aggr="max", root_weight=False),
        lambda: gnn.SAGEConv(3, 4, aggregation="max", root_weight=False),
    ),
    "SAGE pool": Peers(
        lambda: pyg.SAGEConv(3, 4, aggr="max", project=True), lambda: gnn.SAGEConv(3, 4, aggregation="pool")
    ),
    "SAGE normalize": Peers(lambda: pyg.SAGEConv(3, 4, normalize=True), lambda: gnn.SAGEConv(3, 4, normalize=True)),
    "GAT": Peers(lambda: pyg.GATConv(3, 4), lambda: gnn.GATConv(3, 4)),
    "GAT concat": Peers(lambda: pyg.GATConv(3, 4, heads=3), lambda: gnn.GATConv(3, 4, heads=3)),
    "GAT average, no bias": Peers(
        lambda: pyg.GATConv(3, 4, heads=3, concat=False, bias=False),
        lambda: gnn.GATConv(3, 4, heads=3, concat=False, bias=False),
    ),
    "GAT no loops": Peers(
        lambda: pyg.GATConv(3, 4, heads=2, add_self_loops=False, negative_slope=0.1),
        lambda: gnn.GATConv(3, 4, heads=2, add_self_loops=False, negative_slope=0.1),
    ),
    "GAT edges": Peers(
        lambda: pyg.GATConv(3, 4, heads=2, edge_dim=5), lambda: gnn.GATConv(3, 4, heads=2, edge_channels=5), 5
    ),
    "GAT two maps": Peers(lambda: pyg.GATConv((3, 3), 4, heads=2), lambda: gnn.GATConv((3, 3), 4, heads=2)),
    "GATv2": Peers(lambda: pyg.GATv2Conv(3, 4, heads=2), lambda: gnn.GATv2Conv(3, 4, heads=2)),
    "GATv2 average, no bias": Peers(
        lambda: pyg.GATv2Conv(3, 4, heads=3, concat=False, bias=False),
        lambda: gnn.GATv2Conv(3, 4, heads=3, concat=False, bias=False),
    ),
    "GATv2 edges": Peers(
        lambda: pyg.GATv2Conv(3, 4, heads=2, edge_dim=5), lambda: gnn.GATv2Conv(3, 4, heads=2, edge_channels=5), 5
    ),
    "GATv2 one map, no loops": Peers(
        lambda: pyg.GATv2Conv(3, 4, heads=2, share_weights=True, add_self_loops=False),
        lambda: gnn.GATv2Conv(3, 4, heads=2, share_weights=True, add_self_loops=False),
    ),
    "GATv2 open": Peers(lambda: pyg.GATv2Conv(3, 4), lambda: gnn.GATv2Conv(-1, 4)),
    "GIN": Peers(lambda: pyg.GINConv(dense(), eps=0.3), lambda: gnn.GINConv(dense(), eps=0.1)),
    "GIN learnt eps": Peers(lambda: pyg.GINConv(dense(), train_eps=True), lambda: gnn.GINConv(dense(), train_eps=True)),
    "GINE": Peers(lambda: pyg.GINEConv(dense(), eps=0.3), lambda: gnn.GINEConv(dense()), 3),
    "GINE edge map": Peers(
        lambda: pyg.GINEConv(dense(), train_eps=True, edge_dim=5),
        lambda: gnn.GINEConv(dense(), train_eps=True, in_channels=3, edge_channels=5),
        5,
    ),
}

BIPARTITE = {
    "SAGE mean": Peers(lambda: pyg.SAGEConv((3, 5), 4), lambda: gnn.SAGEConv((3, 5), 4)),
    "SAGE sum": Peers(lambda: pyg.SAGEConv((3, 5), 4, aggr="sum"), lambda: gnn.SAGEConv((3, 5), 4, aggregation="sum")),
    "SAGE pool": Peers(
        lambda: pyg.SAGEConv((3, 5), 4, aggr="max", project=True, normalize=True),
        lambda: gnn.SAGEConv((3, 5), 4, aggregation="pool", normalize=True),
    ),
    "GAT": Peers(
        lambda: pyg.GATConv((3, 5), 4, heads=2, add_self_loops=False), lambda: gnn.GATConv((3, 5), 4, heads=2)
    ),
    "GAT edges, average": Peers(
        lambda: pyg.GATConv((3, 5), 4, heads=2, concat=False, edge_dim=2, add_self_loops=False),
        lambda: gnn.GATConv((3, 5), 4, heads=2, concat=False, edge_channels=2),
        2,
    ),
    "GATv2": Peers(
        lambda: pyg.GATv2Conv((3, 5), 4, heads=2, add_self_loops=False), lambda: gnn.GATv2Conv((3, 5), 4, heads=2)
    ),
    "GATv2 edges": Peers(
        lambda: pyg.GATv2Conv((3, 5), 4, heads=2, edge_dim=2, add_self_loops=False),
        lambda: gnn.GATv2Conv((3, 5), 4, heads=2, edge_channels=2),
        2,
    ),
    "GIN": Peers(lambda: pyg.GINConv(dense(), eps=0.3), lambda: gnn.GINConv(dense())),
    "GINE": Peers(
        lambda: pyg.GINEConv(dense(), edge_dim=2),
        lambda: gnn.GINEConv(dense(), in_channels=3, edge_channels=2),
        2,
    ),
}


def loaded(peers: Peers) -> tuple[nn.Module, nn.Module]:
    """Their layer with random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs, ours = peers.theirs().eval(), peers.ours().eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.uniform_(-1, 1)
    load_pyg(ours, theirs.state_dict())
    return theirs, ours


def edge_input(channels: int | None, count: int) -> tuple[Tensor, ...]:
    """Nothing, weights or features, as the last argument of a call."""
    if channels is None:
        return ()
    shape = (count, channels) if channels else (count,)
    return ((0.1 + leaf(*shape, dtype=torch.float32, seed=3).detach().abs()).requires_grad_(),)


def assert_equal_layers(peers: Peers, x: Tensor | tuple[Tensor, Tensor], edges: Tensor) -> None:
    theirs, ours = loaded(peers)
    edge = edge_input(peers.edge_channels, edges.shape[1])
    leaves = [*(x if isinstance(x, tuple) else (x,)), *edge]
    assert_same(lambda: ours(x, edges, *edge), lambda: theirs(x, edges, *edge), leaves, tolerance=1e-5)


def states(*shapes: tuple[int, int]) -> list[Tensor]:
    return [leaf(*shape, dtype=torch.float32, seed=k) for k, shape in enumerate(shapes)]


@pytest.mark.parametrize("name", SQUARE)
def test_square(name):
    (x,) = states((NUM_SRC, 3))
    assert_equal_layers(SQUARE[name], x, random_edges(NUM_SRC, NUM_SRC))


@pytest.mark.parametrize("name", BIPARTITE)
def test_bipartite(name):
    dst_channels = 3 if name.startswith("GIN") else 5
    x_src, x_dst = states((NUM_SRC, 3), (NUM_DST, dst_channels))
    assert_equal_layers(BIPARTITE[name], (x_src, x_dst), random_edges(NUM_SRC, NUM_DST))


def test_gcn_between_two_sets_of_nodes():
    """Theirs refuses a pair, so ours is held to the formula: D_dst^-1/2 A D_src^-1/2 X W^T + b."""
    x, x_dst = states((NUM_SRC, 3), (NUM_DST, 3))
    edges = random_edges(NUM_SRC, NUM_DST)
    layer = gnn.GCNConv(3, 4)
    nn.init.uniform_(layer.bias)
    dense_adj = torch.zeros(NUM_DST, NUM_SRC).index_put((edges[1], edges[0]), torch.ones(()), accumulate=True)
    dst_scale, src_scale = (dense_adj.sum(dim).clamp(min=1).rsqrt() for dim in (1, 0))
    matrix = dst_scale.unsqueeze(1) * dense_adj * src_scale
    with pytest.raises(ValueError, match="bipartite"):
        pyg.GCNConv(3, 4)((x, x_dst), edges)
    wanted = matrix @ x @ layer.lin.weight.T + layer.bias
    torch.testing.assert_close(layer((x, x_dst), edges), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("is_pair", [False, True])
def test_lstm(is_pair):
    """All targets hear three sources: theirs reads the zeros it pads shorter rows with, ours stops before them."""
    num_dst = NUM_DST if is_pair else NUM_SRC
    dst = torch.arange(num_dst).repeat(3)
    edges = torch.stack([torch.randint(NUM_SRC, dst.shape, generator=torch.Generator().manual_seed(0)), dst])
    x_src, x_dst = states((NUM_SRC, 3), (NUM_DST, 5))
    channels = (3, 5) if is_pair else 3
    peers = Peers(lambda: pyg.SAGEConv(channels, 4, aggr="lstm"), lambda: gnn.SAGEConv(channels, 4, aggregation="lstm"))
    order = dst.argsort(stable=True)  # theirs wants them sorted
    assert_equal_layers(peers, (x_src, x_dst) if is_pair else x_src, edges[:, order])


def test_a_state_that_does_not_fit_is_named_and_changes_nothing():
    layer = gnn.GATConv(3, 4, heads=2)
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    state = pyg.GATConv(3, 4, heads=2, edge_dim=5).state_dict()
    state |= {"lin.weight": torch.ones(3, 8), "more.bias": torch.ones(8)}
    del state["bias"]
    with pytest.raises(InputError) as raised:
        load_pyg(layer, state)
    listed = str(raised.value).split("GATConv: ")[1].split("; ")
    assert sorted(listed) == [
        "lin.weight: shape (3, 8), here (8, 3)",
        "missing: bias",
        "unknown: att_edge",
        "unknown: lin_edge.weight",
        "unknown: more.bias",
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in layer.state_dict().items())


def test_options_of_theirs_that_ours_lack_are_named():
    for theirs, ours, message in (
        (pyg.GATConv(3, 4, residual=True), gnn.GATConv(3, 4), "unknown: res.weight"),
        (pyg.SAGEConv(3, 4), gnn.SAGEConv(3, 4, aggregation="pool"), "missing: lin_pool.weight"),
        (pyg.GCNConv(3, 4, bias=False), gnn.GCNConv(3, 4), "missing: bias"),
        (pyg.GCNConv(3, 4), gnn.GCNConv(-1, 5), r"lin.weight: shape \(4, 3\), here \(5, 3\)"),
    ):
        with pytest.raises(InputError, match=message):
            load_pyg(ours, theirs.state_dict())


def test_only_known_layers_are_loaded():
    with pytest.raises(InputError, match="GINEConv, not MLP"):
        load_pyg(gnn.MLP([2, 2]), {})
