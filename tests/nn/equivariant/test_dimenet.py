"""DimeNet++ against PyTorch Geometric's with its weights, its bases against SciPy, and what the text says otherwise."""

import math

import numpy as np
import pytest
import torch
from scipy.special import eval_legendre, spherical_jn

from grapevine.errors import InputError
from grapevine.nn.equivariant.dimenet import DimeNetPlusPlus
from grapevine.nn.equivariant.dimenet_basis import angle_basis, bessel_roots, spherical_bessel_basis, turns
from grapevine.nn.equivariant.geometry import lengths, vectors_of
from grapevine.nn.equivariant.load_pyg import load_pyg
from grapevine.nn.equivariant.potential import Potential
from grapevine.testing.structures import cluster, crystal
from tests.nn.equivariant.structures import named, salt

CUTOFF = 4.0
OPTIONS = {
    "elements": (1, 6, 8), "cutoff": CUTOFF, "hidden_channels": 16, "num_layers": 2, "turn_channels": 8,
    "basis_channels": 4, "out_hidden_channels": 12,
}  # fmt: skip


def test_roots():
    roots = bessel_roots(7, 6)
    degree = np.arange(7).reshape(-1, 1)
    np.testing.assert_allclose(spherical_jn(degree, roots), 0, atol=1e-13)
    np.testing.assert_allclose(roots[1, :3], [4.493409457909064, 7.725251836937707, 10.904121659428899], rtol=1e-13)
    assert (np.diff(roots, axis=1) > 3).all()
    assert (np.diff(roots, axis=0) > 1).all()  # none is left out


