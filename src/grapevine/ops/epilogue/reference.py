"""The epilogue in plain PyTorch, and the first two derivatives of its activations."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from grapevine.ops.runtime.random import keep_mask, scale_of

LEAK = 0.01  # the slope of leaky_relu below 0


class Activation(NamedTuple):
    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor] | None  # none where it is 0


def _density(z: Tensor) -> Tensor:
    return (-0.5 * z * z).exp() / math.sqrt(2 * math.pi)


def _elu_slope(z: Tensor) -> Tensor:
    return z.clamp(max=0).exp()


def _silu_slope(z: Tensor) -> Tensor:
    sigmoid = z.sigmoid()
    return sigmoid * (1 + z * (1 - sigmoid))


def _silu_curvature(z: Tensor) -> Tensor:
    sigmoid = z.sigmoid()
    return sigmoid * (1 - sigmoid) * (2 + z * (1 - 2 * sigmoid))


ACTIVATIONS = {
    "none": Activation(torch.clone, torch.ones_like, None),
    "relu": Activation(F.relu, lambda z: torch.ones_like(z).masked_fill(z <= 0, 0), None),
    "elu": Activation(F.elu, _elu_slope, lambda z: _elu_slope(z) * (z <= 0)),
    "leaky_relu": Activation(F.leaky_relu, lambda z: torch.ones_like(z).masked_fill(~(z > 0), LEAK), None),
    "gelu": Activation(F.gelu, lambda z: torch.special.ndtr(z) + z * _density(z), lambda z: (2 - z * z) * _density(z)),
    "silu": Activation(F.silu, _silu_slope, _silu_curvature),
    "tanh": Activation(torch.tanh, lambda z: 1 - z.tanh() ** 2, lambda z: -2 * z.tanh() * (1 - z.tanh() ** 2)),
    "shifted_softplus": Activation(
        lambda z: F.softplus(z) - math.log(2), torch.sigmoid, lambda z: z.sigmoid() * (1 - z.sigmoid())
    ),
}


def epilogue(x: Tensor, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float) -> Tensor:
    out = ACTIVATIONS[activation].value(inner(x, bias))
    return drop(out, seed, dropout).to(x.dtype).contiguous()


def epilogue_grad(
    grad: Tensor, saved: Tensor | None, bias: Tensor | None, seed: Tensor | None, activation: str, dropout: float
) -> tuple[Tensor, Tensor]:
    """The gradients by x and by the bias. `saved` is x; for relu the output; for none nothing."""
    grad_x = wide(grad) * ACTIVATIONS[activation].slope(inner(grad if saved is None else saved, bias))
    if activation != "relu":
        grad_x = drop(grad_x, seed, dropout)
    elif seed is not None:
        grad_x = grad_x * scale_of(dropout)  # what was dropped is 0 in the output that was saved
    return grad_x.to(grad.dtype).contiguous(), grad_x.sum(0).to(grad.dtype)


def epilogue_curve(
    total: Tensor, grad: Tensor, saved: Tensor, bias: Tensor | None, seed: Tensor | None, activation: str,
    dropout: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """total f' m, total grad f'' m and the sum of its rows, with m the mask."""
    _, slope, curvature = ACTIVATIONS[activation]
    assert curvature is not None
    z, kept = inner(saved, bias), drop(wide(total), seed, dropout)
    by_saved = kept * wide(grad) * curvature(z)
    by_grad = (kept * slope(z)).to(grad.dtype).contiguous()
    return by_grad, by_saved.to(grad.dtype).contiguous(), by_saved.sum(0).to(grad.dtype)


def inner(x: Tensor, bias: Tensor | None) -> Tensor:
    """x + bias, in float32 at least."""
    return wide(x) if bias is None else wide(x) + wide(bias)


def wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def drop(y: Tensor, seed: Tensor | None, p: float) -> Tensor:
    """y times 1 / (1 - p) where it is kept, times 0 where not; all of it without a seed."""
    if seed is None:
        return y
    return y * (keep_mask(seed, y.shape, p).to(y.dtype) * scale_of(p))
