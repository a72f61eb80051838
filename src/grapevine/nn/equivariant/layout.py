"""How features of irreps lie in memory, and how to get at their blocks.

A flat feature [n, dim] holds its blocks one after another, and a block of `mul` copies of degree l as [2l + 1, mul]:
component after component, channels last. e3nn keeps [mul, 2l + 1]; `to_e3nn` and `from_e3nn` permute.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.nn.equivariant.irreps import Irrep, Irreps


def check_features(name: str, x: Tensor, irreps: Irreps) -> None:
    """Raise an InputError unless x is [n, dim] with the width of these irreps."""
    check_tensor(name, x, ndim=2)
    given = tuple(x.shape)
    check(given[1] == irreps.dim, f"{name} must have the {irreps.dim} columns of {irreps}, got shape {given}")


def split(x: Float[Tensor, "n dim"], irreps: Irreps) -> list[Tensor]:
    """A view of each block, [n, 2l + 1, mul].

    >>> [tuple(block.shape) for block in split(torch.zeros(5, 8), Irreps("2x0e + 2x1o"))]
    [(5, 1, 2), (5, 3, 2)]
    """
    check_features("x", x, irreps)
    return [
        x[:, columns].unflatten(1, (block.irrep.dim, block.mul))
        for block, columns in zip(irreps, irreps.slices, strict=True)
    ]


def join(blocks: Sequence[Tensor]) -> Float[Tensor, "n dim"]:
    """A flat feature of blocks [n, 2l + 1, mul], one at least.

    >>> join([torch.zeros(5, 1, 2), torch.zeros(5, 3, 2)]).shape
    torch.Size([5, 8])
    """
    check(len(blocks) > 0, "join needs one block at least")
    if len(blocks) == 1:
        return blocks[0].flatten(1)
    return torch.cat([block.flatten(1) for block in blocks], dim=1)


def to_e3nn(x: Float[Tensor, "n dim"], irreps: Irreps) -> Float[Tensor, "n dim"]:
    """The same features as e3nn keeps them, a block as [mul, 2l + 1].

    >>> to_e3nn(torch.arange(6).float().unsqueeze(0), Irreps("2x1o")).tolist()
    [[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]]
    """
    return join([block.transpose(1, 2) for block in split(x, irreps)]) if len(irreps) else x


def from_e3nn(x: Float[Tensor, "n dim"], irreps: Irreps) -> Float[Tensor, "n dim"]:
    """Features of e3nn, a block as [mul, 2l + 1], as we keep them.

    >>> from_e3nn(torch.tensor([[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]]), Irreps("2x1o")).tolist()
    [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]]
    """
    check_features("x", x, irreps)
    blocks = (x[:, columns] for columns in irreps.slices)
    shaped = [part.unflatten(1, (b.mul, b.irrep.dim)).transpose(1, 2) for part, b in zip(blocks, irreps, strict=True)]
    return join(shaped) if shaped else x


def regroup(x: Float[Tensor, "n dim"], irreps: Irreps) -> Float[Tensor, "n dim"]:
    """The same features in the order and the blocks of `irreps.regroup()`.

    >>> regroup(torch.tensor([[1.0, 2.0, 3.0, 0.0]]), Irreps("1o + 0e")).tolist()
    [[0.0, 1.0, 2.0, 3.0]]
    """
    grouped = irreps.regroup()
    check_features("x", x, irreps)
    return x if grouped == irreps else from_irreps(by_irrep(x, irreps), grouped, like=x)


def by_irrep(x: Float[Tensor, "n dim"], irreps: Irreps) -> dict[Irrep, Tensor]:
    """All copies of each irrep together, [n, 2l + 1, channels], in the order of the blocks.

    >>> parts = by_irrep(torch.zeros(5, 9), Irreps("1x0e + 2x1o + 2x0e"))
    >>> {irrep: tuple(part.shape) for irrep, part in parts.items()}
    {0e: (5, 1, 3), 1o: (5, 3, 2)}
    """
    found: dict[Irrep, list[Tensor]] = {}
    for block, part in zip(irreps, split(x, irreps), strict=True):
        found.setdefault(block.irrep, []).append(part)
    return {irrep: parts[0] if len(parts) == 1 else torch.cat(parts, dim=2) for irrep, parts in found.items()}


def from_irreps(parts: Mapping[Irrep, Tensor], irreps: Irreps, *, like: Tensor) -> Float[Tensor, "n dim"]:
    """What `by_irrep` took apart, put together; an irrep without a part is zero, of the rows and type of `like`."""
    blocks = []
    for irrep, mul, start in places(irreps):
        part = parts.get(irrep)
        if part is None:
            blocks.append(like.new_zeros(like.shape[0], irrep.dim, mul))
        else:
            blocks.append(part if part.shape[2] == mul else part[:, :, start : start + mul])
    return join(blocks) if blocks else like.new_zeros(like.shape[0], 0)


def places(irreps: Irreps) -> Iterator[tuple[Irrep, int, int]]:
    """Of each block its irrep, its copies, and how many copies of that irrep stand before it."""
    seen: dict[Irrep, int] = {}
    for mul, irrep in irreps:
        start = seen.get(irrep, 0)
        seen[irrep] = start + mul
        yield irrep, mul, start
