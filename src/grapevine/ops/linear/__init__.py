"""A matrix product whose result goes where memory is kept.

y = x W^T + b

PyTorch's own product, on every device; on the processor its result comes from the pool of `runtime.allocator`.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_tensor, check_together
from grapevine.errors import check
from grapevine.ops.runtime.allocator import empty, is_pooled
from grapevine.ops.runtime.kernel import cpu_kernel


def linear(
    x: Float[Tensor, "n c"], weight: Float[Tensor, "d c"], bias: Float[Tensor, " d"] | None = None
) -> Float[Tensor, "n d"]:
    """Map the rows of x, [n, c], by the weight, [d, c], and add the bias, [d].

    >>> linear(torch.ones(1, 2), torch.tensor([[1.0, 2.0]])).tolist()
    [[3.0]]
    """
    for name, tensor in (("x", x), ("weight", weight)):
        check_tensor(name, tensor, ndim=2)
    check_together(x=x, weight=weight, bias=bias)
    check(x.shape[1] == weight.shape[1], "x and weight must have the same number of columns")
    check(bias is None or bias.shape == weight.shape[:1], "bias must have a number for each row of weight")
    # The dispatch of an operation of ours costs more than a small product; a compiler plans memory itself.
    if torch.compiler.is_compiling() or not is_pooled((x.shape[0], weight.shape[0]), x.dtype):
        return torch.nn.functional.linear(x, weight, bias)
    return linear_op(x, weight, bias)


@torch.library.custom_op("grapevine::linear", mutates_args=())
def linear_op(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x W^T + b."""
    return torch.nn.functional.linear(x, weight, bias)


@cpu_kernel("linear")
def _(x, weight, bias):
    out = empty((x.shape[0], weight.shape[0]), x.dtype)
    return torch.mm(x, weight.T, out=out) if bias is None else torch.addmm(bias, x, weight.T, out=out)


@linear_op.register_fake
def _(x, weight, bias):
    return x.new_empty(x.shape[0], weight.shape[0])


def _save(ctx, inputs, output) -> None:
    x, weight, _ = inputs
    ctx.save_for_backward(x, weight)


def _backward(ctx, grad):
    x, weight = ctx.saved_tensors
    grad_x = linear_op(grad, weight.T, None) if ctx.needs_input_grad[0] else None
    grad_weight = grad.T @ x if ctx.needs_input_grad[1] else None
    return grad_x, grad_weight, grad.sum(0) if ctx.needs_input_grad[2] else None


linear_op.register_autograd(_backward, setup_context=_save)
