"""Every word of the vector vocabulary against NumPy, with tails, NaN and infinity."""

import numpy as np
import pytest
import torch

from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import as_array
from grapevine.ops.runtime.simd import (
    add_heads,
    counter,
    exp,
    expm1,
    heads_of,
    is_nan,
    load,
    load_part,
    maximum,
    minimum,
    polynomial,
    prefetch,
    spread,
    spread_heads,
    store,
    store_part,
    sum_lanes,
    where,
    zeros,
)

FLOATS = (np.float32, np.float64)
ODD = (0.0, -0.0, 1.0, -1.5, 1e-30, -1e30, np.inf, -np.inf, np.nan)


@kernel
def _arithmetic(a, b, out):
    """One row of `out` for each word."""
    n = a.shape[0]
    for f in range(0, n, 16):
        x, y = load(a, f, 16), load(b, f, 16)
        no, yes = zeros(a, 16), spread(1.0, x)
        store(out, f, x + y)
        store(out, n + f, x - y)
        store(out, 2 * n + f, x * y)
        store(out, 3 * n + f, x / y)
        store(out, 4 * n + f, maximum(x, y))
        store(out, 5 * n + f, minimum(x, y))
        store(out, 6 * n + f, where(x < y, yes, no))
        store(out, 7 * n + f, where(x <= y, yes, no))
        store(out, 8 * n + f, where(x > y, yes, no))
        store(out, 9 * n + f, where(x >= y, yes, no))
        store(out, 10 * n + f, where(x == y, yes, no))
        store(out, 11 * n + f, where(is_nan(x), yes, no))
        store(out, 12 * n + f, 2.0 - x)
        store(out, 13 * n + f, x * 3)
        store(out, 14 * n + f, x / 4.0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_arithmetic_and_comparisons(dtype):
    a, b = (grid.ravel().astype(dtype) for grid in np.meshgrid(ODD, ODD))
    a, b = np.resize(a, 96), np.resize(b, 96)
    out = np.empty((15, 96), dtype)
    _arithmetic(a, b, out)
    with np.errstate(all="ignore"):
        expected = [
            a + b, a - b, a * b, a / b, np.maximum(a, b), np.minimum(a, b), a < b, a <= b, a > b, a >= b, a == b,
            np.isnan(a), 2 - a, a * dtype(3), a / dtype(4),
        ]  # fmt: skip
    np.testing.assert_array_equal(out, np.stack([row.astype(dtype) for row in expected]))


@kernel
def _copy_part(source, target, offset, count):
    prefetch(source, offset + 10**6, 128)  # beyond the end: must not fault
    store_part(target, offset, count, load_part(source, offset, count, 32))


@kernel
def _copy_wide(source, target, offset):
    store(target, offset, load(source, offset, 128))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int32])
def test_a_part_touches_its_lanes_only(dtype):
    source = torch.arange(1, 41).to(dtype)
    for count in (0, 1, 15, 16, 17, 31, 32):
        target = torch.full((40,), -1).to(dtype)
        _copy_part(as_array(source), as_array(target), 5, count)
        expected = torch.full((40,), -1).to(dtype)
        expected[5 : 5 + count] = source[5 : 5 + count]
        assert torch.equal(target, expected)


@kernel
def _lanes_after_a_part(source, count, out):
    store(out, 0, load_part(source, 0, count, 32))


def test_lanes_behind_a_part_are_zero():
    out = np.full(32, -1, np.float32)
    _lanes_after_a_part(np.ones(5, np.float32), 5, out)
    assert out.tolist() == [1.0] * 5 + [0.0] * 27


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_floats_widen_and_round_as_in_torch(dtype):
    bits = torch.arange(-(2**15), 2**15).to(torch.int16)
    short, wide = bits.view(dtype), torch.empty(len(bits))
    for offset in range(0, len(bits), 128):
        _copy_wide(as_array(short), as_array(wide), offset)
    torch.testing.assert_close(wide, short.float(), rtol=0, atol=0, equal_nan=True)

    torch.manual_seed(0)
    floats = torch.cat([torch.randn(4096) * 10.0 ** torch.randint(-8, 6, (4096,)), wide[wide.isfinite()][:4096]])
    floats = torch.cat([floats, torch.tensor(ODD, dtype=torch.float32).repeat(15)[:128]])
    rounded = torch.empty(len(floats), dtype=dtype)
    for offset in range(0, len(floats), 128):
        _copy_wide(as_array(floats), as_array(rounded), offset)
    torch.testing.assert_close(rounded, floats.to(dtype), rtol=0, atol=0, equal_nan=True)


@kernel
def _functions(x, out):
    n = x.shape[0]
    for f in range(0, n, 16):
        store(out, f, exp(load(x, f, 16)))
        store(out, n + f, expm1(load(x, f, 16)))
        store(out, 2 * n + f, _cubic(load(x, f, 16)))


