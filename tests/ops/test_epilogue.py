"""The fused epilogue against plain PyTorch, in every activation, type and width, and to the second derivative."""

import math

import pytest
import torch
import torch.nn.functional as F

from grapevine.errors import InputError
from grapevine.ops.epilogue import epilogue, epilogue_curve_op, epilogue_grad_op, epilogue_op, reference
from grapevine.ops.runtime.random import keep_mask
from tests.ops.cases import WIDTHS

PLAIN = {
    "none": lambda z: z, "relu": F.relu, "elu": F.elu, "leaky_relu": F.leaky_relu, "gelu": F.gelu, "silu": F.silu,
    "tanh": torch.tanh, "shifted_softplus": lambda z: F.softplus(z, threshold=40) - math.log(2),
}  # fmt: skip
SEED = torch.tensor(2**40 + 17)


def inputs(num_rows: int, columns: int, dtype=torch.float32) -> list[torch.Tensor]:
    """Features of all sizes, a bias, and a gradient of the output."""
    torch.manual_seed(0)
    x = torch.randn(num_rows, columns, dtype=dtype) * 10 ** (4 * torch.rand(num_rows, 1) - 3).to(dtype)
    return [x.requires_grad_(), torch.randn(columns, dtype=dtype).requires_grad_(), torch.randn_like(x)]


def plain(x, bias, activation, dropout, seed):
    """The definition, without our code but for the mask."""
    y = PLAIN[activation](x if bias is None else x + bias)
    return y * keep_mask(seed, x.shape, dropout) / (1 - dropout) if dropout else y


