"""The fully connected tensor product: the law, e3nn with its weights, one-hot rows, derivatives."""

import pytest
import torch
from torch.nn.functional import one_hot

from grapevine.errors import InputError
from grapevine.nn.equivariant import FullyConnectedTensorProduct, Irreps, clebsch_gordan, to_e3nn
from tests.nn.equivariant.turns import assert_equivariant, features

TRIPLES = [
    ("3x0e + 2x1o", "4x0e", "2x0e + 3x1o"),
    ("2x1o + 3x0e + 1x1o", "1x0e + 2x0e", "1x1o + 2x0e + 1x2e + 2x1o"),
    ("2x0e + 1x1o + 1x2e", "2x0e + 1x1o", "2x0e + 1x1o + 1x1e + 1x2e + 2x1o + 1x3o"),
    ("2x1o", "1x1o + 1x1o", "1x0e + 2x1e + 1x2e"),
    ("2x0e", "2x0e", "2x1o"),
]


def product_of(irreps_in1: str, irreps_in2: str, irreps_out: str) -> FullyConnectedTensorProduct:
    return FullyConnectedTensorProduct(irreps_in1, irreps_in2, irreps_out).double()


@pytest.mark.parametrize("irreps", TRIPLES)
def test_equivariant(irreps):
    first, second, out = irreps
    assert_equivariant(product_of(*irreps), [(features(first), first), (features(second, seed=4), second)], out)


def test_by_the_definition():
    product, x, y = product_of("2x1o", "3x1o", "4x1e"), features("2x1o"), features("3x1o", seed=4)
    shaped = x.reshape(-1, 3, 2), y.reshape(-1, 3, 3)
    weight = product.weights["1o_1o_1e"] * (3 / 6) ** 0.5
    known = torch.einsum("ijk,niu,njv,uvw->nkw", clebsch_gordan(1, 1, 1), *shaped, weight)
    torch.testing.assert_close(product(x, y), known.flatten(1))


@pytest.mark.parametrize("irreps", TRIPLES)
def test_equals_e3nn(irreps):
    o3 = pytest.importorskip("e3nn.o3", reason="e3nn is in the extra peers")
    x, y = features(irreps[0]), features(irreps[1], seed=4)
    theirs, ours = o3.FullyConnectedTensorProduct(*irreps).double(), product_of(*irreps)
    ours.load_e3nn(theirs.weight)
    known = theirs(to_e3nn(x, Irreps(irreps[0])), to_e3nn(y, Irreps(irreps[1])))
    # their couplings are single, whatever the rest is
    torch.testing.assert_close(to_e3nn(ours(x, y), Irreps(irreps[2])), known, rtol=0, atol=1e-6)


@pytest.mark.parametrize("irreps", TRIPLES[:2])
def test_kinds_are_one_hot_rows(irreps):
    product, x = product_of(*irreps), features(irreps[0], 9)
    num_kinds = Irreps(irreps[1]).dim
    for kind in (
        torch.arange(9) % num_kinds,
        torch.ones(9, dtype=torch.int64),
        torch.tensor([2, 0, 2, 2, 0, 2, 0, 0, 2]),
    ):
        outputs = product.of_kinds(x, kind), product(x, one_hot(kind, num_kinds).double())
        wanted = (x, *product.parameters())
        weights = torch.randn_like(outputs[0])
        gradients = [torch.autograd.grad((out * weights).sum(), wanted) for out in outputs]
        torch.testing.assert_close(*outputs)
        torch.testing.assert_close(*gradients)
    assert product.of_kinds(x[:0], kind[:0]).shape == (0, Irreps(irreps[2]).dim)


def test_keeps_variance_one():
    irreps = "16x0e + 16x1o", "8x0e + 4x1o", "16x0e + 16x1o"
    x, y = torch.randn(500, 64), torch.randn(500, 20)
    assert float(FullyConnectedTensorProduct(*irreps)(x, y).detach().var()) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("irreps", [("1x0e + 1x1o", "2x0e", "1x0e + 1x1o"), ("2x1o", "1x1o", "1x0e + 1x1e")])
def test_derivatives(irreps):
    product, inputs = product_of(*irreps), (features(irreps[0], 2), features(irreps[1], 2, seed=4))
    assert torch.autograd.gradcheck(product, inputs)
    assert torch.autograd.gradgradcheck(product, inputs)
    if irreps[1] == "2x0e":
        kind = torch.tensor([1, 0])
        assert torch.autograd.gradcheck(lambda x: product.of_kinds(x, kind), inputs[0])


def test_single_precision_comes_back_exact():
    irreps = "2x1o", "1x2e", "2x3o"
    product, exact = product_of(*irreps), product_of(*irreps)
    product.float().double()
    exact.load_state_dict(product.state_dict())
    x, y = features("2x1o"), features("1x2e", seed=4)
    assert torch.equal(product(x, y), exact(x, y))
    assert product.float()(x.float(), y.float()).dtype == torch.float32


def test_compiles_without_a_break():
    irreps = TRIPLES[2]
    product, x, y = product_of(*irreps), features(irreps[0]), features(irreps[1], seed=4)
    torch.testing.assert_close(torch.compile(product, fullgraph=True, backend="aot_eager")(x, y), product(x, y))
    kinds, kind = product_of(*TRIPLES[0]), torch.tensor([0, 3, 1, 1, 0])
    x = features(TRIPLES[0][0])
    compiled = torch.compile(kinds.of_kinds, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, kind), kinds.of_kinds(x, kind))


def test_wrong_input_is_named():
    product, x, y = FullyConnectedTensorProduct("2x0e", "3x0e", "2x0e"), torch.ones(4, 2), torch.ones(4, 3)
    for call, message in (
        (lambda: product(y, y), "x must have the 2 columns"),
        (lambda: product(x, x), "y must have the 3 columns"),
        (lambda: product(x, y[:2]), "rows of x"),
        (lambda: product(x, y.double()), "share one dtype"),
        (lambda: product.of_kinds(x, torch.tensor([0, 1, 2, 3])), "from 0 to 2, got 0 to 3"),
        (lambda: product.of_kinds(x, torch.tensor([0, 1, 2, -1])), "from 0 to 2, got -1"),
        (lambda: product.of_kinds(x, torch.tensor([0.0, 1, 2, 3])), "dtype"),
        (lambda: product.of_kinds(x, torch.tensor([0, 1])), "rows of x"),
        (lambda: FullyConnectedTensorProduct("2x0e", "1o", "1o").of_kinds(x, torch.zeros(4).long()), "even scalars"),
        (lambda: product.load_e3nn(torch.ones(3)), "12 numbers"),
    ):
        with pytest.raises(InputError, match=message):
            call()
