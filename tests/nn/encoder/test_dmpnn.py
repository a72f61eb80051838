"""D-MPNN against its equations in plain loops, and against chemprop."""

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.graph.reverse import reverse_edges
from grapevine.nn.encoder.dmpnn import DMPNN
from tests.nn.compare import assert_same
from tests.nn.encoder.molecules import batch, molecule


def by_loops(network: DMPNN, graph: Graph) -> Tensor:
    """The equations, bond by bond, as a molecule without repeated bonds lets one write them."""
    start, atom = network.lin_start, network.lin_atom
    x, bonds = graph.x, dict(zip(map(tuple, graph.adj.edge_index.T.tolist()), graph.edge_attr, strict=True))
    before = {(v, w): start(torch.cat([x[v], e])[None])[0] for (v, w), e in bonds.items()}
    h0 = {bond: state.relu() for bond, state in before.items()}
    h, zero = h0, x.new_zeros(network.out_channels)
    for _ in range(network.num_steps - 1):
        if network.undirected:
            h = {(v, w): (h[v, w] + h[w, v]) / 2 for v, w in h}
        m = {(v, w): sum((h[k, u] for k, u in h if u == v and k != w), zero) for v, w in h}
        kept = before if network.mode == "chemprop" else h0
        h = {bond: (kept[bond] + network.lin_message(m[bond][None])[0]).relu() for bond in h}
    heard = [sum((h[w, u] for w, u in h if u == v), zero) for v in range(graph.num_nodes)]
    return atom(torch.cat([x, torch.stack(heard)], 1)).relu()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("undirected", [False, True])
@pytest.mark.parametrize("mode", ["paper", "chemprop"])
@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_it_is_its_equations(mode, num_steps, undirected, bias):
    torch.manual_seed(0)
    network = DMPNN(3, 6, edge_channels=2, mode=mode, num_steps=num_steps, undirected=undirected, bias=bias).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-1, 1)
    graph = batch()
    leaves = [graph.x.requires_grad_(), graph.edge_attr.requires_grad_(), *network.parameters()]
    assert_same(lambda: network(graph.x, graph, graph.edge_attr), lambda: by_loops(network, graph), leaves)


# What BondMessagePassing of chemprop 2.3.1 gives for the weights and inputs below, by depth and `undirected`.
CHEMPROP = {
    (1, False): [[0.0, 0.584, 2.0028, 2.5552], [4.9813, 1.4585, 0.0, 0.0], [0.0, 1.7472, 3.4489, 3.5724],
                 [0.6864, 0.0, 0.0, 0.0], [0.0, 0.2347, 1.2313, 1.7413]],
    (4, False): [[0.7095, 2.2506, 3.0936, 2.5333], [4.2242, 0.2818, 0.0, 0.0], [0.797, 4.0717, 5.752, 4.7206],
                 [2.3151, 0.0, 0.0, 0.0], [0.0, 0.2347, 1.2313, 1.7413]],
    (4, True): [[1.9159, 4.3547, 5.0598, 3.3938], [5.5417, 2.4173, 0.0, 0.0], [0.9029, 3.7553, 5.1689, 4.1578],
                [2.2425, 1.1524, 0.0, 0.0], [0.0, 0.2347, 1.2313, 1.7413]],
}  # fmt: skip


def wave(*shape: int, start: int) -> Tensor:
    return torch.sin(torch.arange(torch.Size(shape).numel()) + start).reshape(shape)


@pytest.mark.parametrize(("depth", "undirected"), CHEMPROP)
def test_it_is_chemprops(depth, undirected):
    network = DMPNN(3, 4, edge_channels=2, num_steps=depth, mode="chemprop", undirected=undirected)
    with torch.no_grad():
        network.lin_start.weight.copy_(wave(4, 5, start=1))
        if network.lin_message is not None:
            network.lin_message.weight.copy_(wave(4, 4, start=2))
        network.lin_atom.weight.copy_(wave(4, 7, start=3))
        network.lin_atom.bias.copy_(wave(4, start=4))
    edges = torch.tensor([[0, 1, 1, 2, 2, 0, 2, 3], [1, 0, 2, 1, 0, 2, 3, 2]])
    out = network(wave(5, 3, start=5), edges, wave(4, 2, start=6).repeat_interleave(2, 0))
    torch.testing.assert_close(out, torch.tensor(CHEMPROP[depth, undirected]), rtol=0, atol=1e-4)