@pytest.mark.parametrize("activation", PLAIN)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize(("dtype", "widths"), [(torch.float32, WIDTHS), (torch.float64, (3, 100))])
def test_equals_the_definition(activation, dropout, dtype, widths):
    tolerance = {"rtol": 2e-6, "atol": 2e-6} if dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-12}
    for columns in widths:
        x, bias, grad = inputs(300, columns, dtype)
        for given in (None, bias):
            out = epilogue(x, given, activation=activation, dropout=dropout, seed=SEED)
            expected = plain(x, given, activation, dropout, SEED)
            torch.testing.assert_close(out, expected, **tolerance)
            wanted = (x,) if given is None else (x, bias)
            got, known = (torch.autograd.grad(y, wanted, grad) for y in (out, expected))
            torch.testing.assert_close(got[0], known[0], **tolerance)
            if given is not None:
                torch.testing.assert_close(got[1], known[1], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("activation", PLAIN)
def test_kernel_equals_reference(activation):
    x, bias, grad = (t.detach() for t in inputs(40, 35))
    for seed in (None, SEED):
        arguments = seed, activation, 0.3
        torch.testing.assert_close(epilogue_op(x, bias, *arguments), reference.epilogue(x, bias, *arguments))
        saved = {"none": None, "relu": x.relu()}.get(activation, x)
        shift = None if activation in ("none", "relu") else bias
        got, known = (f(grad, saved, shift, *arguments) for f in (epilogue_grad_op, reference.epilogue_grad))
        torch.testing.assert_close(got, known, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_short_floats(dtype, activation):
    x, bias, grad = (t.detach().to(dtype).requires_grad_() for t in inputs(100, 20))
    out = epilogue(x, bias, activation=activation, dropout=0.3, seed=SEED)
    expected = plain(x.float(), bias.float(), activation, 0.3, SEED)
    assert out.dtype == dtype
    torch.testing.assert_close(out.float(), expected, rtol=0.01, atol=0.01)
    got, known = (torch.autograd.grad(y, (x, bias), grad.to(y.dtype)) for y in (out, expected))
    torch.testing.assert_close(got, known, rtol=0.02, atol=0.05)


@pytest.mark.parametrize("activation", PLAIN)
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_derivatives(activation, dropout):
    x, bias, _ = inputs(5, 3, torch.float64)

    def f(x, bias):
        return epilogue(x, bias, activation=activation, dropout=dropout, seed=SEED)

    assert torch.autograd.gradcheck(f, (x, bias))
    assert torch.autograd.gradgradcheck(f, (x, bias))
    assert torch.autograd.gradcheck(lambda x: f(x, None), (x,))


@pytest.mark.parametrize("activation", ["elu", "gelu", "silu", "tanh", "shifted_softplus"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("columns", [3, 20, 64, 100])
def test_second_derivative_in_one_pass(activation, dropout, columns):
    """What a loss that holds a gradient sends back, against plain PyTorch."""
    got, known = [], []
    for found, f in ((got, epilogue), (known, plain)):
        x, bias, grad = inputs(300, columns, torch.float64)
        grad.requires_grad_()
        given = {"activation": activation, "dropout": dropout, "seed": SEED}
        slopes = torch.autograd.grad((f(x, bias, **given) * grad).sum(), (x, bias), create_graph=True)
        sum((slope**2).sum() for slope in slopes).backward()
        found += [x.grad, bias.grad, grad.grad]
    torch.testing.assert_close(got, known, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("activation", ["elu", "gelu", "silu", "tanh", "shifted_softplus"])
def test_curve_kernel_equals_reference(activation):
    x, bias, grad = (t.detach() for t in inputs(40, 35))
    by_x, by_bias = torch.randn_like(x), torch.randn_like(bias)
    for shift, seed in ((None, None), (bias, SEED)):
        rest = grad, x, shift, seed, activation, 0.3
        got, known = epilogue_curve_op(by_x, by_bias, *rest), reference.epilogue_curve(by_x + by_bias, *rest)
        torch.testing.assert_close(got, known, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("dtype", "exact"), [(torch.float32, torch.float64), (torch.float64, torch.float64)])
def test_shifted_softplus_to_the_last_digits(dtype, exact):
    x = torch.linspace(-30, 30, 4001, dtype=dtype)
    expected = torch.log1p(torch.exp(-x.to(exact).abs())) + x.to(exact).clamp(min=0) - math.log(2)
    apart = (epilogue(x, activation="shifted_softplus").to(exact) - expected).abs()
    assert (apart / expected.abs().clamp(min=0.5)).max() < 4 * torch.finfo(dtype).eps


def test_third_derivative():
    x = torch.linspace(-2, 2, 5, dtype=torch.float64).requires_grad_()
    third = []
    for f in (lambda t: epilogue(t, activation="gelu"), F.gelu):
        value = f(x).sum()
        for _ in range(3):
            (value,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        third.append(value)
    torch.testing.assert_close(*third)


@pytest.mark.parametrize("activation", PLAIN)
def test_nan_and_infinity_propagate(activation):
    values = [torch.nan, torch.inf, -torch.inf, 0.0, -0.0, 1e30, -1e30, 100.0, -100.0]
    x = torch.tensor(values * 4, requires_grad=True)
    for dropout in (0.0, 0.5):
        out = epilogue(x, activation=activation, dropout=dropout, seed=SEED)
        expected = plain(x.double(), None, activation, dropout, SEED)  # in float32, torch's gelu(inf) is NaN
        torch.testing.assert_close(out, expected.float(), equal_nan=True)
    got, known = (
        torch.autograd.grad(f(x).sum(), x)[0] for f in (lambda t: epilogue(t, activation=activation), PLAIN[activation])
    )
    torch.testing.assert_close(got, known, equal_nan=True)


def test_any_leading_dimensions_and_strides():
    x, bias = torch.randn(4, 3, 2, 7), torch.randn(7)
    for shaped in (x, x[0, 0, 0], x.transpose(0, 2), x[:, :0], x[:0], x[..., :0]):
        width = shaped.shape[-1]
        expected = plain(shaped, bias[:width], "elu", 0.5, SEED)
        got = epilogue(shaped, bias[:width], activation="elu", dropout=0.5, seed=SEED)
        assert got.shape == shaped.shape
        torch.testing.assert_close(got, expected)


def test_nothing_to_do_is_still_new_memory():
    x = torch.randn(3, 4)
    assert epilogue(x).data_ptr() != x.data_ptr()
    assert torch.equal(epilogue(x), x)


@pytest.mark.parametrize(("activation", "kept"), [("none", 0), ("relu", 1), ("gelu", 2)])
def test_stores_what_the_backward_needs_only(activation, kept):
    x, bias, _ = inputs(50, 8)
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        out = epilogue(x, bias, activation=activation, dropout=0.5, seed=SEED)
    places = {t.data_ptr() for t in saved if t.numel() > 1}
    assert places == {0: set(), 1: {out.data_ptr()}, 2: {x.data_ptr(), bias.data_ptr()}}[kept]


def test_seed_decides_the_mask():
    x = torch.ones(64, 64)
    torch.manual_seed(1)
    first, second = epilogue(x, dropout=0.5), epilogue(x, dropout=0.5)
    assert not torch.equal(first, second)
    torch.manual_seed(1)
    assert torch.equal(epilogue(x, dropout=0.5), first)
    assert torch.equal(epilogue(x, dropout=0.25, seed=SEED) > 0, keep_mask(SEED, x.shape, 0.25))
    assert epilogue(x, dropout=1.0).abs().sum() == 0


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_same_bits_for_any_number_of_threads(activation):
    x, bias, grad = inputs(3001, 100)
    results, threads = [], torch.get_num_threads()
    for count in (1, 2, 5):
        torch.set_num_threads(count)
        out = epilogue(x, bias, activation=activation, dropout=0.5, seed=SEED)
        results.append((out, *torch.autograd.grad(out, (x, bias), grad)))
    torch.set_num_threads(threads)
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_operations_are_registered_well():
    x, bias, grad = inputs(6, 5)
    grad.requires_grad_()
    for arguments in ((x, bias, SEED, "gelu", 0.5), (x, None, None, "relu", 0.0), (x, bias, SEED, "none", 0.5)):
        assert set(torch.library.opcheck(epilogue_op, arguments).values()) == {"SUCCESS"}
    for arguments in ((grad, x, bias, SEED, "gelu", 0.5), (grad, None, None, None, "none", 0.0)):
        assert set(torch.library.opcheck(epilogue_grad_op, arguments).values()) == {"SUCCESS"}


def test_compiles_without_a_break():
    x, bias, _ = inputs(6, 5)
    compiled = torch.compile(
        lambda x, bias: epilogue(x, bias, activation="elu", dropout=0.5), fullgraph=True, backend="aot_eager"
    )
    torch.manual_seed(3)
    expected = epilogue(x, bias, activation="elu", dropout=0.5)
    torch.manual_seed(3)
    torch.testing.assert_close(compiled(x, bias), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: epilogue(x, activation="swish"), "swish"),
        (lambda x: epilogue(x, torch.ones(3)), "4 columns"),
        (lambda x: epilogue(x, torch.ones(4, 1)), "dimensions"),
        (lambda x: epilogue(x, torch.ones(4).double()), "share one dtype"),
        (lambda x: epilogue(x, dropout=1.1), "probability"),
        (lambda x: epilogue(x, dropout=0.5, seed=3), "seed"),
        (lambda x: epilogue(x.long()), "dtype"),
        (lambda x: epilogue(x.sum()), "dimensions"),
        (lambda x: epilogue(x.to_sparse()), "dense"),
        (lambda x: epilogue([1.0]), "tensor"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(torch.ones(2, 4))
