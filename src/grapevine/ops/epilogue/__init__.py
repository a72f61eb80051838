"""What follows a matrix product or an aggregation, in one pass over memory.

y = dropout(activation(x + bias))

For dropout see N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014.
The backward is one pass as well and stores no mask: relu needs its output alone (y > 0 where it was active and
kept), the others need x, and the mask is drawn again from the seed.
"""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_tensor, check_together
from grapevine.errors import check
from grapevine.ops.epilogue import cpu, reference
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.runtime.random import check_dropout, draw_seed

Activation = Literal["none", "relu", "elu", "leaky_relu", "gelu", "silu", "tanh", "shifted_softplus"]


def epilogue(
    x: Float[Tensor, "*n c"],
    bias: Float[Tensor, " c"] | None = None,
    *,
    activation: Activation = "none",
    dropout: float = 0.0,
    seed: Int[Tensor, ""] | None = None,
) -> Float[Tensor, "*n c"]:
    """Add the bias, activate and drop out, with the gradient of each in one pass.

    Args:
        x: [*n, c], any number of dimensions but none.
        bias: [c].
        activation: PyTorch's function of that name with its defaults: elu of alpha 1, leaky_relu of slope 0.01,
            gelu exact; and shifted_softplus, softplus minus log 2.
        dropout: the probability that a number is made 0; the others are divided by one minus it.
        seed: a 0-dim int64 tensor that says which ones; drawn from PyTorch's generator when None.

    Returns:
        [*n, c], new memory always.

    >>> epilogue(torch.tensor([[1.0, -3.0], [4.0, 1.0]]), torch.tensor([1.0, 2.0]), activation="relu").tolist()
    [[2.0, 0.0], [5.0, 3.0]]
    >>> epilogue(torch.ones(2, 4), dropout=0.5, seed=torch.tensor(7)).tolist()
    [[2.0, 0.0, 0.0, 2.0], [2.0, 0.0, 0.0, 2.0]]
    """
    _check(x, bias, activation, dropout, seed)
    if bias is None and dropout == 0 and activation == "relu":
        return x.relu().contiguous()  # nothing to do in one pass, and many small calls: PyTorch's costs less
    if dropout == 0:
        seed = None
    elif seed is None:
        seed = draw_seed(x.device)
    rows = x.flatten(0, -2) if x.ndim > 1 else x.unsqueeze(0)
    return epilogue_op(rows, bias, seed, activation, dropout).reshape(x.shape)


def _check(x, bias, activation, dropout, seed) -> None:
    check_tensor("x", x, ndim=max(1, x.ndim) if isinstance(x, Tensor) else 1)
    if bias is not None:
        check_tensor("bias", bias, ndim=1)
        channels = x.shape[-1]
        check(bias.shape[0] == channels, f"bias must have the {channels} columns of x, got shape {tuple(bias.shape)}")
    check_together(x=x, bias=bias)
    known = ", ".join(reference.ACTIVATIONS)
    check(activation in [*reference.ACTIVATIONS], f"activation must be one of {known}, got {activation!r}")
    check_dropout(dropout, seed, x.device)


@torch.library.custom_op("grapevine::epilogue", mutates_args=())
def epilogue_op(x: Tensor, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float) -> Tensor:
    return reference.epilogue(x, bias, seed, activation, dropout)


@cpu_kernel("epilogue")
def _(x, bias, seed, activation, dropout):
    return cpu.epilogue(x, bias, seed, activation, dropout)


@epilogue_op.register_fake
def _(x, bias, seed, activation, dropout):
    return torch.empty_like(x, memory_format=torch.contiguous_format)


def _save(ctx, inputs, output) -> None:
    x, bias, seed, ctx.activation, ctx.dropout = inputs
    kept = {"none": (None, None), "relu": (output, None)}.get(ctx.activation, (x, bias))
    ctx.save_for_backward(*kept, seed)


def _epilogue_backward(ctx, grad):
    grad_x, grad_bias = epilogue_grad_op(grad, *ctx.saved_tensors, ctx.activation, ctx.dropout)
    return grad_x, grad_bias if ctx.needs_input_grad[1] else None, None, None, None


epilogue_op.register_autograd(_epilogue_backward, setup_context=_save)


# The backward: grad_x = grad f'(x + bias) m and grad_bias = the sum of its rows, with f the activation and m the mask.
# It is linear in grad, and its own derivative by x is grad f''(x + bias) m.


@torch.library.custom_op("grapevine::epilogue_grad", mutates_args=())
def epilogue_grad_op(
    grad: Tensor, saved: Tensor | None, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float
) -> tuple[Tensor, Tensor]:
    return reference.epilogue_grad(grad, saved, bias, seed, activation, dropout)


@cpu_kernel("epilogue_grad")
def _(grad, saved, bias, seed, activation, dropout):
    return cpu.epilogue_grad(grad, saved, bias, seed, activation, dropout)


@epilogue_grad_op.register_fake
def _(grad, saved, bias, seed, activation, dropout):
    return torch.empty_like(grad, memory_format=torch.contiguous_format), grad.new_empty(grad.shape[1])


def _save_grad(ctx, inputs, output) -> None:
    *tensors, ctx.activation, ctx.dropout = inputs
    ctx.save_for_backward(*tensors)


def _epilogue_grad_backward(ctx, by_x, by_bias):
    grad, saved, bias, seed = ctx.saved_tensors
    curvature = reference.ACTIVATIONS[ctx.activation].curvature
    is_bent = curvature is not None and any(ctx.needs_input_grad[1:3])
    if is_bent and not torch.is_grad_enabled():
        by_grad, by_saved, total = epilogue_curve_op(
            by_x, by_bias, grad, saved, bias, seed, ctx.activation, ctx.dropout
        )
        return by_grad, by_saved, None if bias is None else total, None, None, None
    total = by_x + by_bias
    by_grad, _ = epilogue_grad_op(total, saved, bias, seed, ctx.activation, ctx.dropout)
    if curvature is None or not is_bent:
        return by_grad, None, None, None, None, None
    bend = curvature(reference.inner(saved, bias))
    by_saved = reference.drop(reference.wide(total) * reference.wide(grad) * bend, seed, ctx.dropout).to(grad.dtype)
    return by_grad, by_saved, None if bias is None else by_saved.sum(0), None, None, None


epilogue_grad_op.register_autograd(_epilogue_grad_backward, setup_context=_save_grad)


# The backward of that in one pass, where nobody asks for a third derivative: with t = by_x + by_bias these are t f' m,
# t grad f'' m, and the sum of the rows of the latter.


@torch.library.custom_op("grapevine::epilogue_curve", mutates_args=())
def epilogue_curve_op(
    by_x: Tensor, by_bias: Tensor, grad: Tensor, saved: Tensor, bias: Tensor | None, seed: Tensor | None,
    activation: str, dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    return reference.epilogue_curve(by_x + by_bias, grad, saved, bias, seed, activation, dropout)


@cpu_kernel("epilogue_curve")
def _(by_x, by_bias, grad, saved, bias, seed, activation, dropout):
    return cpu.epilogue_curve((by_x, by_bias), grad, saved, bias, seed, activation, dropout)


@epilogue_curve_op.register_fake
def _(by_x, by_bias, grad, saved, bias, seed, activation, dropout):
    like = torch.empty_like(grad, memory_format=torch.contiguous_format)
    return like, torch.empty_like(like), grad.new_empty(grad.shape[1])
