"""Layers for unlike neighbours against PyTorch Geometric's, with the same weights."""

import pytest
import torch

from grapevine.nn import LINKX, DirGNNConv, FAConv, GATConv, Linear, SAGEConv, interop
from tests.nn.compare import NUM_SRC, assert_same, leaf, square

pyg = pytest.importorskip("torch_geometric.nn")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def take(ours: torch.nn.Linear | Linear, theirs: torch.nn.Module) -> None:
    """Give our map their weight and bias."""
    ours.load_state_dict(theirs.state_dict())


@pytest.mark.parametrize("add_self_loops", [False, True])
def test_frequency_adaptive(add_self_loops):
    ours, x = FAConv(3, add_self_loops=add_self_loops).double(), leaf(NUM_SRC, 3)
    theirs = pyg.FAConv(3, eps=0.0, add_self_loops=add_self_loops).double()
    ours.att_src.weight.data.copy_(theirs.att_l.weight.data)
    ours.att_dst.weight.data.copy_(theirs.att_r.weight.data)
    adj = square()
    assert_same(
        lambda: ours(x, adj), lambda: theirs(x, torch.zeros_like(x), adj.edge_index),
        [x, ours.att_src.weight, ours.att_dst.weight], their_leaves=[x, theirs.att_l.weight, theirs.att_r.weight],
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["sage", "gat"])
def test_directed(kind):
    if kind == "sage":
        convs, inner = [SAGEConv(3, 4, root_weight=False) for _ in range(2)], pyg.SAGEConv(3, 4, root_weight=False)
    else:
        convs, inner = [GATConv(3, 2, heads=2) for _ in range(2)], pyg.GATConv(3, 2, heads=2)
        inner.out_channels = 4  # of all heads: their root map takes its width from here
    theirs = pyg.DirGNNConv(inner, alpha=0.3).double()
    ours = DirGNNConv(*convs, alpha=0.3, root=Linear(3, 4)).double()
    take(ours.root, theirs.lin)
    for mine, other in ((ours.conv_in, theirs.conv_in), (ours.conv_out, theirs.conv_out)):
        if kind == "gat":
            other.out_channels = 2
        interop.load_pyg(mine, other.state_dict())
    adj, x = square(), leaf(NUM_SRC, 3)
    assert_same(lambda: ours(x, adj), lambda: theirs(x, adj.edge_index), [x])


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("num_layers", "inner_layers"), [(1, 1), (3, 1), (2, 2), (3, 3)])
def test_linkx(num_layers, inner_layers, training):
    inner = {"num_edge_layers": inner_layers, "num_node_layers": inner_layers}
    theirs = pyg.LINKX(NUM_SRC, 3, 5, 4, num_layers, **inner).double().train(training)
    ours = LINKX(NUM_SRC, 3, 4, hidden_channels=5, num_layers=num_layers, **inner).double().train(training)
    ours.weight.data.copy_(theirs.edge_lin.weight.data)
    ours.bias.data.copy_(theirs.edge_lin.bias.data)
    joint = theirs.cat_lin1, theirs.cat_lin2
    ours.lin_joint.weight.data.copy_(torch.cat([lin.weight for lin in joint], 1).data)
    ours.lin_joint.bias.data.copy_(sum(lin.bias for lin in joint).data)
    take(ours.lin_node, theirs.node_mlp.lins[0])
    take(ours.lin_last, theirs.final_mlp.lins[0])
    pairs = [(ours.node_mlp.layers, theirs.node_mlp.lins[1:]), (ours.last_mlp.layers, theirs.final_mlp.lins[1:])]
    if inner_layers > 1:
        pairs.append((ours.edge_mlp.layers, theirs.edge_mlp.lins))
    for mine, others in pairs:
        for layer, other in zip(mine, others, strict=True):
            take(layer, other)
    adj, x = square(), leaf(NUM_SRC, 3)
    assert_same(lambda: ours(x, adj), lambda: theirs(x, adj.edge_index), [x])
