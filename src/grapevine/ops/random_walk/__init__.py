"""Random walks over a pattern: how probable it is to be back, or at the other end of an edge, after 1, 2, ... steps.

W[j, i] = (how many edges run from j to i) / (how many leave j),   returns[i, k] = (W^k)[i, i],
arrivals[e, k] = (W^k)[j, i] of the edge e from j to i                                          k = 1, 2, ...

Where every edge has its other direction, d_j W^k[j, i] = d_i W^k[i, j], and half the steps are enough:

returns[i, a + b] = d_i * the sum over j of  W^a[i, j] W^b[i, j] / d_j

A walk that comes to a node that no edge leaves ends there.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.errors import check
from grapevine.ops.pattern import Pattern
from grapevine.ops.random_walk import cpu

MOST_WORK = 2**32  # edges that are passed over before walks are drawn: ten to twenty seconds on one thread


class Returns(NamedTuple):
    """The probabilities, and for how many of its steps each node's are exact; those of the others are estimates."""

    probabilities: Float[Tensor, "n k"]
    num_exact: Int[Tensor, " n"]


def return_probabilities(
    pattern: Pattern,
    num_steps: int,
    *,
    is_symmetric: bool = False,
    most_work: int = MOST_WORK,
    num_walks: int = 256,
    seed: int = 0,
) -> Returns:
    """How probable a walk from each node is back after 1 .. num_steps steps, in float64.

    Each node may pass over most_work / n edges; what that does not reach is estimated without bias from walks that are
    drawn, by how often two of them meet half way (of a pattern that is not symmetric, by how often they return). On
    another device than the processor it is computed on the processor all the same.

    Args:
        pattern: rows are the targets of the edges, columns their sources; a walk goes along the edges.
        is_symmetric: whether every edge stands there as often in its other direction.
        num_walks: drawn from each node where something is estimated, two at least.

    Raises:
        InputError: for a pattern that is not square, or a number that can not be.

    >>> path = Pattern(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 0, 2, 1]), num_cols=3)
    >>> return_probabilities(path, 4, is_symmetric=True).probabilities[0].tolist()
    [0.0, 0.5, 0.0, 0.5]
    """
    _check(pattern, num_steps)
    check(most_work >= 0, f"most_work must not be negative, got {most_work}")
    check(num_walks >= 2, f"num_walks must be at least 2, since pairs of walks are compared, got {num_walks}")
    out, num_exact = cpu.returns(_view(pattern), num_steps, is_symmetric, most_work, num_walks, seed)
    return Returns(torch.from_numpy(out).to(pattern.device), torch.from_numpy(num_exact).to(pattern.device))


def arrival_probabilities(pattern: Pattern, num_steps: int) -> Float[Tensor, "e k"]:
    """How probable a walk from the source of each edge is at its target after 1 .. num_steps steps, in float64. Exact.

    Arguments and errors as of `return_probabilities`; the edges are in the order of the pattern's edge tensors.

    >>> path = Pattern(torch.tensor([0, 1, 3, 4]), torch.tensor([1, 0, 2, 1]), num_cols=3)
    >>> arrival_probabilities(path, 2).tolist()
    [[0.5, 0.0], [1.0, 0.0], [1.0, 0.0], [0.5, 0.0]]
    """
    _check(pattern, num_steps)
    found = torch.from_numpy(cpu.arrivals(_view(pattern), num_steps))
    if pattern.entry is not None:
        found = torch.empty_like(found).index_copy_(0, pattern.entry.long().cpu(), found)
    return found.to(pattern.device)


def _check(pattern: Pattern, num_steps: int) -> None:
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    n = pattern.num_rows
    check(n == pattern.num_cols, f"the pattern must be square, got {n} rows and {pattern.num_cols} columns")
    is_count = isinstance(num_steps, int) and not isinstance(num_steps, bool) and num_steps > 0
    check(is_count, f"num_steps must be a positive whole number, got {num_steps!r}")


def _view(pattern: Pattern) -> cpu.View:
    return pattern.indptr.cpu().numpy(), pattern.indices.cpu().numpy()
