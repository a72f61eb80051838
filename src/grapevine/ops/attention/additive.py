"""Graph attention: a neighbour's weight is the softmax of the sum of a score of its own and one of the target.

out[i] = the sum over the entries e of row i of  alpha_e value[j],       j the column of e
alpha_i = softmax over row i of  LeakyReLU(score_col[j] + score_row[i] + score_edge[e])

With delta_i = <g_i, out_i> the gradient by a row's scores is alpha_e (<g_i, value_j> - delta_i), so that only out
and the log of the softmax's sum are kept. P. Velickovic et al., "Graph attention networks", ICLR 2018.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.ops.attention import cpu_additive, reference
from grapevine.ops.attention.derivatives import register_derivatives
from grapevine.ops.attention.inputs import check_inputs, new_output, seed_for, views_for
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel


def additive_attention(
    pattern: Pattern,
    value: Float[Tensor, "cols h c"],
    score_col: Float[Tensor, "cols h"],
    score_row: Float[Tensor, "rows h"],
    score_edge: Float[Tensor, "e h"] | None = None,
    *,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: Int[Tensor, ""] | None = None,
) -> Float[Tensor, "rows h c"]:
    """Average the values of each row's columns, weighed by the softmax of LeakyReLU'd sums of scores, head by head.

    The memory is that of the nodes and of one number an entry and head (Velickovic et al., 2018).

    Args:
        pattern: who attends to whom.
        value: [num_cols, h, c] what is averaged.
        score_col, score_row: [num_cols, h] and [num_rows, h] the scores of the two ends.
        score_edge: [e, h] a score of the entry itself.
        negative_slope: of the LeakyReLU.
        dropout: the probability with which a weight is set to zero; the others grow by 1 / (1 - dropout).
        seed: what decides which, from `draw_seed`; a fresh one by default.

    Returns:
        [num_rows, h, c], zeros in a row without entries.

    Raises:
        InputError: if the shapes, dtypes or devices do not fit together.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> value = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    >>> additive_attention(pattern, value, torch.tensor([[5.0], [5.0]]), torch.zeros(2, 1)).tolist()
    [[[0.5, 0.5]], [[0.0, 0.0]]]
    """
    check_inputs(
        pattern, value=(value, "cols h c"), score_col=(score_col, "cols h"), score_row=(score_row, "rows h"),
        score_edge=(score_edge, "e h or None"),
    )  # fmt: skip
    seed = seed_for(dropout, seed, value.device)
    views, inputs = (
        views_for(pattern, value, score_col, score_row, score_edge),
        (value, score_col, score_row, score_edge),
    )
    out, _ = additive_op(*views, *inputs, float(negative_slope), float(dropout), seed)
    return out


@torch.library.custom_op("grapevine::additive_attention", mutates_args=())
def additive_op(
    rows: list[Tensor], cols: list[Tensor], value: Tensor, score_col: Tensor, score_row: Tensor,
    score_edge: Tensor | None, negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, c] the output and [n, h] the log of the sum of a row's exponentials; without gradients cols is empty."""
    return reference.additive(rows, value, score_col, score_row, score_edge, negative_slope, dropout, seed)


@cpu_kernel("additive_attention")
def _(rows, cols, *inputs):
    return cpu_additive.attend(rows, *inputs)


@additive_op.register_fake
def _(rows, cols, value, *inputs):
    return new_output(rows, value)


@torch.library.custom_op("grapevine::additive_attention_backward", mutates_args=())
def additive_backward_op(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, value: Tensor, score_col: Tensor, score_row: Tensor,
    score_edge: Tensor | None, out: Tensor, lse: Tensor, negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """The gradients by value, score_col, score_row and score_edge, where there is none too."""
    by_value, by_col, by_row, by_edge = reference.additive_gradient(
        rows, grad, value, score_col, score_row, score_edge, negative_slope, dropout, seed
    )
    return by_value, by_col, by_row, by_edge


@cpu_kernel("additive_attention_backward")
def _(rows, cols, *inputs):
    return cpu_additive.gradient(rows, cols, *inputs)


@additive_backward_op.register_fake
def _(rows, cols, grad, value, score_col, score_row, score_edge, *inputs):
    by_edge = score_col.new_empty(rows[1].shape[0], score_col.shape[1])
    return *(x.new_empty(x.shape) for x in (value, score_col, score_row)), by_edge


register_derivatives(additive_op, additive_backward_op, reference.additive_gradient)
