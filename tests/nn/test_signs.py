"""Columns whose sign means nothing: drawn for each graph in training, read by SignNet alike, sparse as dense."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import OnColumns, RandomSigns, SignNet
from grapevine.ops.sparse import SparseMatrix, beside

RING = Graph([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])


def test_signs_are_drawn_for_each_graph_and_column():
    batch, vectors = Graph.batch([RING, RING, RING]), torch.randn(12, 40)
    layer = RandomSigns()
    signs = (layer(vectors, batch) / vectors).reshape(3, 4, 40)
    assert torch.equal(signs, signs[:, :1].expand(3, 4, 40))
    assert set(signs.flatten().tolist()) == {-1.0, 1.0}
    assert len({tuple(row) for row in signs[:, 0].tolist()}) == 3
    assert not torch.equal(layer(vectors, batch), layer(vectors, batch))
    assert torch.equal(layer.eval()(vectors, batch), vectors)


@pytest.mark.parametrize("network", [RandomSigns(), SignNet(2)], ids=["flips", "SignNet"])
def test_sparse_columns_are_treated_as_dense_ones(network):
    features = torch.tensor([[1.0, 0, 0], [0, 0, 0], [0, 2, 0], [3, 0, 0]])
    vectors = torch.tensor([[0.5, 0.0], [-0.5, 0.1], [0.5, 0.2], [0.0, 0.3]])
    x = beside(SparseMatrix.from_torch(features.to_sparse()), vectors)
    layer = OnColumns(3, 2, network)
    torch.manual_seed(1)
    dense = layer(torch.cat([features, vectors], 1), RING)
    torch.manual_seed(1)
    sparse = layer(x, RING)
    assert isinstance(sparse, SparseMatrix)
    torch.testing.assert_close(sparse.to_dense(), dense)
    assert torch.equal(dense[:, :3], features)
    turned = SparseMatrix(x.pattern.transposed.transposed, x.values)  # whose values stand in another order
    torch.manual_seed(1)
    torch.testing.assert_close(layer(turned, RING).to_dense(), dense)
    for p in network.parameters():
        p.grad = None
    (sparse @ torch.randn(5, 3)).square().sum().backward() if list(network.parameters()) else None
    assert all(p.grad is not None for p in network.parameters())


def test_columns_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="x must have 6 columns"):
        OnColumns(4, 2, RandomSigns())(torch.zeros(4, 5), RING)
    holes = SparseMatrix.from_torch(torch.eye(4).to_sparse())
    with pytest.raises(InputError, match="must be stored"):
        OnColumns(2, 2, RandomSigns())(holes, RING)
    with pytest.raises(InputError, match="columns must be there"):
        OnColumns(0, 0, RandomSigns())
    with pytest.raises(InputError, match="2 columns, got 3"):
        SignNet(2)(torch.zeros(4, 3), RING)


def test_sign_net_is_its_equation():
    network, vectors = SignNet(3, 5, hidden_channels=6, phi_channels=2, num_layers=2), torch.randn(4, 3)
    with torch.no_grad():
        network.eps.copy_(torch.tensor([0.3, -0.2]))
    dense = torch.zeros(4, 4)
    src, dst = RING.adj.edge_index
    dense[dst, src] = 1

    def phi(v):
        h = v[:, None]
        for layer, eps in zip(network.phi, network.eps, strict=True):
            h = layer(dense @ h + (1 + eps) * h)
        return h

    expected = network.rho(torch.cat([phi(v) + phi(-v) for v in vectors.T], 1))
    torch.testing.assert_close(network(vectors, RING), expected)
    for signs in ([-1.0, 1, 1], [1, -1, -1]):
        torch.testing.assert_close(network(vectors * torch.tensor(signs), RING), expected)
    assert not torch.allclose(network(vectors.abs(), RING), expected)  # how signs of nodes differ still counts
