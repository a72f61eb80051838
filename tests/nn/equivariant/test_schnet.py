"""SchNet against its equations atom by atom, and against PyTorch Geometric's with its weights."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.equivariant.geometry import vectors_of
from grapevine.nn.equivariant.load_pyg import load_pyg
from grapevine.nn.equivariant.pairs import atom_pairs
from grapevine.nn.equivariant.potential import Potential
from grapevine.nn.equivariant.schnet import SchNet
from tests.nn.equivariant.structures import named, salt

CUTOFF = 4.0


def ssp(x: Tensor) -> Tensor:
    return softplus(x) - math.log(2)


def by_loops(network: SchNet, graph: Graph) -> Tensor:
    """The equations, edge by edge, every filter made anew."""
    h = network.embedding(torch.tensor([network.elements.index(z) for z in graph.z.tolist()]))
    for layer in network.layers:
        x, heard = h @ layer.lin_in.weight.T, torch.zeros_like(h)
        for (j, i), vector in zip(graph.adj.edge_index.T.tolist(), vectors_of(graph), strict=True):
            r = vector.norm()
            step = CUTOFF / (network.basis.num_basis - 1)
            basis = torch.stack([torch.exp(-((r - k * step) ** 2) / (2 * step**2)) for k in range(25)])
            weight = layer.lin_filter(ssp(layer.lin_basis(basis.unsqueeze(0))))[0]
            if network.cutoff_function == "cosine":
                weight = weight * (torch.cos(math.pi * r / CUTOFF) + 1) / 2
            heard[i] = heard[i] + x[j] * weight
        h = h + layer.lin_out(ssp(layer.lin_heard(heard)))
    return network.lin_out(ssp(network.lin_hidden(h)))


@pytest.mark.parametrize("make", [lambda: named("ethanol", CUTOFF), lambda: salt(CUTOFF)], ids=["molecule", "crystal"])
@pytest.mark.parametrize("cutoff_function", ["cosine", "none"])
def test_it_is_its_equations(cutoff_function, make):
    network = SchNet(
        elements=(1, 6, 8), cutoff=CUTOFF, hidden_channels=8, num_layers=2, cutoff_function=cutoff_function
    ).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-1, 1)
    graph = make()
    out = network(graph.z, graph.adj, vectors_of(graph))
    torch.testing.assert_close(out, by_loops(network, graph), rtol=1e-10, atol=1e-10)


def test_the_defaults_are_those_of_the_paper():
    network = SchNet(elements=(1, 6))
    assert (network.hidden_channels, len(network.layers)) == (64, 3)
    assert (network.lin_hidden.out_channels, network.lin_out.out_channels) == (32, 1)
    paper = SchNet(elements=(1, 6), cutoff=30, num_basis=301, gamma=10, cutoff_function="none")
    centers = torch.linspace(0, 30, 301)
    torch.testing.assert_close(paper.basis(torch.tensor([1.0]))[0], torch.exp(-10 * (1 - centers) ** 2))


def peers(num_atoms: int = 12) -> tuple:
    """Their network and ours with its weights, and a cluster of more neighbours than their programs keep."""
    models = pytest.importorskip("torch_geometric.nn.models", reason="PyTorch Geometric is not installed")
    pos = 3.0 * torch.rand(num_atoms, 3, dtype=torch.float64)
    z = torch.tensor([1, 6, 8] * num_atoms)[:num_atoms]
    graph = Graph((torch.cdist(pos, pos) + 9 * torch.eye(num_atoms) < CUTOFF).nonzero().T, z=z, pos=pos)

    def edges(pos: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        src, dst = graph.adj.edge_index
        return graph.adj.edge_index, (pos[src] - pos[dst]).norm(dim=1)

    theirs = models.SchNet(32, 32, num_interactions=3, num_gaussians=25, cutoff=CUTOFF, interaction_graph=edges)
    ours = SchNet(elements=(1, 6, 8), cutoff=CUTOFF, hidden_channels=32, num_layers=3, num_basis=25)
    theirs = theirs.double()  # but for constants that are made in float32
    theirs.distance_expansion.coeff = -0.5 / (CUTOFF / 24) ** 2
    for module in theirs.modules():
        if hasattr(module, "shift"):
            module.shift = math.log(2)
    theirs.distance_expansion.offset = torch.linspace(0, CUTOFF, 25, dtype=torch.float64)
    ours = ours.double()
    load_pyg(ours, theirs.state_dict())
    return theirs, ours, graph


@pytest.mark.parametrize("num_atoms", [12, 40])
def test_it_is_pyg_s(num_atoms):
    theirs, ours, graph = peers(num_atoms)
    pos = graph.pos.clone().requires_grad_()
    energy = theirs(graph.z, pos).squeeze()
    (gradient,) = torch.autograd.grad(energy, pos)
    answers = Potential(ours).eval()(graph)
    torch.testing.assert_close(answers.energy[0], energy.detach(), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(answers.forces, -gradient, rtol=1e-9, atol=1e-9)


def test_states_that_do_not_fit():
    theirs, _, _ = peers()
    state = theirs.state_dict()
    ours = SchNet(elements=(1, 6), cutoff=CUTOFF, hidden_channels=32, num_layers=2, num_basis=20)
    with pytest.raises(InputError, match=r"unknown: interactions.2.*mlp.0.weight: shape \(32, 25\), here \(32, 20\)"):
        load_pyg(ours, dict(sorted(state.items(), reverse=True)))
    state.pop("lin1.weight")
    with pytest.raises(InputError, match=r"missing: lin_hidden\.weight"):
        load_pyg(ours, state)


def test_pairs_are_put_together():
    """One filter for both directions, of molecules and of crystals whose atoms hear several images of each other."""
    for graph in (named("ethanol", CUTOFF), salt(CUTOFF)):
        vector = vectors_of(graph)
        pairs = atom_pairs(graph.adj, vector)
        assert pairs.filters.num_filters == graph.num_edges // 2
        of_edge = pairs.vector[pairs.filters.pattern.entry.long()]
        is_first = (of_edge == vector).all(1)
        assert is_first.sum() == graph.num_edges // 2
        assert torch.equal(of_edge[~is_first], -vector[~is_first])


def test_one_sided_edges_have_each_their_own_filter():
    adj, vector = Adjacency([[0, 1, 2], [1, 2, 0]]), torch.randn(3, 3)
    assert atom_pairs(adj, vector).filters.num_filters == 3
    assert torch.equal(atom_pairs(adj, vector).vector, vector)
    both = Adjacency([[0, 1], [1, 0]])
    assert atom_pairs(both, torch.ones(2, 3)).filters.num_filters == 2  # not opposite: no pair


def test_wrong_input():
    for options, message in (
        ({"num_layers": 0}, "num_layers"),
        ({"cutoff": 0.0}, "cutoff must be"),
        ({"hidden_channels": 0}, "hidden_channels"),
        ({"cutoff_function": "step"}, "cutoff_function"),
        ({"elements": ()}, "elements must name"),
    ):
        with pytest.raises(InputError, match=message):
            SchNet(**{"elements": (1,), **options})