def test_hubs_are_summed_once():
    """Where an atom has so many bonds that turns are counted no more, the numbers are those of the equations."""
    leaves = torch.arange(1, 12)
    edges = torch.stack([torch.cat([leaves, 0 * leaves]), torch.cat([0 * leaves, leaves])])
    generator = torch.Generator().manual_seed(0)
    x, edge = (torch.randn(n, c, generator=generator, dtype=torch.float64) for n, c in ((12, 3), (22, 2)))
    graph, network = Graph(edges, x=x, edge_attr=edge), DMPNN(3, 6, edge_channels=2).double()
    leaves = [graph.x.requires_grad_(), *network.parameters()]
    assert_same(lambda: network(graph.x, graph, graph.edge_attr), lambda: by_loops(network, graph), leaves)


@pytest.mark.parametrize("name", ["methane", "ethane"])
def test_small_molecules(name):
    graph, network = molecule(name), DMPNN(3, 6, edge_channels=2).double()
    torch.testing.assert_close(network(graph.x, graph, graph.edge_attr), by_loops(network, graph))


@pytest.mark.parametrize("mode", ["paper", "chemprop"])
@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_what_bonds_that_are_alike_share_is_the_same(mode, num_steps):
    """Whole numbers make most bonds alike; the states and gradients are those of the equations all the same."""
    torch.manual_seed(0)
    network = DMPNN(3, 6, edge_channels=2, mode=mode, num_steps=num_steps, bias=mode == "paper").double()
    graph = Graph.batch([batch(), batch(), molecule("ethane")])
    x, edge = (features.round().clamp(0, 1) for features in (graph.x, graph.edge_attr))
    edge = (edge + edge[reverse_edges(graph.adj).long()]).clamp(max=1)
    kinds = network._kinds(x, graph.adj, edge)
    assert kinds is not None
    assert kinds.atoms.num_rows < graph.num_nodes
    plain = graph.replace(x=x, edge={"edge_attr": edge})
    parameters = [*network.parameters()]
    assert_same(lambda: network(x, graph, edge), lambda: by_loops(network, plain), parameters)


def test_bonds_share_nothing_where_each_is_its_own():
    """Neither where most differ, nor where a gradient or a number drawn is each one's own."""
    graph, network = batch(), DMPNN(3, 6, edge_channels=2, dropout=0.5).double()
    adj, x, edge = graph.adj, torch.ones_like(graph.x), torch.ones_like(graph.edge_attr)
    assert network._kinds(x, adj, edge) is None
    network.eval()
    assert network._kinds(x, adj, edge) is not None
    assert network._kinds(graph.x, adj, graph.edge_attr) is None
    assert network._kinds(x.requires_grad_(), adj, edge) is None


def test_dropout_is_for_training_only():
    graph, network = batch(), DMPNN(3, 64, edge_channels=2, dropout=0.5).double()
    first, second = (network(graph.x, graph, graph.edge_attr) for _ in range(2))
    assert not torch.equal(first, second)
    network.eval()
    torch.testing.assert_close(network(graph.x, graph, graph.edge_attr), by_loops(network, graph))


def test_wrong_input():
    graph, network = batch(), DMPNN(3, 4, edge_channels=2).double()
    with pytest.raises(InputError, match="needs edge features"):
        network(graph.x, graph)
    with pytest.raises(InputError, match="edge must have 2 columns"):
        network(graph.x, graph, graph.edge_attr[:, :1])
    with pytest.raises(InputError, match="x must have 3 columns"):
        network(graph.x[:, :2], graph, graph.edge_attr)
    with pytest.raises(InputError, match="edge 0 -> 1 lacks its other direction"):
        network(graph.x[:2], torch.tensor([[0], [1]]), graph.edge_attr[:1])
    with pytest.raises(InputError, match="paper or chemprop"):
        DMPNN(3, 4, edge_channels=2, mode="other")
