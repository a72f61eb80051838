"""Which rows are alike, so that what is computed of them is computed once.

of[i] = of[j]  exactly if row i and row j hold the same;   first[of[i]] = the first row of that class

Rows are compared number by number, so no chance is in it. Classes are numbered as they first appear. `heard_alike` is a
round of colour refinement (Weisfeiler & Leman 1968) with its colours told apart exactly.
"""

from typing import NamedTuple

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.ops.alike import cpu, reference
from grapevine.ops.pattern import Pattern, check_bounds


class Alike(NamedTuple):
    """The class of each row, and a row of each class."""

    of: Int[Tensor, " n"]
    first: Int[Tensor, " k"]


class HeardAlike(NamedTuple):
    """The class of each row, a row of each class, and what a row of each class hears: classes of the round before."""

    of: Int[Tensor, " n"]
    first: Int[Tensor, " k"]
    pattern: Pattern


def alike(rows: Shaped[Tensor, "n c"]) -> Alike:
    """The classes of equal rows, as int32; equal is what has the same bits, so NaN is NaN, and -0 is not 0.

    >>> alike(torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]))
    Alike(of=tensor([0, 1, 0], dtype=torch.int32), first=tensor([0, 1], dtype=torch.int32))
    """
    check(isinstance(rows, Tensor) and rows.ndim == 2, "rows must be a matrix")
    known = (cpu if rows.device.type == "cpu" else reference).alike(rows)
    return Alike(*known)


def heard_alike(
    own: Int[Tensor, " n"], starts: Int[Tensor, " g+1"], place: Int[Tensor, " n"], left_out: Int[Tensor, " n"],
    colors: Alike,
) -> HeardAlike:  # fmt: skip
    """The classes of rows that are alike themselves and hear equally many of each class.

    Row i hears the entries starts[place[i]] .. starts[place[i] + 1] - 1 but the entry left_out[i].

    Args:
        own: the class of each row itself.
        starts: where each group of entries begins.
        left_out: -1: none.
        colors: the classes of the entries.

    >>> entries = alike(torch.tensor([[5], [6], [5]]))
    >>> starts, own = torch.tensor([0, 2, 3], dtype=torch.int32), torch.tensor([0, 0, 0], dtype=torch.int32)
    >>> made = heard_alike(own, starts, torch.tensor([0, 1, 0]), torch.tensor([1, -1, -1]), entries)
    >>> made.of.tolist(), made.pattern.indptr.tolist(), made.pattern.indices.tolist()
    ([0, 0, 1], [0, 1, 3], [0, 0, 1])
    """
    for name, tensor in (("own", own), ("starts", starts), ("place", place), ("left_out", left_out)):
        check_tensor(name, tensor, ndim=1, dtypes=(torch.int32, torch.int64))
    for name, tensor in (("place", place), ("left_out", left_out)):
        check_rows(name, tensor, len(own), "rows")
    check_bounds("place", place, len(starts) - 1, "groups")
    ends = (int(starts[0]), int(starts[-1])) if len(starts) else (0, 0)
    check(ends == (0, len(colors.of)), f"starts must run from 0 to the {len(colors.of)} entries, got {ends}")
    numbers = own, starts, place, left_out, colors.of
    of, first, indptr, indices = (cpu if own.device.type == "cpu" else reference).heard_alike(*numbers)
    return HeardAlike(of, first, Pattern.trusted(indptr, indices, len(colors.first)))
