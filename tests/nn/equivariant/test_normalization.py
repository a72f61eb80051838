"""Normalisations of irreps: the law, the sizes they bring features to, derivatives at zero."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.equivariant import Irreps, IrrepsLayerNorm, normalize_features, split, squared_norms
from tests.nn.equivariant.turns import assert_equivariant, features

IRREPS = "4x0e + 2x0o + 3x1o + 2x2e + 2x0e"
NORMS = ["component", "norm"]


@pytest.mark.parametrize("normalization", NORMS)
def test_equivariant(normalization):
    x, num = features(IRREPS), Irreps(IRREPS).num
    norm = IrrepsLayerNorm(IRREPS, normalization=normalization).double()
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    assert_equivariant(norm, [(x, IRREPS)], IRREPS)
    assert_equivariant(lambda x: normalize_features(x, IRREPS, normalization=normalization), [(x, IRREPS)], IRREPS)
    assert_equivariant(lambda x: squared_norms(x, IRREPS, normalization=normalization), [(x, IRREPS)], f"{num}x0e")


@pytest.mark.parametrize("normalization", NORMS)
def test_sizes(normalization):
    x = features(IRREPS)
    sizes = squared_norms(
        normalize_features(x, IRREPS, normalization=normalization), IRREPS, normalization=normalization
    )
    torch.testing.assert_close(sizes, torch.ones_like(sizes))
    norm = IrrepsLayerNorm(IRREPS, normalization=normalization, affine=False, eps=1e-12)
    out = norm(x)
    assert not list(norm.parameters())
    for block, part in zip(Irreps(IRREPS), split(out, Irreps(IRREPS)), strict=True):
        square = part.square().sum(1) / (block.irrep.dim if normalization == "component" else 1)
        torch.testing.assert_close(square.mean(1), torch.ones(5, dtype=torch.float64))
        if block.irrep.is_scalar:
            torch.testing.assert_close(part.mean(2), torch.zeros(5, 1, dtype=torch.float64))


def test_scalars_alone_are_a_layer_norm():
    x, ours, plain = features("6x0e"), IrrepsLayerNorm("6x0e").double(), torch.nn.LayerNorm(6).double()
    torch.testing.assert_close(ours(x), plain(x))


@pytest.mark.parametrize("normalization", NORMS)
def test_derivatives(normalization):
    x, norm = features("2x0e + 2x1o", 2), IrrepsLayerNorm("2x0e + 2x1o", normalization=normalization).double()
    for function in (norm, lambda x: normalize_features(x, "2x0e + 2x1o", normalization=normalization)):
        assert torch.autograd.gradcheck(function, x)
        assert torch.autograd.gradgradcheck(function, x)


def test_zero_features_stay_zero_with_finite_derivatives():
    x = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    for function in (IrrepsLayerNorm("0e + 1o").double(), lambda x: normalize_features(x, "0e + 1o")):
        out = function(x)
        assert not out.any()
        (slope,) = torch.autograd.grad(out.sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.square().sum(), x, allow_unused=True, materialize_grads=True)
        assert slope.isfinite().all()
        assert bend.isfinite().all()


def test_wrong_input_is_named():
    for call in (
        lambda: IrrepsLayerNorm("0e", normalization="max"),
        lambda: squared_norms(torch.ones(1, 1), "0e", normalization="max"),
    ):
        with pytest.raises(InputError, match="component or norm"):
            call()
    with pytest.raises(InputError, match="eps"):
        IrrepsLayerNorm("0e", eps=0)
    with pytest.raises(InputError, match="4 columns"):
        IrrepsLayerNorm("0e + 1o")(torch.ones(2, 3))
