"""Continuous-filter sums: every neighbour's features times a filter of its own, number by number, added up.

out[i] = sum over the entries e of row i, in column j, of  w[k(e)] x[j]           (w, x and out are rows of channels)

k(e) is the filter of entry e: one for each entry, or one for the two directions of a pair of atoms, whose distance is
the same. With g[i] the form T = sum over i of <g[i], out[i]> is linear in each of g, w and x. `filter_sum_op` is its
derivative by g, the same over the columns the one by x, and `filter_slope_op` the one by w; so each is the others'
backward, to any order, and forces can be trained.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_together
from grapevine.errors import check
from grapevine.ops.filter_sum import cpu, reference
from grapevine.ops.gather import check_features
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.kernel import cpu_kernel
from grapevine.ops.trilinear import split_views

__all__ = ["Filters", "filter_slope_op", "filter_sum", "filter_sum_op", "reference"]


@dataclass(frozen=True, eq=False)
class Filters:
    """Which filter belongs to which entries of a pattern.

    Args:
        pattern: who gathers from whom; its `entry` says which filter each entry takes.
        ends: for each filter the row and the column of its first entry, and how many entries it has: 1, or 2, of which
            the second goes the other way.
        first: for each filter its first entry; None where each entry has its own.

    >>> both_ways = Pattern(torch.tensor([0, 1, 2]), torch.tensor([1, 0]), num_cols=2)
    >>> Filters.each(both_ways).num_filters, Filters.shared(both_ways, torch.tensor([1, 0])).num_filters
    (2, 1)
    """

    pattern: Pattern
    ends: list[Tensor]
    first: Tensor | None = None

    @classmethod
    def each(cls, pattern: Pattern) -> "Filters":
        """A filter for each entry."""
        row, col = pattern.row_of, pattern.indices
        if pattern.entry is not None:
            row, col = (torch.empty_like(t).index_copy(0, pattern.entry.long(), t) for t in (row, col))
        return cls(pattern, [row, col, torch.ones_like(row)])

    @classmethod
    def shared(cls, pattern: Pattern, reverse: Tensor) -> "Filters":
        """One for the two directions of each pair; `reverse` is the place of the other direction of each entry.

        The pattern is square and has no `entry`. An entry may be its own other direction.
        """
        with torch.inference_mode(False):
            place = torch.arange(pattern.num_entries, dtype=reverse.dtype, device=reverse.device)
            first = (place <= reverse).nonzero().squeeze(1)  # the filters, in the order of their first entries
            number = torch.empty_like(pattern.indices)
            number[first] = torch.arange(len(first), dtype=number.dtype, device=number.device)
            of_entry = number[torch.minimum(place, reverse).long()]
            entries = Pattern.trusted(pattern.indptr, pattern.indices, pattern.num_cols, of_entry)
            twice = 1 + (reverse[first] != first).to(number.dtype)
            return cls(entries, [pattern.row_of[first], pattern.indices[first], twice], first)

    @property
    def num_filters(self) -> int:
        return self.ends[0].shape[0]


def filter_sum(filters: Filters, x: Float[Tensor, "cols c"], weight: Float[Tensor, "k c"]) -> Float[Tensor, "rows c"]:
    """Add up each row's columns, each times the filter of its entry; a row without entries gives zeros.

    Args:
        filters: who gathers from whom, by which filter.
        x: [num_cols, c].
        weight: [num_filters, c].

    Raises:
        InputError: if these do not fit together.

    >>> pattern = Pattern(torch.tensor([0, 2, 2]), torch.tensor([0, 1]), num_cols=2)
    >>> x, weight = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 10.0], [2.0, 20.0]])
    >>> filter_sum(Filters.each(pattern), x, weight).tolist()
    [[7.0, 100.0], [0.0, 0.0]]
    """
    check(isinstance(filters, Filters), f"filters must be Filters, got {type(filters).__name__}")
    check_features(filters.pattern, "x", x, "columns", most_dims=2)
    check_together(x=x, weight=weight)
    check_rows("weight", weight, filters.num_filters, "filters")
    check(x.ndim == weight.ndim == 2, "x and weight must have 2 dimensions")
    check(x.shape[1] == weight.shape[1], "x and weight must have the same number of columns")
    needs_grad = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    cols = filters.pattern.transposed.view if needs_grad else []
    return filter_sum_op(filters.pattern.view, cols, filters.ends, x, weight)


@torch.library.custom_op("grapevine::filter_sum", mutates_args=())
def filter_sum_op(rows: list[Tensor], cols: list[Tensor], ends: list[Tensor], x: Tensor, weight: Tensor) -> Tensor:
    """[n, c] the derivative of T by g; cols is empty where no gradient is wanted."""
    return reference.filter_sum(rows, x, weight)


@cpu_kernel("filter_sum")
def _(rows, cols, ends, x, weight):
    return cpu.filter_sum(rows, x, weight)


@filter_sum_op.register_fake
def _(rows, cols, ends, x, weight):
    return x.new_empty(rows[0].shape[0] - 1, x.shape[1])


@torch.library.custom_op("grapevine::filter_slope", mutates_args=())
def filter_slope_op(rows: list[Tensor], cols: list[Tensor], ends: list[Tensor], g: Tensor, x: Tensor) -> Tensor:
    """[k, c] the derivative of T by w: g[i] x[j], summed over the entries of each filter."""
    return reference.filter_slope(ends, g, x)


@cpu_kernel("filter_slope")
def _(rows, cols, ends, g, x):
    return cpu.filter_slope(ends, g, x)


@filter_slope_op.register_fake
def _(rows, cols, ends, g, x):
    return x.new_empty(ends[0].shape[0], x.shape[1])


def _save(ctx, inputs, output) -> None:
    rows, cols, ends, *factors = inputs
    ctx.views = len(rows), len(cols)
    ctx.save_for_backward(*rows, *cols, *ends, *factors)


def _backward(ctx, grad):
    rows, cols, (*ends, x, weight) = split_views(ctx)
    grad, grad_x, grad_weight = grad.contiguous(), None, None
    if ctx.needs_input_grad[3]:
        grad_x = filter_sum_op(cols, rows, _turned(ends), grad, weight)
    if ctx.needs_input_grad[4]:
        grad_weight = filter_slope_op(rows, cols, ends, grad, x)
    return *_no_gradients(rows, cols, ends), grad_x, grad_weight


def _slope_backward(ctx, grad):
    rows, cols, (*ends, g, x) = split_views(ctx)
    grad, grad_g, grad_x = grad.contiguous(), None, None
    if ctx.needs_input_grad[3]:
        grad_g = filter_sum_op(rows, cols, ends, x, grad)
    if ctx.needs_input_grad[4]:
        grad_x = filter_sum_op(cols, rows, _turned(ends), g, grad)
    return *_no_gradients(rows, cols, ends), grad_g, grad_x


def _turned(ends: list[Tensor]) -> list[Tensor]:
    row, col, count = ends
    return [col, row, count]


def _no_gradients(*lists: list[Tensor]) -> tuple[list[None], ...]:
    return tuple([None] * len(tensors) for tensors in lists)


filter_sum_op.register_autograd(_backward, setup_context=_save)
filter_slope_op.register_autograd(_slope_backward, setup_context=_save)
