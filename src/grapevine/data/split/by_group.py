"""Splits of whole groups, as of molecules of one scaffold: what is judged is unlike what was taught."""

import torch
from jaxtyping import Int, Shaped
from numpy.typing import ArrayLike
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.data.split.shares import part_sizes
from grapevine.data.split.split import Split, check_shares, is_known
from grapevine.errors import check


def group_split(
    groups: Int[Tensor, " n"] | ArrayLike,
    *,
    train: float = 0.8,
    val: float = 0.1,
    seed: int = 0,
    balanced: bool = True,
    y: Shaped[Tensor, "n *t"] | None = None,
) -> Split:
    """Whole groups teach, choose or judge: each goes to the first of the three that still has room for all of it.

    Balanced (Yang et al. 2019): groups of more than half the items of val or of test come first, in random order, and
    so teach; then the others, in random order. Else (DeepChem, Ramsundar et al. 2019): the largest groups first, of
    those of one size the one that begins last, so that the rarest judge; no seed then. What has no room judges.

    Args:
        groups: [n] the number of each item's group.
        y: the answers; an item without one (-1, NaN) is in no part and does not count for the shares.

    Raises:
        InputError: if a share is wrong or a part that has one stays empty.

    >>> group_split([0, 0, 0, 0, 1, 1, 2, 3, 3, 3], train=0.5, val=0.2, balanced=False).train.tolist()
    [True, True, True, True, False, False, True, False, False, False]
    """
    check_shares(train, val)
    group, known = _checked(groups, y)
    sizes = group[known].bincount(minlength=int(group.max()) + 1).tolist()
    first = _first_items(group, known)
    num_known = int(known.sum())
    room = part_sizes(num_known, train, val)
    present = [k for k, size in enumerate(sizes) if size > 0]
    order = _shuffled(present, seed) if balanced else sorted(present, key=lambda k: (-sizes[k], -first[k]))
    if balanced:
        large = min(size for size in (*room[1:], num_known) if size > 0) / 2
        order.sort(key=lambda k: sizes[k] <= large)  # stable, so both halves stay in random order
    part_of, left = torch.full((len(sizes),), -1), list(room)
    for k in order:
        part = next((part for part in range(3) if sizes[k] <= left[part]), 2 if room[2] > 0 else 0)
        part_of[k] = part
        left[part] -= sizes[k]
    split = _split(part_of[group], known)
    for name, mask, size in zip(("train", "val", "test"), (split.train, split.val, split.test), room, strict=True):
        largest = f"there are {len(present)}, the largest of {max(sizes)} among {num_known} items"
        check(size == 0 or bool(mask.any()), f"no group is left for {name}: {largest}; change the shares or the seed")
    return split


def group_k_fold(
    groups: Int[Tensor, " n"] | ArrayLike,
    *,
    folds: int = 10,
    val: float = 0.0,
    seed: int = 0,
    y: Shaped[Tensor, "n *t"] | None = None,
) -> list[Split]:
    """A split for each fold of whole groups: the fold judges, about a share `val` of the rest chooses.

    The largest groups are dealt first, those of one size in random order, each to the fold with the fewest items.

    Raises:
        InputError: if there are fewer groups than folds, or val is wrong or leaves nothing to teach.

    >>> group_k_fold([0, 0, 1, 2, 2, 3], folds=3)
    [Split(4 train, 0 val, 2 test), Split(4 train, 0 val, 2 test), Split(4 train, 0 val, 2 test)]
    """
    check(0 <= val < 1, f"val must be a share in [0, 1), got {val}")
    group, known = _checked(groups, y)
    sizes = group[known].bincount(minlength=int(group.max()) + 1).tolist()
    present = [k for k, size in enumerate(sizes) if size > 0]
    check(2 <= folds <= len(present), f"folds must be in 2 .. {len(present)}, the number of groups, got {folds}")
    order = sorted(_shuffled(present, seed), key=lambda k: -sizes[k])
    fold_of, counts = torch.full((len(sizes),), -1), [0] * folds
    for k in order:
        fold = min(range(folds), key=lambda fold: counts[fold])
        fold_of[k] = fold
        counts[fold] += sizes[k]
    return [_fold(group, known, fold_of, fold, val, sizes, seed) for fold in range(folds)]


def _fold(
    group: Tensor, known: Tensor, fold_of: Tensor, fold: int, val: float, sizes: list[int], seed: int
) -> Split:  # fmt: skip
    part_of = torch.where(fold_of == fold, 2, torch.where(fold_of >= 0, 0, -1))
    rest = [k for k in range(len(sizes)) if part_of[k] == 0]
    wanted = part_sizes(sum(sizes[k] for k in rest), 1 - val, val)[1] if val > 0 else 0
    for k in _shuffled(rest, seed + 1 + fold):
        if sizes[k] <= wanted:
            part_of[k] = 1
            wanted -= sizes[k]
    split = _split(part_of[group], known)
    check(bool(split.train.any()), f"val = {val} leaves no group to teach")
    check(val == 0 or bool(split.val.any()), f"val = {val} is less than the smallest group: no item is left to choose")
    return split


def _checked(groups: Tensor | ArrayLike, y: Tensor | None) -> tuple[Tensor, Tensor]:
    """The groups numbered from 0 in the order of their numbers, and which items can be drawn."""
    group = torch.as_tensor(groups)
    check_tensor("groups", group, ndim=1, dtypes=(torch.int64, torch.int32))
    if y is not None:
        check_rows("y", y, len(group), "items")
    known = torch.ones(len(group), dtype=torch.bool) if y is None else is_known(y).cpu()
    check(bool(known.any()), "there is no item to split" + ("" if y is None else ": the answers of all are unknown"))
    return group.unique(return_inverse=True)[1], known


def _first_items(group: Tensor, known: Tensor) -> list[int]:
    items = torch.arange(len(group))
    first = torch.full((int(group.max()) + 1,), len(group))
    return first.scatter_reduce(0, group[known], items[known], "amin").tolist()


def _shuffled(groups: list[int], seed: int) -> list[int]:
    order = torch.randperm(len(groups), generator=torch.Generator().manual_seed(seed))
    return [groups[k] for k in order.tolist()]


def _split(part: Tensor, known: Tensor) -> Split:
    return Split(known & (part == 0), known & (part == 1), known & (part == 2))
