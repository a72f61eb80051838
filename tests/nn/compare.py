"""Graphs to compare layers on, and the comparison: outputs and gradients of two forms of one function."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from grapevine.graph import Adjacency

NUM_SRC, NUM_DST = 9, 6


def random_edges(num_src: int, num_dst: int, count: int = 24) -> Tensor:
    """Edges in no order, some of them repeated, with no edge to the last target and, where there may be, two loops."""
    generator = torch.Generator().manual_seed(1)
    src = torch.randint(num_src, (count,), generator=generator)
    dst = torch.randint(num_dst - 1, (count,), generator=generator)
    edges = torch.stack([src, dst])[:, src != dst]
    more = torch.tensor([[1, 2], [1, 2]]) if num_src == num_dst else edges[:, :2]
    return torch.cat([edges, edges[:, :3], more], dim=1)


def square() -> Adjacency:
    return Adjacency(random_edges(NUM_SRC, NUM_SRC), num_nodes=NUM_SRC)


def bipartite() -> Adjacency:
    return Adjacency(random_edges(NUM_SRC, NUM_DST), size=(NUM_SRC, NUM_DST))


def leaf(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Random numbers that want a gradient."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype).requires_grad_()


def assert_same(
    ours: Callable[[], Tensor],
    theirs: Callable[[], Tensor],
    leaves: Sequence[Tensor],
    *,
    their_leaves: Sequence[Tensor] | None = None,
    tolerance: float = 1e-10,
) -> None:
    """Two functions have one output and one gradient by each of the leaves."""
    outputs, gradients = [], []
    for function, wanted in ((ours, leaves), (theirs, their_leaves or leaves)):
        out = function()
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(2), dtype=out.dtype)
        outputs.append(out.detach())
        gradients.append(torch.autograd.grad((out * weights).sum(), list(wanted)))
    torch.testing.assert_close(*outputs, rtol=tolerance, atol=tolerance)
    for got, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance)
