"""Sampled dense times dense: a number, or a row, for every entry from the features of its two ends.

dot: out[e, h] = <a[i, h], b[j, h]>        add: out[e] = a[i] + b[j]        i, j the row and column of e
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_tensor, check_together
from grapevine.errors import check
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.trilinear import sddmm_dot_op

SddmmOp = Literal["dot", "add"]


def sddmm(
    pattern: Pattern, row_x: Float[Tensor, "rows *c"], col_x: Float[Tensor, "cols *c"], *, op: SddmmOp = "dot"
) -> Float[Tensor, "e *d"]:
    """Combine the features of each entry's row and column.

    Args:
        pattern: the entries.
        row_x, col_x: [num_rows, c] and [num_cols, c], or [., h, c] for h heads.
        op: "dot" takes the scalar product over the last dimension, "add" the sum.

    Returns:
        dot: [e], or [e, h]; add: [e, c], or [e, h, c].

    >>> pattern = Pattern(torch.tensor([0, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> rows, cols = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
    >>> sddmm(pattern, rows, cols).tolist()
    [11.0, 17.0]
    >>> sddmm(pattern, rows, cols, op="add").tolist()
    [[4.0, 6.0], [6.0, 8.0]]
    """
    _check(pattern, row_x, col_x, op)
    if op == "add":
        return gather(pattern, row_x, side="rows") + gather(pattern, col_x, side="cols")
    heads = row_x.shape[1] if row_x.ndim == 3 else 1
    needs_grad = torch.is_grad_enabled() and (row_x.requires_grad or col_x.requires_grad)
    cols = pattern.transposed.view if needs_grad else []
    out = sddmm_dot_op(pattern.view, cols, row_x.flatten(1), col_x.flatten(1), heads, None, None)
    return out if row_x.ndim == 3 else out.squeeze(1)


def _check(pattern, row_x, col_x, op) -> None:
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    check(op in ("dot", "add"), f"op must be dot or add, got {op!r}")
    for name, x, size, what in (
        ("row_x", row_x, pattern.num_rows, "rows"),
        ("col_x", col_x, pattern.num_cols, "columns"),
    ):
        check_tensor(name, x, ndim=(2, 3))
        check_rows(name, x, size, what)
        check(x.device == pattern.device, f"{name} is on {x.device}, the pattern on {pattern.device}")
    check_together(row_x=row_x, col_x=col_x)
    shapes = tuple(row_x.shape[1:]), tuple(col_x.shape[1:])
    check(
        shapes[0] == shapes[1],
        f"row_x and col_x must have rows of one shape, got {shapes[0]} and {shapes[1]}",
    )
