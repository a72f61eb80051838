"""A polynomial of up to third degree in the components of each node, each channel for itself: MACE's product basis.

out[i, o] = sum over the terms k of output o of  W[kind i, k] * the product of the factors of k among x[i]

Batatia et al. 2022, "MACE: higher order equivariant message passing neural networks" (equation 10): a term has one,
two or three factors, which is what an atom makes of one, two and three of its neighbours. The slopes are an operation
of their own, and so is what these turn into along a direction, so that forces can be trained; a third derivative is
refused.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.ops.pattern import check_bounds
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.symmetric_contraction import cpu, reference
from grapevine.ops.symmetric_contraction.terms import Terms

__all__ = ["Terms", "contraction_op", "contraction_slopes_op", "contraction_turns_op", "symmetric_contraction"]
_DTYPES = (torch.float32, torch.float64)


def symmetric_contraction(
    terms: Terms, x: Float[Tensor, "n a c"], weight: Float[Tensor, "z k c"], kind: Int[Tensor, " n"]
) -> Float[Tensor, "n o c"]:
    """Multiply components and add the products up into the outputs, weighted by the node's kind.

    Args:
        terms: which products are added to which output.
        x: the components of each node.
        weight: of each kind of node, term and channel.
        kind: which row of `weight` is a node's.

    Returns:
        [n, terms.num_outputs, c].

    Raises:
        InputError: if the shapes do not fit, a kind is not there, or the numbers are not float32 or float64.

    >>> terms = Terms([(0, (0,)), (0, (1, 1))], num_components=2, num_outputs=1)
    >>> x, weight = torch.tensor([[[5.0], [3.0]]]), torch.tensor([[[1.0], [10.0]]])
    >>> symmetric_contraction(terms, x, weight, torch.tensor([0])).tolist()  # 5 + 10 * 3^2
    [[[95.0]]]
    """
    _check(terms, x, weight, kind)
    return contraction_op(terms.table, kind, terms.num_outputs, x, weight)


def _check(terms: Terms, x: Tensor, weight: Tensor, kind: Tensor) -> None:
    check(isinstance(terms, Terms), f"terms must be Terms, got {type(terms).__name__}")
    for name, tensor in (("x", x), ("weight", weight)):
        check_tensor(name, tensor, ndim=3, dtypes=_DTYPES)
    check_tensor("kind", kind, ndim=1, dtypes=(torch.int64, torch.int32))
    check_together(x=x, weight=weight)
    check_rows("kind", kind, len(x), "nodes")
    if x.shape[1] != terms.num_components or weight.shape[1:] != (len(terms), x.shape[2]):
        raise InputError(
            f"x must be [n, {terms.num_components}, c] and weight [kinds, {len(terms)}, c], "
            f"got {tuple(x.shape)} and {tuple(weight.shape)}"
        )
    check_bounds("kind", kind, len(weight), "kinds")


@torch.library.custom_op("grapevine::symmetric_contraction", mutates_args=())
def contraction_op(table: Tensor, kind: Tensor, num_outputs: int, x: Tensor, weight: Tensor) -> Tensor:
    """[n, o, c] the sums of products."""
    return reference.total(table, kind, num_outputs, x, weight)


@cpu_kernel("symmetric_contraction")
def _(table, kind, num_outputs, x, weight):
    return cpu.total(table, kind, num_outputs, x, weight)


@contraction_op.register_fake
def _(table, kind, num_outputs, x, weight):
    return x.new_empty(len(x), num_outputs, x.shape[2])


@torch.library.custom_op("grapevine::symmetric_contraction_slopes", mutates_args=())
def contraction_slopes_op(
    table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The derivatives of <g, out> by x and by weight."""
    return reference.slopes(table, kind, g, x, weight)


@cpu_kernel("symmetric_contraction_slopes")
def _(table, kind, g, x, weight):
    return cpu.slopes(table, kind, g, x, weight)


@contraction_slopes_op.register_fake
def _(table, kind, g, x, weight):
    return torch.empty_like(x), torch.empty_like(weight)


@torch.library.custom_op("grapevine::symmetric_contraction_turns", mutates_args=())
def contraction_turns_op(
    table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor, by_x: Tensor, by_weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """How out and both slopes change when x and weight move along by_x and by_weight."""
    return reference.turns(table, kind, g, x, weight, by_x, by_weight)


@cpu_kernel("symmetric_contraction_turns")
def _(table, kind, g, x, weight, by_x, by_weight):
    return cpu.turns(table, kind, g, x, weight, by_x, by_weight)


@contraction_turns_op.register_fake
def _(table, kind, g, x, weight, by_x, by_weight):
    return torch.empty_like(g), torch.empty_like(x), torch.empty_like(weight)


def _save(ctx, inputs, output) -> None:
    table, kind, _, x, weight = inputs
    ctx.save_for_backward(table, kind, x, weight)


def _backward(ctx, grad):
    table, kind, x, weight = ctx.saved_tensors
    return None, None, None, *contraction_slopes_op(table, kind, grad.contiguous(), x, weight)


def _save_slopes(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _slopes_backward(ctx, by_x, by_weight):
    """<by_x, slope by x> + <by_weight, slope by weight> is how <g, out> changes along (by_x, by_weight)."""
    turns = contraction_turns_op(*ctx.saved_tensors, by_x.contiguous(), by_weight.contiguous())
    return None, None, *turns


def _third(ctx, *grads):
    raise InputError("symmetric_contraction has first and second derivatives, and no third one")


contraction_op.register_autograd(_backward, setup_context=_save)
contraction_slopes_op.register_autograd(_slopes_backward, setup_context=_save_slopes)
contraction_turns_op.register_autograd(_third)
