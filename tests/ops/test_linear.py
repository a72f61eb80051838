"""The matrix product, with its result in kept memory and without."""

import os
import subprocess
import sys

import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.linear import linear, linear_op


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("has_bias", [True, False])
def test_equals_pytorch(dtype, has_bias):
    x, weight, bias = (torch.randn(*shape).to(dtype) for shape in ((30, 7), (5, 7), (5,)))
    bias = bias if has_bias else None
    expected = torch.nn.functional.linear(x, weight, bias)
    assert torch.equal(linear(x, weight, bias), expected)
    torch.testing.assert_close(linear_op(x, weight, bias), expected)


def test_derivatives():
    shapes = ((4, 3), (5, 3), (5,))
    x, weight, bias = (torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    assert torch.autograd.gradcheck(linear_op, (x, weight, bias))
    assert torch.autograd.gradgradcheck(linear_op, (x, weight, bias))
    assert set(torch.library.opcheck(linear_op, (x, weight, bias)).values()) == {"SUCCESS"}


def test_wrong_shapes():
    with pytest.raises(InputError, match="the same number of columns"):
        linear(torch.ones(2, 3), torch.ones(4, 2))
    with pytest.raises(InputError, match="a number for each row"):
        linear(torch.ones(2, 3), torch.ones(4, 3), torch.ones(3))


_LARGE = """
import torch
from grapevine.nn import MLP
from grapevine.ops.runtime.allocator import keep_memory

def gradients():
    torch.manual_seed(0)
    mlp, x = MLP([64, 64, 8]), torch.randn(20_000, 64)
    mlp(x).square().mean().backward()
    return [p.grad for p in mlp.parameters()]

plain = gradients()
assert keep_memory()
for _ in range(3):
    for a, b in zip(plain, gradients()):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
"""


def test_large_products_are_the_same_where_memory_is_kept():
    environment = {key: value for key, value in os.environ.items() if key != "GRAPEVINE_ALLOCATOR"}
    subprocess.run([sys.executable, "-c", _LARGE], check=True, env=environment)
