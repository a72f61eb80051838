"""Graph neural diffusion against the matrix exponential, SciPy's solver and plain steps; what it keeps."""

import sys

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn import GraphDiffusion
from tests.nn.compare import NUM_SRC, leaf, random_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)
OPTIONS = {"hidden_channels": 4, "heads": 2, "attention_channels": 6}


def attention(network: GraphDiffusion, x: torch.Tensor) -> torch.Tensor:
    """A(x) as a dense matrix, by the formula, an entry for each copy of an edge."""
    flow, matrix = network.flow, torch.zeros(NUM_SRC, NUM_SRC, dtype=x.dtype)
    query, key = (lin(x).unflatten(1, (2, 3)) for lin in (flow.lin_query, flow.lin_key))
    edges = Adjacency(EDGES, NUM_SRC).with_self_loops().edge_index.T.tolist()
    for i in range(NUM_SRC):
        heard = [j for j, k in edges if k == i]
        logits = torch.stack([(query[j] * key[i]).sum(1) / 3**0.5 for j in heard])
        for j, share in zip(heard, logits.softmax(0).mean(1), strict=True):
            matrix[i, j] += share
    return matrix


def made(**options: object) -> tuple[GraphDiffusion, torch.Tensor]:
    torch.manual_seed(0)
    network = GraphDiffusion(5, 3, **{**OPTIONS, **options}).double()
    for lin in (network.flow.lin_query, network.flow.lin_key):
        torch.nn.init.normal_(lin.weight)  # so that attention is far from even
    return network, leaf(NUM_SRC, 5)


@pytest.mark.parametrize("solver", ["dopri5", "adaptive_heun", "rk4"])
def test_the_linear_form_is_a_matrix_exponential(solver):
    network, x = made(time=3.0, solver=solver, step_size=0.05, tolerance=1e-8)
    with torch.no_grad():
        _, first, last, _ = network.all_states(x, EDGES)
        matrix = attention(network, first) - torch.eye(NUM_SRC)
    torch.testing.assert_close(last, torch.from_numpy(expm(3 * matrix.numpy())) @ first, rtol=1e-5, atol=1e-6)


def test_the_full_form_is_solved_as_scipy_solves_it():
    network, x = made(time=2.0, is_linear=False, has_source=True, tolerance=1e-9)
    torch.nn.init.constant_(network.flow.source, 0.3)
    with torch.no_grad():
        _, first, last, _ = network.all_states(x, EDGES)

        def rate(_, flat):
            state = torch.from_numpy(flat.reshape(NUM_SRC, 4))
            return (attention(network, state) @ state - state + 0.3 * first).numpy().ravel()

        found = solve_ivp(rate, (0, 2), first.numpy().ravel(), rtol=1e-8, atol=1e-8).y[:, -1]
    np.testing.assert_allclose(last.numpy().ravel(), found, rtol=1e-5, atol=1e-6)


def test_steps_of_one_are_attention_layers():
    """Euler's x + (A - I) x is A x: a graph attention network with one matrix for all layers."""
    network, x = made(time=3.0, solver="euler", is_linear=False)
    with torch.no_grad():
        _, wanted, last, _ = network.all_states(x, EDGES)
        for _ in range(3):
            wanted = attention(network, wanted) @ wanted
    torch.testing.assert_close(last, wanted)


@pytest.mark.parametrize("is_linear", [False, True])
def test_states_stay_within_those_of_the_start(is_linear):
    """The rows of A add up to one, so nothing grows past the largest or falls below the smallest."""
    network, x = made(time=50.0, is_linear=is_linear, tolerance=1e-7)
    with torch.no_grad():
        _, first, last, _ = network.all_states(x, EDGES)
    assert (last <= first.amax(0) + 1e-5).all()
    assert (last >= first.amin(0) - 1e-5).all()


@pytest.mark.parametrize("has_source", [False, True])
@pytest.mark.parametrize("is_linear", [False, True])
def test_the_adjoint_has_the_same_gradients(is_linear, has_source):
    options = {"time": 1.5, "is_linear": is_linear, "has_source": has_source, "tolerance": 1e-9}
    plain, x = made(**options)
    other, _ = made(**options, adjoint=True)
    other.load_state_dict(plain.state_dict())
    gradients = []
    for network in (plain, other):
        leaves = [x, *network.parameters()]
        gradients.append(torch.autograd.grad(network(x, EDGES).square().sum(), leaves))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-6)


def test_without_torchdiffeq_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchdiffeq", None)
    with pytest.raises(ImportError, match=r"grapevine-gnn\[ode\]"):
        GraphDiffusion(5, 3)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"time": 0.0}, "time"),
        ({"tolerance": -1.0}, "tolerance"),
        ({"step_size": 0.0}, "step_size"),
        ({"heads": 3, "attention_channels": 4}, "do not divide"),
        ({"solver": "magic"}, "solver must be one of"),
    ],
)
def test_wrong_options_are_named(options, match):
    with pytest.raises(InputError, match=match):
        GraphDiffusion(5, 3, **options)


def test_edge_weights_are_refused():
    with pytest.raises(InputError, match="no edge input"):
        GraphDiffusion(5, 3)(torch.ones(NUM_SRC, 5), EDGES, torch.ones(EDGES.shape[1]))
