"""Who is near whom: pairs of points within a distance, in each graph of a batch, and how long edges are.

N(i) = { j != i of the same graph : |pos_j - pos_i| < cutoff },  with no bound on how many there are
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.ops.neighbors import cpu, reference
from grapevine.ops.pattern import Pattern

_FLOATS = (torch.float32, torch.float64)
_INTS = (torch.int32, torch.int64)


def radius_pairs(pos: Float[Tensor, "n 3"], starts: Int[Tensor, " g+1"], cutoff: float) -> Pattern:
    """The pairs of different points nearer than `cutoff`: rows are who hears, columns who is heard, both ascending.

    Graph k holds the points starts[k] .. starts[k + 1] - 1. Time is linear in points and pairs: a large graph is
    sorted into boxes as wide as the cut-off, a small one is one box. Distances are taken in float64.

    >>> pos = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 0, 0.5], [0, 0, 0]])
    >>> pairs = radius_pairs(pos, torch.tensor([0, 3, 4]), 1.05)
    >>> pairs.indptr.tolist(), pairs.indices.tolist()
    ([0, 2, 3, 4, 4], [1, 2, 0, 0])
    """
    check_tensor("pos", pos, ndim=2, dtypes=_FLOATS)
    check(pos.shape[1] == 3, f"pos must have three columns, got shape {tuple(pos.shape)}")
    check_tensor("starts", starts, ndim=1, dtypes=_INTS)
    is_cover = len(starts) > 0 and int(starts[0]) == 0 and int(starts[-1]) == len(pos)
    is_cover = is_cover and bool((starts.diff() >= 0).all())
    check(is_cover, f"starts must rise from 0 to the {len(pos)} points")
    check(cutoff > 0, f"cutoff must be a positive distance, got {cutoff!r}")
    check(bool(pos.isfinite().all()), "pos must be finite, got NaN or infinity")
    indptr, indices = (cpu if pos.device.type == "cpu" else reference).radius_pairs(pos, starts, float(cutoff))
    return Pattern.trusted(indptr, indices, len(pos))


def squared_lengths(
    pos: Float[Tensor, "n 3"],
    src: Int[Tensor, " e"],
    dst: Int[Tensor, " e"],
    shift: Int[Tensor, "e 3"] | None = None,
    cell: Float[Tensor, "n 3 3"] | Float[Tensor, "3 3"] | None = None,
) -> Float[Tensor, " e"]:
    """[e] |pos[src] + shift @ cell - pos[dst]|^2 in float64, without gradients; the cell of all or of each target.

    >>> pos, one = torch.tensor([[0.0, 0, 0], [3, 0, 0]]), torch.tensor([0])
    >>> squared_lengths(pos, one, one + 1).tolist()
    [9.0]
    >>> squared_lengths(pos, one, one + 1, torch.tensor([[1, 0, 0]]), 4 * torch.eye(3)).tolist()
    [1.0]
    """
    check_tensor("pos", pos, ndim=2, dtypes=_FLOATS)
    for name, ends in (("src", src), ("dst", dst)):
        check_tensor(name, ends, ndim=1, dtypes=_INTS)
        is_inside = len(ends) == 0 or (int(ends.min()) >= 0 and int(ends.max()) < len(pos))
        check(is_inside, f"{name} must name points in 0 .. {len(pos) - 1}")
    check_rows("dst", dst, len(src), "sources")
    check((shift is None) == (cell is None), "shift and cell go together: give both or neither")
    if shift is None or cell is None:
        return (cpu if pos.device.type == "cpu" else reference).squared_lengths(pos, src, dst, None, None)
    check_tensor("shift", shift, ndim=2, dtypes=_INTS)
    check_rows("shift", shift, len(src), "edges")
    check_tensor("cell", cell, ndim=(2, 3), dtypes=_FLOATS)
    fits = cell.shape[-2:] == (3, 3) and (cell.ndim == 2 or len(cell) == len(pos))
    check(fits and shift.shape[1] == 3, f"cell must be [3, 3] or [n, 3, 3] and shift [e, 3], got {tuple(cell.shape)}")
    cells = cell.expand(len(pos), 3, 3) if cell.ndim == 2 else cell
    return (cpu if pos.device.type == "cpu" else reference).squared_lengths(pos, src, dst, shift, cells)
