"""Gates: the law, the constants, e3nn's with its constants, derivatives."""

import pytest
import scipy.integrate
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import E3NN_SCALES, Gate, Irreps, ScaledActivation, second_moment_scale, to_e3nn
from tests.nn.equivariant.turns import assert_equivariant, features

IRREPS = "3x0e + 2x0o + 2x1o + 1x1e + 2x2e"
FUNCTIONS = ("none", "relu", "elu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid")


def test_equivariant():
    gate = Gate(IRREPS, gate="sigmoid")
    assert gate.irreps_in == Irreps("2x0o + 8x0e + 2x1o + 1x1e + 2x2e")
    assert gate.irreps_out == Irreps(IRREPS).regroup()
    assert sum(block.mul for block in gate.gated) == gate.num_gates == 5
    assert_equivariant(gate, [(features(str(gate.irreps_in)), str(gate.irreps_in))], str(gate.irreps_out))


def test_by_the_definition():
    gate, x = Gate("2x0e + 2x1o", even=ScaledActivation("tanh", scale=2.0), gate="none"), features("4x0e + 2x1o")
    vectors = x[:, 4:].reshape(-1, 3, 2) * x[:, 2:4].unsqueeze(1)
    torch.testing.assert_close(gate(x), torch.cat([2 * x[:, :2].tanh(), vectors.flatten(1)], dim=1))


@pytest.mark.parametrize("irreps", ["3x0e", "2x0o", "2x1o", ""])
def test_of_one_kind_alone(irreps):
    gate = Gate(irreps)
    x = features(str(gate.irreps_in))
    assert gate(x).shape == (5, Irreps(irreps).dim)
    assert_equivariant(gate, [(x, str(gate.irreps_in))], irreps)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_constant_is_the_integral(function):
    unscaled = ScaledActivation(function, scale=1.0)

    def weighted(t: float) -> float:
        value = float(unscaled(torch.tensor([[t]], dtype=torch.float64)))
        return value**2 * float(torch.exp(torch.tensor(-t * t / 2, dtype=torch.float64))) / (2 * torch.pi) ** 0.5

    halves = [scipy.integrate.quad(weighted, *ends, epsabs=1e-9)[0] for ends in ((-12, 0), (0, 12))]
    assert second_moment_scale(function) == pytest.approx(sum(halves) ** -0.5, rel=1e-7)


def test_equals_e3nn_with_its_constants():
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    from e3nn.math import normalize2mom
    from e3nn.nn import Gate as Theirs

    functions = {"silu": torch.nn.functional.silu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}
    for name, function in functions.items():
        assert normalize2mom(function).cst == pytest.approx(E3NN_SCALES[name], rel=1e-9)
        assert second_moment_scale(name) == pytest.approx(E3NN_SCALES[name], rel=2e-3)
    silu, tanh, _ = functions.values()
    gated = "2x1o + 1x1e + 2x2e"
    theirs = Theirs("2x0o + 3x0e", [tanh, silu], "5x0e", [silu], gated).double()
    even, odd = (ScaledActivation(name, scale=E3NN_SCALES[name]) for name in ("silu", "tanh"))
    ours = Gate(IRREPS, even=even, odd=odd, gate=even)
    assert o3.Irreps(str(ours.irreps_in)) == theirs.irreps_in.simplify()
    x = features(str(ours.irreps_in))
    known = theirs(to_e3nn(x, ours.irreps_in))
    torch.testing.assert_close(to_e3nn(ours(x), ours.irreps_out), known, rtol=0, atol=1e-12)


def test_derivatives():
    gate = Gate("1x0e + 1x0o + 1x1o")
    x = features(str(gate.irreps_in), 2)
    assert torch.autograd.gradcheck(gate, x)
    assert torch.autograd.gradgradcheck(gate, x)
    at_zero = torch.zeros_like(x).requires_grad_()
    assert torch.autograd.gradcheck(gate, at_zero)
    assert torch.autograd.gradgradcheck(gate, at_zero)


def test_compiles_without_a_break():
    gate = Gate(IRREPS)
    x = features(str(gate.irreps_in)).float()
    torch.testing.assert_close(torch.compile(gate, fullgraph=True, backend="aot_eager")(x), gate(x))


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="odd function"):
        Gate("2x0o", odd="silu")
    with pytest.raises(InputError, match="one of none"):
        Gate("2x0e", even="swish")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="10 columns"):
        Gate("2x0e + 2x1o")(torch.ones(2, 8))
