"""Rotations and mirrors to try a layer with, and the law it must keep."""

from collections.abc import Callable

import torch
from torch import Tensor

from grapevine.nn.equivariant import Irreps, random_rotation, transform


def turns() -> list[Tensor]:
    """Two rotations, each followed by its mirror through the origin, and a mirror in a plane."""
    generator = torch.Generator().manual_seed(5)
    rotations = [random_rotation(generator) for _ in range(2)]
    return [*rotations, *(-rotation for rotation in rotations), torch.diag(torch.tensor([1.0, -1, 1])).double()]


def features(irreps: str, num_rows: int = 5, seed: int = 3) -> Tensor:
    """Random features that want a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_rows, Irreps(irreps).dim, generator=generator, dtype=torch.float64).requires_grad_()


def assert_equivariant(layer: Callable[..., Tensor], inputs: list[tuple[Tensor, str]], irreps_out: str) -> None:
    """Turning the inputs, each a feature and its irreps, turns the output."""
    out = layer(*(x for x, _ in inputs))
    for matrix in turns():
        turned = layer(*(transform(x, irreps, matrix) for x, irreps in inputs))
        torch.testing.assert_close(turned, transform(out, irreps_out, matrix), rtol=0, atol=1e-10)
