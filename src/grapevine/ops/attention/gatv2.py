"""Graph attention whose score joins both ends before the LeakyReLU, so that targets may rank sources differently.

out[i] = the sum over the entries e of row i of  alpha_e col_x[j],       j the column of e
alpha_i = softmax over row i of  <att, LeakyReLU(row_x[i] + col_x[j])>

With delta_i = <g_i, out_i> the gradient by a row's scores is alpha_e (<g_i, col_x_j> - delta_i), so that only out
and the log of the softmax's sum are kept. S. Brody et al., "How attentive are graph attention networks?", ICLR 2022.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.ops.attention import cpu_gatv2, reference
from grapevine.ops.attention.derivatives import register_derivatives
from grapevine.ops.attention.inputs import check_inputs, new_output, seed_for, views_for
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel


def gatv2_attention(
    pattern: Pattern,
    col_x: Float[Tensor, "cols h c"],
    row_x: Float[Tensor, "rows h c"],
    att: Float[Tensor, "h c"],
    *,
    negative_slope: float = 0.2,
    dropout: float = 0.0,
    seed: Int[Tensor, ""] | None = None,
) -> Float[Tensor, "rows h c"]:
    """Average each row's columns, weighed by the softmax of scores of both ends, head by head.

    The memory is that of the nodes and of one number an entry and head (Brody et al., 2022).

    Args:
        pattern: who attends to whom.
        col_x: [num_cols, h, c] the features of the columns, which are scored and averaged.
        row_x: [num_rows, h, c] the features of the rows, which are scored.
        att: [h, c] the direction of each head in which LeakyReLU(row_x + col_x) is measured.
        negative_slope: of the LeakyReLU.
        dropout: the probability with which a weight is set to zero; the others grow by 1 / (1 - dropout).
        seed: what decides which, from `draw_seed`; a fresh one by default.

    Returns:
        [num_rows, h, c], zeros in a row without entries.

    Raises:
        InputError: if the shapes, dtypes or devices do not fit together.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> col_x, row_x = torch.tensor([[[2.0, -1.0]], [[4.0, -1.0]]]), torch.zeros(2, 1, 2)
    >>> gatv2_attention(pattern, col_x, row_x, torch.tensor([[0.0, 1.0]])).tolist()
    [[[3.0, -1.0]], [[0.0, 0.0]]]
    """
    check_inputs(pattern, col_x=(col_x, "cols h c"), row_x=(row_x, "rows h c"), att=(att, "h c"))
    seed = seed_for(dropout, seed, col_x.device)
    views = views_for(pattern, col_x, row_x, att)
    out, _ = gatv2_op(*views, col_x, row_x, att, float(negative_slope), float(dropout), seed)
    return out


@torch.library.custom_op("grapevine::gatv2_attention", mutates_args=())
def gatv2_op(
    rows: list[Tensor], cols: list[Tensor], col_x: Tensor, row_x: Tensor, att: Tensor,
    negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, c] the output and [n, h] the log of the sum of a row's exponentials; without gradients cols is empty."""
    return reference.gatv2(rows, col_x, row_x, att, negative_slope, dropout, seed)


@cpu_kernel("gatv2_attention")
def _(rows, cols, *inputs):
    return cpu_gatv2.attend(rows, *inputs)


@gatv2_op.register_fake
def _(rows, cols, col_x, *inputs):
    return new_output(rows, col_x)


@torch.library.custom_op("grapevine::gatv2_attention_backward", mutates_args=())
def gatv2_backward_op(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, col_x: Tensor, row_x: Tensor, att: Tensor,
    out: Tensor, lse: Tensor, negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """The gradients by col_x, row_x and att."""
    by_col, by_row, by_att = reference.gatv2_gradient(rows, grad, col_x, row_x, att, negative_slope, dropout, seed)
    return by_col, by_row, by_att


@cpu_kernel("gatv2_attention_backward")
def _(rows, cols, *inputs):
    return cpu_gatv2.gradient(rows, cols, *inputs)


@gatv2_backward_op.register_fake
def _(rows, cols, grad, col_x, row_x, att, *inputs):
    return tuple(x.new_empty(x.shape) for x in (col_x, row_x, att))


register_derivatives(gatv2_op, gatv2_backward_op, reference.gatv2_gradient)