@pytest.mark.parametrize(("dtype", "digits"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_radial_functions(dtype, digits):
    r = torch.tensor([0.0, 1e-6, 0.01, 0.3, 1.7, 3.99, 4.0], dtype=dtype)
    basis = spherical_bessel_basis(r, CUTOFF, num_spherical=7, num_radial=6)
    roots, degree = bessel_roots(7, 6), np.arange(7).reshape(-1, 1)
    x = r.double().numpy().reshape(-1, 1, 1) / CUTOFF
    wanted = math.sqrt(2) * spherical_jn(degree, roots * x) / abs(spherical_jn(degree + 1, roots))
    np.testing.assert_allclose(basis.numpy(), wanted, atol=digits)


def test_radial_functions_are_orthonormal():
    """In the unit ball, those of one degree."""
    x = torch.linspace(0, 1, 4001, dtype=torch.float64)
    basis = spherical_bessel_basis(x, 1.0, num_spherical=4, num_radial=5)
    inner = torch.trapezoid(torch.einsum("xln,xlm,x->xlnm", basis, basis, x * x), x, dim=0)
    torch.testing.assert_close(inner, torch.eye(5).double().expand(4, 5, 5), rtol=0, atol=1e-5)


def test_derivatives_of_the_radial_functions():
    r = torch.tensor([0.2, 1.1, 3.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda r: spherical_bessel_basis(r, CUTOFF, num_spherical=3, num_radial=2), r)


@pytest.mark.parametrize("num_spherical", [1, 2, 7])
def test_functions_of_the_angle(num_spherical):
    angle = torch.linspace(0, math.pi, 9, dtype=torch.float64)
    basis = angle_basis(angle.cos(), num_spherical)
    degree = np.arange(num_spherical)
    wanted = np.sqrt((2 * degree + 1) / (4 * math.pi)) * eval_legendre(degree, angle.cos().numpy().reshape(-1, 1))
    np.testing.assert_allclose(basis.numpy(), wanted, atol=1e-13)


def test_turns_of_a_molecule():
    graph = named("ethanol", 2.0)
    pattern, edges = turns(graph.adj, vectors_of(graph)), graph.adj.edge_index.T.tolist()
    wanted = {
        (ji, kj) for ji, (j, i) in enumerate(edges) for kj, (k, other) in enumerate(edges) if other == j and k != i
    }
    got = list(zip(pattern.row_of.tolist(), pattern.indices.tolist(), strict=True))
    assert set(got) == wanted
    assert len(got) == len(wanted)


def test_turns_to_another_image_of_the_atom_one_comes_from():
    """In a chain of one atom a cell, a bond goes on into the next one and does not turn back."""
    cell = torch.diag(torch.tensor([2.0, 50.0, 50.0], dtype=torch.float64))
    chain = crystal(torch.tensor([6]), torch.zeros(1, 3, dtype=torch.float64), cell, 2.5)
    vector = vectors_of(chain)
    pattern = turns(chain.adj, vector)
    assert (chain.num_edges, pattern.num_entries) == (2, 2)
    assert torch.equal(vector[pattern.row_of.long()], vector[pattern.indices.long()])


def pyg():
    """Their network and ours with its weights."""
    models = pytest.importorskip("torch_geometric.nn.models", reason="PyTorch Geometric is not installed")
    pytest.importorskip("torch_sparse", reason="their list of turns needs torch_sparse")
    theirs = models.DimeNetPlusPlus(
        16, 1, 2, 8, 4, 12, num_spherical=7, num_radial=6, cutoff=CUTOFF, output_initializer="glorot_orthogonal"
    ).double()
    ours = DimeNetPlusPlus(**OPTIONS, mode="reference").double()
    with torch.no_grad():
        for parameter in theirs.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))  # biases and frequencies that are not as at the start
    load_pyg(ours, theirs.state_dict())
    return theirs, ours


@pytest.mark.parametrize("name", ["ethanol", "water"])
def test_it_is_pyg_s_in_reference_mode(name, monkeypatch):
    graph = named(name, CUTOFF)
    theirs, ours = pyg()
    module = pytest.importorskip("torch_geometric.nn.models.dimenet")
    monkeypatch.setattr(module, "radius_graph", lambda *_, **__: graph.adj.edge_index)
    pos = graph.pos.clone().requires_grad_()
    energy = theirs(graph.z, pos).squeeze()
    (gradient,) = torch.autograd.grad(energy, pos)
    answers = Potential(ours).eval()(graph)
    # their roots and norms are kept in float32
    torch.testing.assert_close(answers.energy[0], energy.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(answers.forces, -gradient, rtol=1e-4, atol=1e-5)


def test_the_text_is_the_program_but_for_scales_and_signs():
    """Weights turn one into the other, where the far bond's factor of 1 / x is taken away."""
    graph = cluster((1, 6, 8), CUTOFF, num_atoms=6)
    vector = vectors_of(graph)
    text, program = (DimeNetPlusPlus(**OPTIONS, mode=mode).double() for mode in ("paper", "reference"))
    near, met, _ = text._bases(graph.adj, vector)
    their_near, their_met, _ = program._bases(graph.adj, vector)
    torch.testing.assert_close(their_near, near * CUTOFF * math.sqrt(CUTOFF / 2))
    pattern = turns(graph.adj, vector)
    x = lengths(vector)[pattern.indices.long()] / CUTOFF
    sign = torch.tensor([(-1.0) ** degree for degree in range(7) for _ in range(6)], dtype=torch.float64)
    torch.testing.assert_close(their_met * x.unsqueeze(1), met * CUTOFF**1.5 * sign)


def test_the_angle_of_the_text_is_at_the_atom_between():
    """A straight line k - j - i has 180 degrees, of cosine -1."""
    graph = named("carbon dioxide", 2.0)
    vector = vectors_of(graph)
    network = DimeNetPlusPlus(**OPTIONS).double()
    _, met, filters = network._bases(graph.adj, vector)
    far = spherical_bessel_basis(lengths(vector), CUTOFF, num_spherical=7, num_radial=6)
    assert filters.num_filters == 2
    ratio = met[0].unflatten(0, (7, 6))[1, 0] / met[0].unflatten(0, (7, 6))[0, 0]
    r = far[filters.pattern.indices[0]]
    assert ratio.item() == pytest.approx((-math.sqrt(3) * r[1, 0] / r[0, 0]).item())


def test_the_start_of_the_output():
    graph = named("water", CUTOFF)
    zeros = DimeNetPlusPlus(**OPTIONS, output_start="zeros").double()
    assert not zeros(graph.z, graph.adj, vectors_of(graph)).any()
    network = DimeNetPlusPlus(elements=(1,))
    weight = network.layers[0].lin_own.weight
    assert weight.var().item() == pytest.approx(2 / 256)
    product = weight.T @ weight
    torch.testing.assert_close(product / product[0, 0], torch.eye(128), rtol=0, atol=1e-4)


def test_it_hears_images_of_the_atom_a_message_goes_to():
    """In a cell thinner than the cut-off, the three bonds of another image are turns too."""
    graph = salt(CUTOFF)
    pattern = turns(graph.adj, vectors_of(graph))
    degree = graph.adj.in_degree[graph.adj.src]
    assert pattern.num_entries == int((degree - 1).sum())  # all but the way back


def test_wrong_input():
    for options, message in (
        ({"mode": "text"}, "mode must be"),
        ({"output_start": "random"}, "output_start must be"),
        ({"turn_channels": 0}, "turn_channels"),
    ):
        with pytest.raises(InputError, match=message):
            DimeNetPlusPlus(elements=(1,), **options)
    with pytest.raises(InputError, match='ours of mode="reference"'):
        load_pyg(DimeNetPlusPlus(elements=(1,)), {})
