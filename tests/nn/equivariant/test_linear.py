"""Equivariant linear maps: the definition, the law, e3nn with its weights, derivatives."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import Irreps, IrrepsLinear, split, to_e3nn
from tests.nn.equivariant.turns import assert_equivariant, features

PAIRS = [
    ("4x0e + 3x1o", "2x0e + 5x1o"),
    ("2x1o + 3x0e + 1x2e + 4x1o + 2x0e", "1x1o + 2x2e + 3x0e + 2x1o + 4x0e"),
    ("3x0e + 2x0o + 1x1e", "2x1o + 2x0o + 3x1e"),
    ("3x0e", "2x1o"),
    ("0x0e + 2x1o", "0x1o + 2x1o + 1x0e"),
]


@pytest.mark.parametrize(("irreps_in", "irreps_out"), PAIRS)
@pytest.mark.parametrize("bias", [False, True])
def test_equivariant(irreps_in, irreps_out, bias):
    layer = IrrepsLinear(irreps_in, irreps_out, bias=bias).double()
    if bias:
        torch.nn.init.normal_(layer.bias)
    assert_equivariant(layer, [(features(irreps_in), irreps_in)], irreps_out)


def test_by_the_definition():
    layer, x = IrrepsLinear("2x0e + 1x1o + 3x0e", "4x0e + 2x1o", bias=True).double(), features("2x0e + 1x1o + 3x0e")
    torch.nn.init.normal_(layer.bias)
    scalars = torch.cat([x[:, :2], x[:, 5:]], dim=1) @ layer.weights["0e"] / 5**0.5 + layer.bias
    vectors = x[:, 2:5].unsqueeze(2) * layer.weights["1o"]
    torch.testing.assert_close(layer(x), torch.cat([scalars, vectors.flatten(1)], dim=1))


def test_a_bias_alone():
    layer = IrrepsLinear("1o", "2x0e", bias=True)
    torch.nn.init.ones_(layer.bias)
    assert layer(torch.ones(3, 3)).tolist() == [[1, 1]] * 3


@pytest.mark.parametrize(("irreps_in", "irreps_out"), PAIRS)
@pytest.mark.parametrize("bias", [False, True])
def test_equals_e3nn(irreps_in, irreps_out, bias):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    if bias and "0e" not in Irreps(irreps_in) and "0e" in Irreps(irreps_out):
        pytest.skip("e3nn can not add a bias to scalars that nothing else makes")
    theirs = o3.Linear(irreps_in, irreps_out, biases=bias).double()
    ours, x = IrrepsLinear(irreps_in, irreps_out, bias=bias).double(), features(irreps_in)
    torch.nn.init.normal_(theirs.bias)
    ours.load_e3nn(theirs.weight, theirs.bias)
    known = theirs(to_e3nn(x, Irreps(irreps_in)))
    torch.testing.assert_close(to_e3nn(ours(x), Irreps(irreps_out)), known, rtol=0, atol=1e-12)


def test_keeps_variance_one():
    x, irreps = torch.randn(400, 64 * 4), Irreps("64x0e + 64x1o")
    for block in split(IrrepsLinear(irreps, irreps)(x).detach(), irreps):
        assert float(block.var()) == pytest.approx(1, abs=0.1)


def test_derivatives():
    layer, x = IrrepsLinear("2x0e + 1x1o + 1x0e", "2x0e + 2x1o", bias=True).double(), features("3x0e + 1x1o", 2)
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)


def test_saved_and_loaded_and_compiled():
    layer, x = IrrepsLinear(*PAIRS[1], bias=True), features(PAIRS[1][0]).float()
    assert sorted(layer.state_dict()) == ["bias", "weights.0e", "weights.1o", "weights.2e"]
    other = IrrepsLinear(*PAIRS[1], bias=True)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x), layer(x))
    assert torch.equal(torch.compile(layer, fullgraph=True, backend="aot_eager")(x), layer(x))
    assert layer(x[:0]).shape == (0, Irreps(PAIRS[1][1]).dim)


def test_wrong_input_is_named():
    layer = IrrepsLinear("2x0e", "3x0e")
    with pytest.raises(InputError, match="2 columns of 2x0e"):
        layer(torch.ones(2, 3))
    with pytest.raises(InputError, match="6 numbers"):
        layer.load_e3nn(torch.ones(5))
    with pytest.raises(InputError, match="one of the two has a bias"):
        layer.load_e3nn(torch.ones(6), torch.ones(3))
