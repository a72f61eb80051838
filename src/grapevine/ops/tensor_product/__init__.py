"""Tensor products along edges, summed into rows: the convolution of equivariant networks, no message ever stored.

out[i] = sum over the entries e of row i, in column j, of  sum over the paths of  w[e] * C(x[j], sh[e])

C couples a block of x and a block of sh to a block of the output, each channel for itself ("uvu", Thomas et al. 2018,
"Tensor field networks"). With g[i] the form S = sum over i of <g[i], out[i]> is linear in each of g, w, sh and x. The
operations are its derivatives: by g the sum above, by x the same with pattern and paths turned round, by w and sh the
slopes. So each is the others' backward, to any order, and forces can be trained.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.ops.gather import check_features
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.tensor_product import cpu, reference
from grapevine.ops.tensor_product.paths import Path, Paths

__all__ = ["Path", "Paths", "tensor_product", "tensor_product_op", "tensor_product_slopes_op"]
_DTYPES = (torch.float32, torch.float64)


def tensor_product(
    pattern: Pattern,
    paths: Paths,
    x: Float[Tensor, "cols a"],
    weight: Float[Tensor, "e w"],
    sh: Float[Tensor, "e s"],
) -> Float[Tensor, "rows b"]:
    """Couple the x of each row's columns with the harmonics of its entries, weighted, and add up each row.

    Args:
        pattern: who gathers from whom.
        paths: which blocks are coupled, and how.
        x: [num_cols, paths.in_width] blocks of [dim, channels], the channels last.
        weight: [num_entries, paths.weight_width] a weight for each path, channel and entry.
        sh: [num_entries, paths.sh_width] what each entry is coupled with: spherical harmonics of its direction.

    Returns:
        [num_rows, paths.out_width]; zeros for a row without entries.

    Raises:
        InputError: if the shapes do not fit, or the numbers are not float32 or float64.

    >>> pattern = Pattern(torch.tensor([0, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> dot = Paths([Path(0, 0, 0, 1, torch.eye(3).unsqueeze(2))], in_width=3, sh_width=3, out_width=1)
    >>> x, sh = torch.tensor([[1.0, 2, 3], [0, 0, 1]]), torch.tensor([[1.0, 0, 0], [0, 0, 5]])
    >>> tensor_product(pattern, dot, x, torch.tensor([[1.0], [10.0]]), sh).tolist()
    [[51.0]]
    """
    _check(pattern, paths, x, weight, sh)
    tensors = x, weight, sh
    needs_grad = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
    cols, turned = (pattern.transposed.view, paths.turned.view(x.dtype)) if needs_grad else ([], [])
    return tensor_product_op(pattern.view, cols, paths.view(x.dtype), turned, *tensors, paths.out_width)


def _check(pattern: Pattern, paths: Paths, x: Tensor, weight: Tensor, sh: Tensor) -> None:
    check(isinstance(paths, Paths), f"paths must be Paths, got {type(paths).__name__}")
    check_features(pattern, "x", x, "columns", most_dims=2)
    check_features(pattern, "weight", weight, "entries", most_dims=2)
    check_features(pattern, "sh", sh, "entries", most_dims=2)
    check_together(x=x, weight=weight, sh=sh)
    for name, tensor, width in (
        ("x", x, paths.in_width),
        ("weight", weight, paths.weight_width),
        ("sh", sh, paths.sh_width),
    ):
        check_tensor(name, tensor, ndim=2, dtypes=_DTYPES)
        if tensor.shape[1] != width:
            raise InputError(f"{name} must have the {width} columns of {paths}, got {tensor.shape[1]}")


@torch.library.custom_op("grapevine::tensor_product", mutates_args=())
def tensor_product_op(
    rows: list[Tensor], cols: list[Tensor], paths: list[Tensor], turned: list[Tensor],
    x: Tensor, weight: Tensor, sh: Tensor, out_width: int,
) -> Tensor:  # fmt: skip
    """[n, out_width] the derivative of S by g; cols and turned are empty where no gradient is wanted."""
    return reference.total(rows, paths, x, weight, sh, out_width)


@cpu_kernel("tensor_product")
def _(rows, cols, paths, turned, x, weight, sh, out_width):
    return cpu.total(rows, paths, x, weight, sh, out_width)


@tensor_product_op.register_fake
def _(rows, cols, paths, turned, x, weight, sh, out_width):
    return x.new_empty(rows[0].shape[0] - 1, out_width)


@torch.library.custom_op("grapevine::tensor_product_slopes", mutates_args=())
def tensor_product_slopes_op(
    rows: list[Tensor], cols: list[Tensor], paths: list[Tensor], turned: list[Tensor],
    g: Tensor, x: Tensor, weight: Tensor, sh: Tensor, wanted: list[bool],
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The derivatives of S by weight and by sh; empty where one is not wanted."""
    return reference.slopes(rows, paths, g, x, weight, sh, wanted)


@cpu_kernel("tensor_product_slopes")
def _(rows, cols, paths, turned, g, x, weight, sh, wanted):
    return cpu.slopes(rows, paths, g, x, weight, sh, wanted)


@tensor_product_slopes_op.register_fake
def _(rows, cols, paths, turned, g, x, weight, sh, wanted):
    return tuple(torch.empty_like(of) if is_wanted else of.new_empty(0) for of, is_wanted in _pairs(weight, sh, wanted))


def _pairs(weight: Tensor, sh: Tensor, wanted: list[bool]):
    return zip((weight, sh), wanted, strict=True)


def _save(ctx, inputs, output) -> None:
    *lists, x, weight, sh, _ = inputs
    ctx.lengths = [len(tensors) for tensors in lists]
    ctx.save_for_backward(*(tensor for tensors in lists for tensor in tensors), x, weight, sh)


def _save_slopes(ctx, inputs, output) -> None:
    *lists, g, x, weight, sh, ctx.wanted = inputs
    ctx.lengths = [len(tensors) for tensors in lists]
    ctx.save_for_backward(*(tensor for tensors in lists for tensor in tensors), g, x, weight, sh)


def _split(ctx) -> tuple[list[list[Tensor]], list[Tensor]]:
    """rows, cols, paths and turned, and the factors behind them."""
    saved, lists, at = list(ctx.saved_tensors), [], 0
    for length in ctx.lengths:
        lists.append(saved[at : at + length])
        at += length
    return lists, saved[at:]


def _back(lists: list[list[Tensor]]) -> list[list[Tensor]]:
    rows, cols, paths, turned = lists
    return [cols, rows, turned, paths]


def _no_gradients(ctx) -> tuple[list[None], ...]:
    return tuple([None] * length for length in ctx.lengths)


def _backward(ctx, grad):
    lists, (x, weight, sh) = _split(ctx)
    needs_x, needs_weight, needs_sh = ctx.needs_input_grad[4:7]
    grad, of_x, of_weight, of_sh = grad.contiguous(), None, None, None
    if needs_x:
        of_x = tensor_product_op(*_back(lists), grad, weight, sh, x.shape[1])
    if needs_weight or needs_sh:
        of_weight, of_sh = tensor_product_slopes_op(*lists, grad, x, weight, sh, [needs_weight, needs_sh])
    return *_no_gradients(ctx), of_x, of_weight if needs_weight else None, of_sh if needs_sh else None, None


def _slopes_backward(ctx, by_weight, by_sh):
    """With b and c the gradients by the slopes, the gradients of S(g, x, b, sh) + S(g, x, w, c)."""
    lists, (g, x, weight, sh) = _split(ctx)
    needs_g, needs_x, needs_weight, needs_sh, _ = ctx.needs_input_grad[4:]
    of_g = of_x = of_weight = of_sh = None
    factors = []  # of the forms: what stands for weight, and for sh
    if ctx.wanted[0]:
        factors.append((by_weight.contiguous(), sh))
    if ctx.wanted[1]:
        factors.append((weight, by_sh.contiguous()))
    if needs_g:
        of_g = _sum_of([tensor_product_op(*lists, x, *pair, g.shape[1]) for pair in factors])
    if needs_x:
        of_x = _sum_of([tensor_product_op(*_back(lists), g, *pair, x.shape[1]) for pair in factors])
    if needs_weight and ctx.wanted[1]:
        of_weight, _ = tensor_product_slopes_op(*lists, g, x, *factors[-1], [True, False])
    if needs_sh and ctx.wanted[0]:
        _, of_sh = tensor_product_slopes_op(*lists, g, x, *factors[0], [False, True])
    return *_no_gradients(ctx), of_g, of_x, of_weight, of_sh, None


def _sum_of(parts: list[Tensor]) -> Tensor | None:
    return None if not parts else parts[0] if len(parts) == 1 else parts[0] + parts[1]


tensor_product_op.register_autograd(_backward, setup_context=_save)
tensor_product_slopes_op.register_autograd(_slopes_backward, setup_context=_save_slopes)
