"""Sums, means and dipole moments against their sums by hand."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.equivariant.schnet import SchNet
from grapevine.nn.equivariant.structure_head import AtomReadout, DipoleMoment
from grapevine.testing.structures import molecule
from tests.nn.equivariant.structures import Pairs, named, salt

OPTIONS = {"elements": (1, 6, 8), "cutoff": 4.0}
PARTS = [named(name) for name in ("ethanol", "lone atom", "water")]


def shares() -> torch.Tensor:
    network = Pairs(**OPTIONS)
    out = torch.cat([network(part.z, part.adj, part.pos[part.adj.src] - part.pos[part.adj.dst]) for part in PARTS])
    shift = {1: 1.0, 6: 2.0, 8: 3.0}
    return 0.5 * out + torch.tensor([shift[int(z)] for part in PARTS for z in part.z]).double().unsqueeze(1)


@pytest.mark.parametrize("readout", ["none", "sum", "mean"])
def test_readouts(readout):
    head = AtomReadout(Pairs(**OPTIONS), readout=readout, shift={1: 1, 6: 2, 8: 3}, scale=0.5).double()
    parts = shares().split([part.num_nodes for part in PARTS])
    wanted = {
        "none": shares(),
        "sum": torch.stack([part.sum(0) for part in parts]),
        "mean": torch.stack([part.mean(0) for part in parts]),
    }
    torch.testing.assert_close(head(Graph.batch(PARTS)), wanted[readout])


def test_several_numbers():
    head = AtomReadout(SchNet(**OPTIONS, out_channels=5).double(), readout="mean").double()
    assert head(Graph.batch(PARTS)).shape == (3, 5)


def test_moments_turn_with_the_molecule_and_do_not_care_where_it_is():
    head = DipoleMoment(SchNet(**OPTIONS).double())
    graph = Graph.batch(PARTS)
    turn, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))
    moment = head(graph)
    torch.testing.assert_close(head(graph.replace(pos=graph.pos @ turn + 7)), moment @ turn)
    torch.testing.assert_close(DipoleMoment(head.network, norm=True)(graph), moment.norm(dim=1, keepdim=True))
    torch.testing.assert_close(moment[1], torch.zeros(3).double())
    for k in range(3):
        assert head.charges(graph)[graph.graph_id == k].sum().item() == pytest.approx(0, abs=1e-12)


def test_a_molecule_without_a_moment_has_a_gradient_of_its_size():
    network = SchNet(**OPTIONS).double()
    pos = torch.tensor([[0.0, 0.0, -1.16], [0.0, 0.0, 0.0], [0.0, 0.0, 1.16]], dtype=torch.float64)
    size = DipoleMoment(network, norm=True)(molecule(torch.tensor([8, 6, 8]), pos, 4.0))
    gradients = torch.autograd.grad(size.sum(), [*network.parameters()])
    assert size.item() == pytest.approx(0, abs=1e-12)
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_wrong_input():
    with pytest.raises(InputError, match="sum, mean or none"):
        AtomReadout(Pairs(**OPTIONS), readout="max")
    with pytest.raises(InputError, match="one number an atom"):
        DipoleMoment(SchNet(**OPTIONS, out_channels=2))
    with pytest.raises(InputError, match="periodic structure has no dipole"):
        DipoleMoment(Pairs(**OPTIONS))(salt())
    with pytest.raises(InputError, match="must hold z"):
        AtomReadout(Pairs(**OPTIONS))(Graph([[0], [1]], pos=torch.zeros(2, 3)))
