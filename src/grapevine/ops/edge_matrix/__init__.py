"""Every entry has a matrix of its own, a combination of a few: apply it and add up into rows, and never make it.

out[i] = sum over the entries e of row i of  A[e] x[e],     A[e] = sum over k of f[e, k] T[k]

The outer products f[e] x[e] are added up first, a block of rows at a time, and multiplied by all of T at once: a row
costs k c d, an entry only k c, and memory is that of a block (`blocked`). With g[i] the form is linear in each of
S(g, f, x, T) = sum over e of <g[i], A[e] x[e]>; the operations are its derivatives and so each other's backward,
to any order. The messages of Gilmer et al. 2017, "Neural message passing for quantum chemistry", are of this form.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.ops.edge_matrix import blocked
from grapevine.ops.gather import check_features
from grapevine.ops.pattern import Pattern


def edge_matrix(
    pattern: Pattern, feature: Float[Tensor, "e k"], x: Float[Tensor, "e c"], matrices: Float[Tensor, "k c d"]
) -> Float[Tensor, "rows d"]:
    """Send the x of each entry through the entry's own matrix, and add up each row; 0 for a row without entries.

    Args:
        pattern: which entries belong to each row; its columns do not matter.
        feature: how much of each matrix an entry's own is made of.
        x: what each entry carries, as a row vector.
        matrices: T, each from c to d.

    Returns:
        [num_rows, d].

    Raises:
        InputError: if the shapes do not fit.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 0]), num_cols=1)
    >>> feature, x = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0], [10.0]])
    >>> edge_matrix(pattern, feature, x, torch.tensor([[[5.0, 0.0]], [[0.0, 7.0]]])).tolist()
    [[5.0, 140.0], [0.0, 0.0]]
    """
    check_features(pattern, "feature", feature, "entries", most_dims=2)
    check_features(pattern, "x", x, "entries", most_dims=2)
    for name, tensor, ndim in (("feature", feature, 2), ("x", x, 2), ("matrices", matrices, 3)):
        check_tensor(name, tensor, ndim=ndim)
    check_together(feature=feature, x=x, matrices=matrices)
    check(pattern.entry is None, "edge_matrix takes entries in the order of their rows; turn the adjacency round first")
    if matrices.shape[:2] != (feature.shape[1], x.shape[1]):
        raise InputError(
            f"matrices must be [{feature.shape[1]}, {x.shape[1]}, d], a matrix for each column of feature with a row "
            f"for each column of x; got {tuple(matrices.shape)}"
        )
    return edge_matrix_op(pattern.indptr, feature, x, matrices)


@torch.library.custom_op("grapevine::edge_matrix", mutates_args=())
def edge_matrix_op(indptr: Tensor, feature: Tensor, x: Tensor, matrices: Tensor) -> Tensor:
    """[n, d] the derivative of S by g."""
    return blocked.total(indptr, feature, x, matrices)


@edge_matrix_op.register_fake
def _(indptr, feature, x, matrices):
    return x.new_empty(indptr.shape[0] - 1, matrices.shape[2])


@torch.library.custom_op("grapevine::edge_matrix_slopes", mutates_args=())
def edge_matrix_slopes_op(
    indptr: Tensor, g: Tensor, feature: Tensor, x: Tensor, matrices: Tensor, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """The derivatives of S by f, x and T; zeros where one is not wanted, which take no time."""
    return blocked.slopes(indptr, g, (feature, x, matrices), wanted)


@edge_matrix_slopes_op.register_fake
def _(indptr, g, feature, x, matrices, wanted):
    return torch.empty_like(feature), torch.empty_like(x), torch.empty_like(matrices)


def _save(ctx, inputs, output) -> None:
    ctx.save_for_backward(*inputs)


def _backward(ctx, grad):
    wanted = list(ctx.needs_input_grad[1:])
    slopes = edge_matrix_slopes_op(ctx.saved_tensors[0], grad, *ctx.saved_tensors[1:], wanted)
    return None, *(slope if is_wanted else None for slope, is_wanted in zip(slopes, wanted, strict=True))


def _save_slopes(ctx, inputs, output) -> None:
    *tensors, ctx.wanted = inputs
    ctx.save_for_backward(*tensors)


def _slopes_backward(ctx, *by):
    """With u, v, w the gradients by the slopes, the gradients of S(g, u, x, T) + S(g, f, v, T) + S(g, f, x, w)."""
    indptr, g, *factors = ctx.saved_tensors
    _, needs_g, *needs, _ = ctx.needs_input_grad
    of_g, of_factors = None, [None, None, None]
    for k in range(3):
        if by[k] is None or not ctx.wanted[k]:
            continue
        put = [*factors]
        put[k] = by[k]
        if needs_g:
            more = edge_matrix_op(indptr, *put)
            of_g = more if of_g is None else of_g + more
        wanted = [needs[other] and other != k for other in range(3)]
        if not any(wanted):
            continue
        slopes = edge_matrix_slopes_op(indptr, g, *put, wanted)
        for other in range(3):
            if wanted[other]:
                so_far = of_factors[other]
                of_factors[other] = slopes[other] if so_far is None else so_far + slopes[other]
    return None, of_g, *of_factors, None


edge_matrix_op.register_autograd(_backward, setup_context=_save)
edge_matrix_slopes_op.register_autograd(_slopes_backward, setup_context=_save_slopes)
