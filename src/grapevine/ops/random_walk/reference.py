"""The probabilities of random walks in plain PyTorch: powers of a dense matrix."""

import torch
from torch import Tensor

from grapevine.ops.pattern import Pattern


def powers(pattern: Pattern, num_steps: int) -> Tensor:
    """[k, n, n] W, W^2, ..., the source of a walk in the row and where it is in the column."""
    n = pattern.num_rows
    walk = torch.zeros(n, n, dtype=torch.float64)
    edges = pattern.indices.long(), pattern.row_of.long()
    walk.index_put_(edges, torch.ones(pattern.num_entries, dtype=torch.float64), accumulate=True)
    walk /= walk.sum(1, keepdim=True).clamp(min=1)
    found = [walk]
    for _ in range(num_steps - 1):
        found.append(found[-1] @ walk)
    return torch.stack(found)


def returns(pattern: Pattern, num_steps: int) -> Tensor:
    return powers(pattern, num_steps).diagonal(dim1=1, dim2=2).T


def arrivals(pattern: Pattern, num_steps: int) -> Tensor:
    """[e, k] in the order of the entries."""
    return powers(pattern, num_steps)[:, pattern.indices.long(), pattern.row_of.long()].T