_cubic = polynomial(single=(1.0, -2.0, 0.0, 0.5), double=(1.0, -2.0, 0.0, 0.25))


def functions(x: np.ndarray) -> np.ndarray:
    out = np.empty((3, len(x)), x.dtype)
    _functions(x, out)
    return out


@pytest.mark.parametrize(("dtype", "exact", "low", "high"), [
    (np.float32, np.float64, -87.3, 88.72), (np.float64, np.longdouble, -708.3, 709.78),
])  # fmt: skip
def test_exp_to_the_last_bits(dtype, exact, low, high):
    near_zero = np.geomspace(1e-12, 1, 16_000)
    x = np.concatenate([np.linspace(low, high, 200_000), near_zero, -near_zero]).astype(dtype)
    x = x[: len(x) // 16 * 16]
    for got, function, ulps in zip(functions(x), (np.exp, np.expm1), (2, 3), strict=False):
        expected = function(x.astype(exact))
        error = np.abs(got.astype(exact) - expected) / np.spacing(np.abs(expected).astype(dtype))
        assert error.max() <= ulps


@pytest.mark.parametrize("dtype", FLOATS)
def test_exp_of_odd_numbers(dtype):
    x = np.resize(np.array([*ODD, 89.0, 710.0, -104.0, -746.0], dtype), 16)
    with np.errstate(over="ignore", under="ignore"):
        expected = np.stack([np.exp(x), np.expm1(x)])
    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(functions(x)[:2], np.where(np.abs(expected) < tiny, 0, expected), rtol=1e-6, atol=1e-29)


@pytest.mark.parametrize("dtype", FLOATS)
def test_polynomial_by_type(dtype):
    x = np.linspace(-2, 2, 16, dtype=dtype)
    expected = 1 - 2 * x + (0.5 if dtype == np.float32 else 0.25) * x**3
    np.testing.assert_allclose(functions(x)[2], expected, rtol=1e-6, atol=1e-6)


@kernel
def _sums(x):
    return sum_lanes(load(x, 0, 16)), sum_lanes(load(x, 0, 128))


@pytest.mark.parametrize("dtype", FLOATS)
def test_sum_lanes_adds_as_a_tree(dtype):
    x = np.random.default_rng(0).standard_normal(128).astype(dtype)
    for got, lanes in zip(_sums(x), (16, 128), strict=True):
        tree = x[:lanes]
        while len(tree) > 1:
            tree = tree[: len(tree) // 2] + tree[len(tree) // 2 :]
        assert got == tree[0]


@kernel
def _integers(start, factor, places, like, out):
    order = counter(start, zeros(like, 16))
    mixed = (order ^ (order >> places)) * np.uint32(factor) + order
    store(out, 0, mixed)
    store(out, 16, (mixed & order) | counter(7, order))
    store(out, 32, where(mixed < np.uint32(2**31), order, mixed))


@pytest.mark.parametrize("start", [0, 2**31 - 5, 2**32 - 5, 2**40 + 3])
def test_unsigned_integers_wrap(start):
    out = np.empty(48, np.int32)
    _integers(start, 0x846CA68B, 15, np.zeros(1, np.float32), out)
    order = (start + np.arange(16, dtype=np.uint64)).astype(np.uint32)
    mixed = (order ^ (order >> np.uint32(15))) * np.uint32(0x846CA68B) + order
    last = np.where(mixed < 2**31, order, mixed)
    expected = np.concatenate([mixed, (mixed & order) | np.arange(7, 23, dtype=np.uint32), last])
    np.testing.assert_array_equal(out.view(np.uint32), expected)


@kernel
def _share_heads(values, column, per_head, num_heads, lanes_out, sums):
    like = load(lanes_out, 0, 64)
    heads = heads_of(column, per_head, num_heads, like)
    numbers = spread_heads(values, 0, heads, like)
    store(lanes_out, 0, numbers)
    add_heads(sums, 0, heads, numbers)


@pytest.mark.parametrize(("column", "per_head", "num_heads"), [(0, 16, 4), (64, 32, 4), (0, 128, 1), (32, 48, 3)])
def test_heads_share_the_lanes(column, per_head, num_heads):
    values, lanes = np.arange(1, num_heads + 1, dtype=np.float32), np.zeros(64, np.float32)
    sums = np.zeros(num_heads, np.float32)
    _share_heads(values, column, per_head, num_heads, lanes, sums)
    head = np.minimum((column + np.arange(64)) // per_head, num_heads - 1)
    np.testing.assert_array_equal(lanes, values[head])
    np.testing.assert_array_equal(sums, np.bincount(head, values[head], num_heads))
