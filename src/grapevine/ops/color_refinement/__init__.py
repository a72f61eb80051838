"""Colour refinement, the 1-WL test: nodes of one colour that hear different multisets of colours part.

c_i' = (c_i, {{ (l_ji, c_j) : j -> i }})   until no class parts      (Weisfeiler & Leman 1968)

Colours are numbers 0 .. k - 1 that do not depend on how the nodes are numbered: isomorphic graphs get the same, node by
node, and the nodes of a disjoint union are coloured together. Multisets are compared in full, not by their hashes.
"""

from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.ops.color_refinement import cpu
from grapevine.ops.pattern import Pattern

_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)


class Colors(NamedTuple):
    """The colour of each node, and how many rounds parted a class."""

    colors: Int[Tensor, " n"]
    num_rounds: int


def color_refinement(
    pattern: Pattern,
    node_labels: Int[Tensor, " n"] | None = None,
    edge_labels: Int[Tensor, " e"] | None = None,
    *,
    max_rounds: int | None = None,
) -> Colors:
    """Colours of the nodes by what the rows of a square pattern hear of its columns; in O((n + e) log n).

    On another device than the processor it is computed on the processor all the same.

    Args:
        node_labels: what is known of the nodes before the first round.
        edge_labels: what is known of the entries, in the order of the pattern's edge tensors.
        max_rounds: stop after as many; by default when nothing changes.

    Raises:
        InputError: for a pattern that is not square, labels that are no whole numbers or too few, or rounds below 0.

    >>> path = Pattern(torch.tensor([0, 1, 3, 5, 6]), torch.tensor([1, 0, 2, 1, 3, 2]), num_cols=4)
    >>> made = color_refinement(path)
    >>> a, b, c, d = made.colors.tolist()
    >>> a == d, b == c, a == b, made.num_rounds
    (True, True, False, 1)
    """
    n = pattern.num_rows
    check(n == pattern.num_cols, f"the pattern must be square, got {n} rows and {pattern.num_cols} columns")
    check(max_rounds is None or max_rounds >= 0, f"max_rounds must not be negative, got {max_rounds}")
    for name, labels, count, what in (
        ("node_labels", node_labels, n, "nodes"),
        ("edge_labels", edge_labels, pattern.num_entries, "edges"),
    ):
        if labels is not None:
            check_tensor(name, labels, ndim=1, dtypes=_INTEGERS)
            check_rows(name, labels, count, what)
    heard_by = pattern.transposed
    start = torch.zeros(n, dtype=torch.int64) if node_labels is None else _ranks(node_labels)
    label = None if edge_labels is None else _ranks(edge_labels)
    rounds = -1 if max_rounds is None else max_rounds
    num_rounds = cpu.refine(_view(pattern, label), _view(heard_by, label), start.numpy(), rounds) if n else 0
    return Colors(start.to(pattern.device), num_rounds)


def _view(pattern: Pattern, label: Tensor | None) -> cpu.View:
    """Its rows, and the labels in their order."""
    if label is not None and pattern.entry is not None:
        label = label[pattern.entry.long().cpu()]
    return pattern.indptr.cpu().numpy(), pattern.indices.cpu().numpy(), None if label is None else label.numpy()


def _ranks(labels: Tensor) -> Tensor:
    """[n] which of the distinct labels, in their order, each one is: in memory of its own."""
    low, high = (int(bound) for bound in torch.aminmax(labels.long())) if labels.numel() else (0, 0)
    if low >= 0 and high < 2 * labels.numel() + 1024:  # few enough to be counted
        is_there = torch.bincount(labels.long().flatten(), minlength=1).cpu() > 0
        return (is_there.cumsum(0) - 1)[labels.long().cpu()]
    return torch.unique(labels.long().cpu(), return_inverse=True)[1]
