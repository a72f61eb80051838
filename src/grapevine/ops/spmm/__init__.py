"""Sparse times dense: every row gathers its neighbours' features.

out[i] = r[i] * reduce over the entries e of row i of  w[e] * c[j] * x[j],  j the column of e;  plus s x[i]

The sum and its gradients are one trilinear form (`ops.trilinear`); maximum and minimum choose an entry for every
number of the output and are the same form over the chosen ones (`ops.select`).
"""

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.ops.pattern import Pattern
from grapevine.ops.select import select_op
from grapevine.ops.trilinear import spmm_op
from grapevine.typing import Reduce


def spmm(
    pattern: Pattern,
    x: Float[Tensor, "cols *c"],
    weight: Float[Tensor, "e *h"] | None = None,
    *,
    reduce: Reduce = "sum",
    row_scale: Float[Tensor, " rows"] | None = None,
    col_scale: Float[Tensor, " cols"] | None = None,
    own_scale: Float[Tensor, ""] | None = None,
) -> Float[Tensor, "rows *c"]:
    """Reduce the weighted features of each row's columns; a row without entries gives zeros.

    Args:
        pattern: who gathers from whom.
        x: [num_cols, c], or [num_cols, h, c] for h heads.
        weight: [e] one weight an entry, or [e, h] one a head; c must then be a multiple of h.
        reduce: the sum, the mean, or the largest or smallest number of each column (the first one of equals).
        row_scale, col_scale: [num_rows] and [num_cols] constants r and c, for normalisations; no gradient.
        own_scale: 0-dim s, how much of row i's own x is added to its sum or mean; the pattern is then square.

    Returns:
        [num_rows, c], or [num_rows, h, c].

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 2]), num_cols=3)
    >>> spmm(pattern, torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([10.0, 1.0])).tolist()
    [[13.0], [0.0]]
    """
    _check(pattern, x, weight, reduce, row_scale, col_scale)
    if own_scale is not None:
        _check_own(pattern, x, reduce, own_scale)
    flat = x if x.ndim == 2 else x.flatten(1)
    if weight is not None and weight.ndim == 1:
        weight = weight.unsqueeze(1)
    needs_grad = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in (x, weight, own_scale))
    cols = pattern.transposed.view if needs_grad else []
    if reduce in ("max", "min"):
        out, _ = select_op(pattern.view, cols, flat, weight, reduce == "max")
    else:
        if reduce == "mean":
            row_scale = mean_scale(pattern, x.dtype, row_scale)
        out = spmm_op(pattern.view, cols, flat, weight, row_scale, col_scale, own_scale)
    return out.unflatten(1, x.shape[1:]) if x.ndim != 2 else out


def mean_scale(pattern: Pattern, dtype: torch.dtype, row_scale: Tensor | None = None) -> Tensor:
    """[num_rows] one over the number of entries of each row (1 for none), times `row_scale`."""
    scale = pattern.indptr.diff().clamp(min=1).to(torch.float64).reciprocal().to(dtype)
    return scale if row_scale is None else scale * row_scale


def _check_own(pattern, x, reduce, own_scale) -> None:
    check_tensor("own_scale", own_scale, ndim=0)
    check_together(x=x, own_scale=own_scale)
    check(reduce in ("sum", "mean"), f"own_scale goes with sum and mean, not with {reduce}")
    if pattern.num_rows != pattern.num_cols:
        raise InputError(f"own_scale needs as many rows as columns, got {pattern.num_rows} and {pattern.num_cols}")


def _check(pattern, x, weight, reduce, row_scale, col_scale) -> None:
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    check(reduce in ("sum", "mean", "max", "min"), f"reduce must be sum, mean, max or min, got {reduce!r}")
    if reduce in ("max", "min") and pattern.indices.dtype != torch.int32:
        raise InputError(f"{reduce} takes fewer than 2^31 entries, got {pattern.num_entries}")
    check_tensor("x", x, ndim=(2, 3))
    check_rows("x", x, pattern.num_cols, "columns")
    check(x.device == pattern.device, f"x is on {x.device}, the pattern on {pattern.device}")
    for name, tensor, ndim in (("weight", weight, (1, 2)), ("row_scale", row_scale, 1), ("col_scale", col_scale, 1)):
        if tensor is not None:
            check_tensor(name, tensor, ndim=ndim)
    check_together(x=x, weight=weight, row_scale=row_scale, col_scale=col_scale)
    if weight is not None:
        check_rows("weight", weight, pattern.num_entries, "entries")
        heads, channels = (
            weight.shape[1] if weight.ndim == 2 else 1,
            x[0:1].numel() if len(x) else x.shape[-1],
        )
        # Sizes are put into a message only where it is raised: one made beforehand would tie a trace to them.
        if heads == 0 or channels % heads:
            raise InputError(f"{channels} columns of x do not divide among {heads} heads of weight")
        if x.ndim == 3 and heads not in (1, x.shape[1]):
            raise InputError(f"weight has {heads} heads, x of shape {tuple(x.shape)} another number")
    for name, scale, size, what in (
        ("row_scale", row_scale, pattern.num_rows, "rows"),
        ("col_scale", col_scale, pattern.num_cols, "columns"),
    ):
        if scale is not None:
            check(reduce in ("sum", "mean"), f"{name} goes with sum and mean, not with {reduce}")
            check_rows(name, scale, size, what)
