"""AttentiveFP against PyTorch Geometric with its weights, and the paper's message against plain loops."""

import pytest
import torch
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.encoder.attentive_fp import AttentiveFP, AttentiveReadout
from grapevine.nn.readout import Readout
from tests.nn.compare import assert_same
from tests.nn.encoder.molecules import batch, molecule, neighbours

NAMES = {  # theirs to ours; the readout's follow
    "lin1.": "lin_in.", "gate_conv.lin1.": "first.lin_bond.", "gate_conv.lin2.": "first.lin.",
    "gate_conv.att_l": "first.att_src", "gate_conv.att_r": "first.att_dst", "gate_conv.bias": "first.bias",
    "gru.": "grus.0.", "atom_convs.0.": "convs.0.", "atom_convs.1.": "convs.1.", "atom_grus.0.": "grus.1.",
    "atom_grus.1.": "grus.2.",
}  # fmt: skip
READOUT_NAMES = {"mol_conv.": "conv.", "mol_gru.": "gru."}


def load(ours: nn.Module, theirs: nn.Module, names: dict[str, str]) -> None:
    """Give our module the weights of theirs, by the names."""
    wanted, new = ours.state_dict(), {}
    for name, tensor in theirs.state_dict().items():
        for prefix, other in names.items():
            if name.startswith(prefix):
                mine = other + name.removeprefix(prefix)
                new[mine] = tensor.reshape(wanted[mine].shape)
    ours.load_state_dict(new)


def test_it_is_pytorch_geometrics():
    pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")
    torch.manual_seed(0)
    theirs = pyg.AttentiveFP(3, 6, 4, edge_dim=2, num_layers=3, num_timesteps=3).double().eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.uniform_(-1, 1)
    ours = AttentiveFP(3, 6, edge_channels=2, num_layers=3, edge_in_message=False).double().eval()
    readout = Readout(AttentiveReadout(6, num_steps=3)).double().eval()
    load(ours, theirs, NAMES)
    load(readout.aggregation, theirs, READOUT_NAMES)
    graph = batch()
    leaves = [graph.x.requires_grad_(), graph.edge_attr.requires_grad_()]
    assert_same(
        lambda: theirs.lin2(readout(ours(graph.x, graph, graph.edge_attr), graph)),
        lambda: theirs(graph.x, graph.adj.edge_index, graph.edge_attr, graph.graph_id),
        leaves,
    )


def first_layer(network: AttentiveFP, graph: Graph) -> Tensor:
    """The paper's first layer, atom by atom; an atom alone hears nothing."""
    leaky, first = nn.LeakyReLU(0.01), network.first
    h, contexts = leaky(network.lin_in(graph.x)), []
    for i, heard in enumerate(neighbours(graph)):
        context = torch.zeros_like(h[i])
        if heard:
            n = torch.stack([leaky(first.lin_bond.weight @ torch.cat([h[j], edge])) for j, edge in heard])
            alpha = leaky(n @ first.att_src[0] + h[i] @ first.att_dst[0]).softmax(0)
            context = alpha @ (n @ first.lin.weight.T)
        contexts.append(nn.functional.elu(context + first.bias))
    return network.grus[0](torch.stack(contexts), h).relu()


def test_the_first_messages_hold_the_bonds():
    torch.manual_seed(0)
    graph, network = batch(), AttentiveFP(3, 6, edge_channels=2, num_layers=1).double()
    leaves = [graph.x.requires_grad_(), graph.edge_attr.requires_grad_(), *network.parameters()]
    assert_same(lambda: network(graph.x, graph, graph.edge_attr), lambda: first_layer(network, graph), leaves)


def test_dropout_is_for_training_only():
    graph = batch()
    network = AttentiveFP(3, 6, edge_channels=2, num_layers=2, dropout=0.5).double()
    readout = Readout(AttentiveReadout(6, dropout=0.5)).double()
    for training in (True, False):
        network.train(training)
        readout.train(training)
        states = [network(graph.x, graph, graph.edge_attr) for _ in range(2)]
        assert torch.equal(*states) != training
        assert torch.equal(*(readout(states[0], graph) for _ in range(2))) != training


def test_a_neighbourhood_can_be_read_out_the_same_way():
    """As an aggregation over edges it is what it is over the nodes of graphs."""
    graph, attend = molecule("ring"), AttentiveReadout(2).double()
    out = attend(graph.adj.pattern, graph.edge_attr)
    for row, edges in zip(out, graph.edge_attr.split(graph.adj.in_degree.tolist()), strict=True):
        alone = Graph(torch.empty(2, 0, dtype=torch.int64), num_nodes=len(edges))
        torch.testing.assert_close(row, Readout(attend)(edges, alone)[0])


def test_wrong_input():
    graph, network = batch(), AttentiveFP(3, 4, edge_channels=2).double()
    with pytest.raises(InputError, match="needs edge features"):
        network(graph.x, graph)
    with pytest.raises(InputError, match="edge must have 2 columns"):
        network(graph.x, graph, graph.edge_attr[:, :1])
    with pytest.raises(InputError, match=r"states \[e, 5\]"):
        Readout(AttentiveReadout(5))(torch.ones(8, 4), graph)
