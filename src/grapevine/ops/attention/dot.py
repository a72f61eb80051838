"""Scaled dot-product attention over the entries of each row: a Transformer's, restricted to the edges.

out[i] = the sum over the entries e of row i of  alpha_e value[j],       j the column of e
alpha_i = softmax over row i of  scale <query[i], key[j]> + bias[e]

With delta_i = <g_i, out_i> the gradient by a row's scores is alpha_e (<g_i, value_j> - delta_i), so that only out
and the log of the softmax's sum are kept. A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.ops.attention import cpu_dot, reference
from grapevine.ops.attention.derivatives import register_derivatives
from grapevine.ops.attention.inputs import check_inputs, new_output, seed_for, views_for
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel


def dot_attention(
    pattern: Pattern,
    query: Float[Tensor, "rows h c"],
    key: Float[Tensor, "cols h c"],
    value: Float[Tensor, "cols h v"],
    bias: Float[Tensor, "e h"] | None = None,
    *,
    scale: float | None = None,
    dropout: float = 0.0,
    seed: Int[Tensor, ""] | None = None,
) -> Float[Tensor, "rows h v"]:
    """Average the values of each row's columns, weighed by the softmax of scaled dot products, head by head.

    The memory is that of the nodes and of one number an entry and head (Vaswani et al., 2017).

    Args:
        pattern: who attends to whom.
        query: [num_rows, h, c] what the rows ask.
        key, value: [num_cols, h, c] and [num_cols, h, v] what the columns answer to and what they say.
        bias: [e, h] added to the scaled dot product of each entry.
        scale: of the dot products; c ** -0.5 by default.
        dropout: the probability with which a weight is set to zero; the others grow by 1 / (1 - dropout).
        seed: what decides which, from `draw_seed`; a fresh one by default.

    Returns:
        [num_rows, h, v], zeros in a row without entries.

    Raises:
        InputError: if the shapes, dtypes or devices do not fit together.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> query, key = torch.ones(2, 1, 3), torch.zeros(2, 1, 3)
    >>> dot_attention(pattern, query, key, torch.tensor([[[1.0]], [[2.0]]])).tolist()
    [[[1.5]], [[0.0]]]
    """
    check_inputs(
        pattern, query=(query, "rows h c"), key=(key, "cols h c"), value=(value, "cols h v"), bias=(bias, "e h or None")
    )
    seed = seed_for(dropout, seed, value.device)
    views, inputs = views_for(pattern, query, key, value, bias), (query, key, value, bias)
    scale = query.shape[2] ** -0.5 if scale is None else float(scale)
    out, _ = dot_op(*views, *inputs, scale, float(dropout), seed)
    return out


@torch.library.custom_op("grapevine::dot_attention", mutates_args=())
def dot_op(
    rows: list[Tensor], cols: list[Tensor], query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None,
    scale: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, v] the output and [n, h] the log of the sum of a row's exponentials; without gradients cols is empty."""
    return reference.dot(rows, query, key, value, bias, scale, dropout, seed)


@cpu_kernel("dot_attention")
def _(rows, cols, *inputs):
    return cpu_dot.attend(rows, *inputs)


@dot_op.register_fake
def _(rows, cols, query, key, value, *inputs):
    return new_output(rows, value)


@torch.library.custom_op("grapevine::dot_attention_backward", mutates_args=())
def dot_backward_op(
    rows: list[Tensor], cols: list[Tensor], grad: Tensor, query: Tensor, key: Tensor, value: Tensor,
    bias: Tensor | None, out: Tensor, lse: Tensor, scale: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
    """The gradients by query, key, value and bias, where there is none too."""
    by_query, by_key, by_value, by_bias = reference.dot_gradient(
        rows, grad, query, key, value, bias, scale, dropout, seed
    )
    return by_query, by_key, by_value, by_bias


@cpu_kernel("dot_attention_backward")
def _(rows, cols, *inputs):
    return cpu_dot.gradient(rows, cols, *inputs)


@dot_backward_op.register_fake
def _(rows, cols, grad, query, key, value, *inputs):
    by_bias = value.new_empty(rows[1].shape[0], value.shape[1])
    return *(x.new_empty(x.shape) for x in (query, key, value)), by_bias


register_derivatives(dot_op, dot_backward_op, reference.dot_gradient)
