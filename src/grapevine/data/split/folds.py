"""K-fold cross-validation: every item judges in one fold, and teaches or chooses in the others."""

from collections.abc import Sequence

import torch
from jaxtyping import Shaped
from torch import Tensor

from grapevine.data.split.shares import part_sizes
from grapevine.data.split.split import Split, check_classes, known_items, split_of
from grapevine.errors import check


def k_fold(
    items: int | Shaped[Tensor, "n *t"],
    *,
    folds: int = 10,
    val: float = 0.0,
    seed: int = 0,
    stratified: bool = True,
) -> list[Split]:
    """A split for each fold: the fold judges, a share `val` of the rest chooses and what is left teaches.

    Folds differ by one item at most, in all and of each class. Without `val` no item chooses; that share is drawn
    from each class too. The folds of one seed are the same for any `val`.

    Args:
        items: how many there are; or their answers y, of which the unknown ones (-1, NaN) are in no part.
        stratified: draw from each class of y; a number of items has none, and other answers need stratified=False.

    Raises:
        InputError: if there are fewer items than folds, val is wrong, or y is not one class an item.

    >>> k_fold(torch.tensor([0] * 10 + [1] * 5), folds=5, val=0.25)[0]
    Split(9 train, 3 val, 3 test)
    """
    known, num_items = known_items(items)
    check(2 <= folds <= len(known), f"folds must be in 2 .. {len(known)}, the number of items, got {folds}")
    check(0 <= val < 1, f"val must be a share in [0, 1), got {val}")
    drawn = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(seed))]
    classes = torch.zeros(num_items, dtype=torch.int64)
    if isinstance(items, Tensor) and stratified:
        check_classes(items, "use stratified=False")
        classes = items.cpu()
    by_class = drawn[classes[drawn].argsort(stable=True)]
    fold_of = torch.arange(len(known)) % folds  # dealt like cards, on from one class to the next
    return [_split(by_class, classes, fold_of == fold, val, num_items) for fold in range(folds)]


def _split(items: Tensor, classes: Tensor, is_test: Tensor, val: float, num_items: int) -> Split:
    test, rest = items[is_test], items[~is_test]
    chosen = [_first(rest[classes[rest] == c], val) for c in classes[rest].unique()] if val > 0 else [rest[:0]]
    is_val = torch.isin(rest, torch.cat(chosen))
    check(val == 0 or bool(is_val.any()), f"val = {val} leaves no item to choose")
    return split_of((rest[~is_val], rest[is_val], test), num_items)


def _first(items: Tensor, share: float) -> Tensor:
    return items[: part_sizes(len(items), 1 - share, share)[1]]


def check_fold(fold: int, splits: Sequence[Split], what: str) -> Split:
    """That split of several, or an InputError that says how many `what` there are."""
    check(0 <= fold < len(splits), f"fold must be in 0 .. {len(splits) - 1} ({len(splits)} {what}), got {fold}")
    return splits[fold]
