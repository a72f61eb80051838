"""Sparse node features give what the dense ones give, and are never made dense."""

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.nn.linear import dropout_features
from grapevine.ops.sparse import SparseMatrix
from tests.nn.cases import Pulled
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, bipartite, leaf, square

CHANNELS = 12
LAYERS = {
    "Linear": lambda c: gnn.Linear(c, 4),
    "MLP": lambda c: gnn.MLP([c, 8, 4]),
    "GCN": lambda c: gnn.GCNConv(c, 4),
    "GCN to more": lambda c: gnn.GCNConv(c, 2 * CHANNELS),
    "GCN weighted": lambda c: gnn.GCNConv(c, 4),
    "SAGE mean": lambda c: gnn.SAGEConv(c, 4),
    "SAGE sum": lambda c: gnn.SAGEConv(c, 4, aggregation="sum", normalize=True),
    "GAT": lambda c: gnn.GATConv(c, 4, heads=2),
    "GATv2": lambda c: gnn.GATv2Conv(c, 4, heads=2),
    "GNN": lambda c: gnn.GNN([gnn.GCNConv(c, 8), gnn.GATConv(8, 4)], residual=True),
}


@pytest.fixture(autouse=True)
def _never_dense(monkeypatch):
    def refuse(self):
        raise AssertionError("sparse features were made dense")

    monkeypatch.setattr(SparseMatrix, "to_dense", refuse)
    torch.manual_seed(0)


def features(num_rows: int, seed: int = 0) -> tuple[SparseMatrix, Tensor]:
    """Sparse features with an empty row, and the same as a dense leaf."""
    dense = leaf(num_rows, CHANNELS, seed=seed).detach()
    dense = (dense * (dense > 0.5)).index_fill(0, torch.tensor([2]), 0)
    sparse = SparseMatrix.from_torch(dense.to_sparse())
    return sparse.with_values(sparse.values.requires_grad_()), dense.requires_grad_()


def call(layer: nn.Module, name: str, x, adj) -> Tensor:
    if name == "Linear":
        return layer(x)
    return layer(x, adj, torch.linspace(0.1, 1, adj.num_edges).double()) if "weighted" in name else layer(x, adj)


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_sparse_equals_dense(name, is_open):
    (sparse, dense), adj = features(NUM_SRC), square()
    layer = LAYERS[name](-1 if is_open else CHANNELS).double()
    call(layer, name, sparse, adj)
    leaves = list(layer.parameters())
    assert_same(lambda: call(layer, name, sparse, adj), lambda: call(layer, name, dense, adj), leaves)

    weights = torch.randn(call(layer, name, dense, adj).shape, dtype=torch.float64)
    by_values, by_dense = (
        torch.autograd.grad((call(layer, name, x, adj) * weights).sum(), leaf)[0]
        for x, leaf in ((sparse, sparse.values), (dense, dense))
    )
    places = sparse.pattern.row_of.long(), sparse.pattern.indices.long()
    torch.testing.assert_close(by_values, by_dense[places])


@pytest.mark.parametrize("name", ["GCN", "SAGE mean", "SAGE sum", "GAT", "GATv2"])
def test_sparse_pairs(name):
    (src, dense_src), (dst, dense_dst), adj = features(NUM_SRC), features(NUM_DST, seed=1), bipartite()
    layer = LAYERS[name](CHANNELS).double()
    dense = dense_src, dense_dst
    assert_same(lambda: layer((src, dst), adj), lambda: layer(dense, adj), list(layer.parameters()))
    torch.testing.assert_close(layer((src, dense_dst), adj), layer(dense, adj))


def test_dropout_drops_stored_values():
    sparse, _ = features(NUM_SRC)
    network = gnn.GNN([gnn.GCNConv(CHANNELS, 8), gnn.GCNConv(8, 4)], input_dropout=0.5).double()
    adj = square()
    torch.manual_seed(1)
    out = network(sparse, adj)
    torch.manual_seed(1)
    dropped = dropout_features(sparse, 0.5, training=True)
    torch.testing.assert_close(out, network.eval()(dropped, adj))
    ratios = dropped.values / sparse.values
    assert set(ratios.tolist()) == {0.0, 2.0}


@pytest.mark.parametrize(
    "layer",
    [
        gnn.SAGEConv(CHANNELS, 4, aggregation="max"),
        gnn.SAGEConv(CHANNELS, 4, aggregation="pool"),
        gnn.SAGEConv(CHANNELS, 4, aggregation="lstm"),
        gnn.GINConv(gnn.MLP([CHANNELS, 4])),
        gnn.GINEConv(gnn.MLP([CHANNELS, 4])),
        Pulled(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_need_dense_features_say_so(layer):
    sparse, _ = features(NUM_SRC)
    with pytest.raises(InputError, match="dense features"):
        layer.double()(sparse, square())
