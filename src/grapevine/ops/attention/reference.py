"""The attentions and their gradients in plain PyTorch: gather, score, softmax, add up. Memory e h c.

The gradients are formulas and not autograd's, so that they run inside an operation; being plain PyTorch, they are
differentiable themselves.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from grapevine.ops.gather.reference import widened
from grapevine.ops.runtime.random import keep_mask, scale_of
from grapevine.ops.trilinear.reference import by_entry, entries


def additive(
    rows: list[Tensor], value: Tensor, score_col: Tensor, score_row: Tensor, score_edge: Tensor | None,
    negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, c] the output and [n, h] the logarithm of the sum of the exponentials of a row's scores."""
    z = _additive_scores(rows, score_col, score_row, score_edge)
    return _attend(rows, leaky_relu(z, negative_slope), value, dropout, seed)


def additive_gradient(
    rows: list[Tensor], grad: Tensor, value: Tensor, score_col: Tensor, score_row: Tensor, score_edge: Tensor | None,
    negative_slope: float, dropout: float, seed: Tensor | None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """By value, score_col, score_row and score_edge."""
    z = _additive_scores(rows, score_col, score_row, score_edge)
    grad_value, d = _attend_gradient(rows, grad, leaky_relu(z, negative_slope), value, dropout, seed)
    d = d * _step(z, negative_slope)
    by_col, by_row = _to_cols(rows, d, value.shape[0]), _to_rows(rows, d)
    return tuple(x.to(value.dtype) for x in (grad_value, by_col, by_row, by_entry(rows, d)))


def gatv2(
    rows: list[Tensor], col_x: Tensor, row_x: Tensor, att: Tensor, negative_slope: float, dropout: float,
    seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, c] the output and [n, h] the logarithm of the sum of the exponentials of a row's scores."""
    z = _from_rows(rows, row_x) + _from_cols(rows, col_x)
    return _attend(rows, (widened(att) * leaky_relu(z, negative_slope)).sum(2), col_x, dropout, seed)


def gatv2_gradient(
    rows: list[Tensor], grad: Tensor, col_x: Tensor, row_x: Tensor, att: Tensor, negative_slope: float,
    dropout: float, seed: Tensor | None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """By col_x, row_x and att."""
    z = _from_rows(rows, row_x) + _from_cols(rows, col_x)
    active = leaky_relu(z, negative_slope)
    grad_value, d = _attend_gradient(rows, grad, (widened(att) * active).sum(2), col_x, dropout, seed)
    d_z = d.unsqueeze(2) * widened(att) * _step(z, negative_slope)
    by_col, by_att = grad_value + _to_cols(rows, d_z, col_x.shape[0]), (d.unsqueeze(2) * active).sum(0)
    return tuple(x.to(col_x.dtype) for x in (by_col, _to_rows(rows, d_z), by_att))


def dot(
    rows: list[Tensor], query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float,
    dropout: float, seed: Tensor | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """[n, h, v] the output and [n, h] the logarithm of the sum of the exponentials of a row's scores."""
    return _attend(rows, _dot_scores(rows, query, key, bias, scale), value, dropout, seed)


def dot_gradient(
    rows: list[Tensor], grad: Tensor, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float,
    dropout: float, seed: Tensor | None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """By query, key, value and bias."""
    scores = _dot_scores(rows, query, key, bias, scale)
    grad_value, d = _attend_gradient(rows, grad, scores, value, dropout, seed)
    scaled = (d * scale).unsqueeze(2)
    by_query = _to_rows(rows, scaled * _from_cols(rows, key))
    by_key = _to_cols(rows, scaled * _from_rows(rows, query), key.shape[0])
    return tuple(x.to(value.dtype) for x in (by_query, by_key, grad_value, by_entry(rows, d)))


# What the three share; scores and weights are [e, h] in the order of the rows.


def _attend(rows: list[Tensor], scores: Tensor, value: Tensor, dropout: float, seed: Tensor | None):
    alpha, lse = _softmax(rows, scores)
    weights = alpha * _factors(rows, alpha, dropout, seed)
    return _to_rows(rows, weights.unsqueeze(2) * _from_cols(rows, value)).to(value.dtype), lse


def _attend_gradient(
    rows: list[Tensor], grad: Tensor, scores: Tensor, value: Tensor, dropout: float, seed: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The gradients by value and by the scores."""
    alpha, _ = _softmax(rows, scores)
    factors, grad = _factors(rows, alpha, dropout, seed), _from_rows(rows, grad)
    grad_value = _to_cols(rows, (alpha * factors).unsqueeze(2) * grad, value.shape[0])
    d_alpha = factors * (grad * _from_cols(rows, value)).sum(2)
    return grad_value, alpha * (d_alpha - _from_rows(rows, _to_rows(rows, alpha * d_alpha)))


def _softmax(rows: list[Tensor], scores: Tensor) -> tuple[Tensor, Tensor]:
    """alpha, and log sum exp of each row."""
    top = scores.new_full((rows[0].shape[0] - 1, scores.shape[1]), -math.inf)
    top = top.scatter_reduce(0, _row_of(rows).unsqueeze(1).expand_as(scores), scores.detach(), "amax")
    power = (scores - _from_rows(rows, top)).exp()
    norm = _to_rows(rows, power)
    return power / _from_rows(rows, norm), top + norm.log()


def _factors(rows: list[Tensor], alpha: Tensor, dropout: float, seed: Tensor | None) -> Tensor:
    """What dropout multiplies the weights with."""
    if seed is None:
        return torch.ones_like(alpha)
    return keep_mask(seed, alpha.shape, dropout)[entries(rows)] * alpha.new_tensor(scale_of(dropout))


def _additive_scores(rows: list[Tensor], score_col: Tensor, score_row: Tensor, score_edge: Tensor | None) -> Tensor:
    z = _from_rows(rows, score_row) + _from_cols(rows, score_col)
    return z if score_edge is None else z + widened(score_edge)[entries(rows)]


def _dot_scores(rows: list[Tensor], query: Tensor, key: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    scores = scale * (_from_rows(rows, query) * _from_cols(rows, key)).sum(2)
    return scores if bias is None else scores + widened(bias)[entries(rows)]


def _step(z: Tensor, negative_slope: float) -> Tensor:
    """The derivative of the leaky ReLU."""
    return torch.ones_like(z).where(z > 0, negative_slope)


def _row_of(rows: list[Tensor]) -> Tensor:
    """[e] the row of each entry: the last one that starts at it or before."""
    places = torch.arange(rows[1].shape[0], dtype=rows[0].dtype, device=rows[0].device)
    return torch.searchsorted(rows[0], places, right=True) - 1


def _from_rows(rows: list[Tensor], x: Tensor) -> Tensor:
    return widened(x).index_select(0, _row_of(rows))


def _from_cols(rows: list[Tensor], x: Tensor) -> Tensor:
    return widened(x).index_select(0, rows[1])


def _to_rows(rows: list[Tensor], x: Tensor) -> Tensor:
    return x.new_zeros(rows[0].shape[0] - 1, *x.shape[1:]).index_add(0, _row_of(rows), x)


def _to_cols(rows: list[Tensor], x: Tensor, num_cols: int) -> Tensor:
    return x.new_zeros(num_cols, *x.shape[1:]).index_add(0, rows[1], x)
