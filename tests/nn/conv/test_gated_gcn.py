"""GatedGCNConv against the equations of Dwivedi et al. written edge by edge."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn.conv.gated_gcn import GatedGCNConv
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges, square

ADJ = square()


def by_edge(layer: GatedGCNConv, x: torch.Tensor, edge: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The sums over edges one at a time; norms by PyTorch's batch norm."""
    width, ends = layer.in_channels, ADJ.edge_index.T.tolist()
    a, b, c = layer.lin_gate.weight.split([width, width, layer.edge_channels], dim=1)
    seen = torch.stack([a @ x[i] + b @ x[j] + c @ edge[p] + layer.lin_gate.bias for p, (j, i) in enumerate(ends)])
    heard = []
    for i in range(len(x)):
        gates = [(seen[p].sigmoid(), j) for p, (j, k) in enumerate(ends) if k == i]
        total = sum((gate for gate, _ in gates), torch.zeros(layer.out_channels, dtype=x.dtype)) + 1e-6
        value = torch.zeros(layer.out_channels, dtype=x.dtype)
        for gate, j in gates:
            value = value + gate / total * layer.lin_value(x[j : j + 1])[0]
        heard.append(layer.lin_own(x[i : i + 1])[0] + value)
    outputs = []
    for new, old, norm in ((torch.stack(heard), x, layer.norm_node), (seen, edge, layer.norm_edge)):
        if not isinstance(norm, torch.nn.Identity):
            new = (new - new.mean(0)) / (new.var(0, correction=0) + 1e-5).sqrt() * norm.norm.weight + norm.norm.bias
        new = new.relu()
        outputs.append(old + new if layer.residual and old.shape == new.shape else new)
    return outputs[0], outputs[1]


@pytest.mark.parametrize(
    ("widths", "options"),
    [
        ((4, 4, 4), {}),
        ((3, 5, 2), {}),
        ((4, 4, 4), {"batch_norm": False, "residual": False}),
        ((4, 4, 2), {"batch_norm": False}),
    ],
)
def test_edge_by_edge(widths, options):
    torch.manual_seed(0)
    in_channels, out_channels, edge_channels = widths
    layer = GatedGCNConv(in_channels, out_channels, edge_channels=edge_channels, **options).double()
    torch.nn.init.uniform_(layer.lin_gate.bias)
    x, edge = leaf(NUM_SRC, in_channels), leaf(ADJ.num_edges, edge_channels, seed=1)
    for part in (0, 1):
        assert_same(lambda k=part: layer(x, ADJ, edge)[k], lambda k=part: by_edge(layer, x, edge)[k], [x, edge])


def test_beside_an_edge_index_edges_stay_in_its_order():
    edges = random_edges(NUM_SRC, NUM_SRC)
    adj = Adjacency(edges, NUM_SRC)
    layer, x, edge = GatedGCNConv(4, 4), torch.randn(NUM_SRC, 4), torch.randn(edges.shape[1], 4)
    new_x, new_edge = layer(x, edges, edge)
    wanted_x, wanted_edge = layer(x, adj, edge[adj.edge_id])
    torch.testing.assert_close(new_x, wanted_x)
    torch.testing.assert_close(new_edge[adj.edge_id], wanted_edge)


def test_a_training_step_without_edges():
    layer = GatedGCNConv(3, 3)
    x, edge = layer(torch.randn(4, 3), torch.zeros(2, 0, dtype=torch.long), torch.zeros(0, 3))
    assert x.isfinite().all()
    assert edge.shape == (0, 3)


def test_wrong_input_is_named():
    x, edges, edge = torch.ones(3, 4), torch.tensor([[0], [1]]), torch.ones(1, 4)
    layer = GatedGCNConv(4, 4)
    for call, message in (
        (lambda: layer((x, x), edges, edge), "not a pair"),
        (lambda: layer(x, edges, None), "needs states of the edges"),
        (lambda: layer(x, edges, torch.ones(1, 3)), "edge must have 4 columns"),
        (lambda: layer(x, edges, torch.ones(2, 4)), "row for each of the 1 edges"),
        (lambda: layer(torch.ones(3, 5), edges, edge), "x must have 4 columns"),
    ):
        with pytest.raises(InputError, match=message):
            call()
