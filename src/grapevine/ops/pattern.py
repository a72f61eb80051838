"""Where a sparse matrix has entries: the compressed rows every operation on edges runs over.

Row i holds the entries indptr[i] .. indptr[i+1] - 1, and entry p stands in column indices[p]. For a graph the
rows are the targets and the columns the sources.
"""

import torch
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import InputError, check
from grapevine.ops.group import group, index_dtype

_INTEGERS = (torch.int64, torch.int32)


class Pattern:
    """Compressed rows, checked once when they are made, so that kernels may trust them. Immutable.

    Args:
        indptr: [num_rows + 1] integers that start at 0, never fall and end at the number of entries.
        indices: [num_entries] columns, each in 0 .. num_cols - 1.
        num_cols: the number of columns.

    Raises:
        InputError: if one of these does not hold.

    >>> pattern = Pattern(torch.tensor([0, 2, 2, 3]), torch.tensor([0, 1, 2]), num_cols=4)
    >>> pattern
    Pattern(3 rows, 4 columns, 3 entries)
    >>> pattern.row_of.tolist(), pattern.transposed.indptr.tolist()
    ([0, 0, 2], [0, 1, 2, 3, 3])
    """

    __slots__ = ("_row_of", "_transposed", "entry", "indices", "indptr", "num_cols")

    def __init__(self, indptr: Tensor, indices: Tensor, num_cols: int):
        _check_compressed(indptr, indices, num_cols)
        dtype = index_dtype(indptr.shape[0], indices.shape[0], num_cols)
        self._fill(indptr.to(dtype).contiguous(), indices.to(dtype).contiguous(), num_cols, None)

    @classmethod
    def trusted(cls, indptr: Tensor, indices: Tensor, num_cols: int, entry: Tensor | None = None) -> "Pattern":
        """Without a check, for callers that made the tensors: all three contiguous and of one integer dtype.

        `entry` says which row of the edge tensors belongs to each entry; None means its own position.
        """
        pattern = cls.__new__(cls)
        pattern._fill(indptr, indices, num_cols, entry)
        return pattern

    def _fill(self, indptr: Tensor, indices: Tensor, num_cols: int, entry: Tensor | None) -> None:
        self.indptr, self.indices, self.num_cols, self.entry = indptr, indices, num_cols, entry
        self._row_of: Tensor | None = None
        self._transposed: Pattern | None = None

    @property
    def num_rows(self) -> int:
        return self.indptr.shape[0] - 1

    @property
    def num_entries(self) -> int:
        return self.indices.shape[0]

    @property
    def device(self) -> torch.device:
        return self.indices.device

    @property
    def row_of(self) -> Tensor:
        """[num_entries] the row of each entry; made on first use."""
        if self._row_of is None:
            with torch.inference_mode(False):  # what evaluation makes first, training uses later
                rows = torch.arange(self.num_rows, dtype=self.indptr.dtype, device=self.device)
                self._row_of = rows.repeat_interleave(self.indptr.diff(), output_size=self.num_entries)
        return self._row_of

    @property
    def transposed(self) -> "Pattern":
        """The same entries by column, `entry` saying where each stands here; made on first use."""
        if self._transposed is None:
            with torch.inference_mode(False):
                wide = self.indptr.dtype == torch.int64
                indptr, indices, order = group(self.indices, self.row_of, self.num_cols, wide)
                entry = order if self.entry is None else self.entry[order]
                self._transposed = Pattern.trusted(indptr, indices, self.num_rows, entry)
        return self._transposed

    @property
    def view(self) -> list[Tensor]:
        """The tensors a kernel takes: indptr, indices and, where it is not the identity, entry."""
        return [self.indptr, self.indices] if self.entry is None else [self.indptr, self.indices, self.entry]

    def to(self, device: torch.device | str) -> "Pattern":
        """The same pattern on another device, its transpose with it."""
        moved = [tensor.to(device) for tensor in self.view]
        pattern = Pattern.trusted(moved[0], moved[1], self.num_cols, *moved[2:])
        if self._transposed is not None:
            pattern._transposed = self._transposed.to(device)
        return pattern

    def __repr__(self) -> str:
        return f"Pattern({self.num_rows} rows, {self.num_cols} columns, {self.num_entries} entries)"


def _check_compressed(indptr: Tensor, indices: Tensor, num_cols: int) -> None:
    check_tensor("indptr", indptr, ndim=1, dtypes=_INTEGERS)
    check_tensor("indices", indices, ndim=1, dtypes=_INTEGERS)
    check(indptr.device == indices.device, f"indptr is on {indptr.device}, indices on {indices.device}")
    check(len(indptr) > 0, "indptr must have one number more than there are rows, got none")
    ends = indptr[0].item(), indptr[-1].item()
    check(
        ends == (0, len(indices)),
        f"indptr must run from 0 to the {len(indices)} entries, got {ends[0]} to {ends[1]}",
    )
    check(bool((indptr.diff() >= 0).all()), "indptr must never fall")
    check_bounds("indices", indices, num_cols, "columns")


def check_bounds(name: str, indices: Tensor, size: int, what: str) -> None:
    """Raise an InputError unless every index lies in 0 .. size - 1."""
    check(size >= 0, f"the number of {what} must not be negative, got {size}")
    if indices.numel() == 0:
        return
    low, high = (bound.item() for bound in torch.aminmax(indices))
    if low < 0 or high >= size:
        wrong = low if low < 0 else high
        raise InputError(f"{name} must lie in 0 .. {size - 1} ({size} {what}), got {wrong}")
