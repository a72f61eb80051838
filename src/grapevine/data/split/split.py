"""Which items teach, which choose and which judge; an item is a node, a graph or an edge."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check

CLASS_DTYPES = (torch.int64, torch.int32)


@dataclass(frozen=True)
class Split:
    """Three masks over the items: train teaches the model, val chooses among models, test judges the chosen one.

    Each of them may be empty: the folds of the GIN paper have no val.

    Raises:
        InputError: if two of them share an item.
    """

    train: Bool[Tensor, " n"]
    val: Bool[Tensor, " n"]
    test: Bool[Tensor, " n"]

    def __post_init__(self):
        masks = {"train": self.train, "val": self.val, "test": self.test}
        for name, mask in masks.items():
            check_tensor(name, mask, ndim=1, dtypes=(torch.bool,))
            check_rows(name, mask, len(self.train), "items")
        shared = int((torch.stack(list(masks.values())).sum(0) > 1).sum())
        check(shared == 0, f"train, val and test must share no item, but {shared} items are in more than one")

    def __repr__(self) -> str:
        return f"Split({self.train.sum()} train, {self.val.sum()} val, {self.test.sum()} test)"


def mask_of(items: Int[Tensor, " k"], num_items: int) -> Bool[Tensor, " n"]:
    """[num_items] true at those items.

    >>> mask_of(torch.tensor([0, 2]), 4).tolist()
    [True, False, True, False]
    """
    mask = torch.zeros(num_items, dtype=torch.bool)
    mask[items] = True
    return mask


def split_of(parts: Sequence[Int[Tensor, " k"]], num_items: int) -> Split:
    """The split of these items to teach, to choose and to judge."""
    return Split(*(mask_of(part, num_items) for part in parts))


def is_known(y: Shaped[Tensor, "n *t"]) -> Bool[Tensor, " n"]:
    """Which items have an answer: a class that is not negative, a number that is no NaN; of several, any of them.

    >>> is_known(torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]])).tolist()
    [True, False]
    """
    check(isinstance(y, Tensor), f"y must be a tensor, got {type(y).__name__}")
    known = ~y.isnan() if y.is_floating_point() else y >= 0 if y.dtype != torch.bool else torch.ones_like(y)
    return known.flatten(1).any(1) if known.ndim > 1 else known


def known_items(items: int | Shaped[Tensor, "n *t"]) -> tuple[Int[Tensor, " k"], int]:
    """Those that can be drawn, of a number of items all and of answers those that are known; and how many there are."""
    if isinstance(items, bool) or not isinstance(items, int | Tensor):
        raise InputError(f"give the number of items or their answers y, got {type(items).__name__}")
    known = torch.arange(items) if isinstance(items, int) else is_known(items).nonzero().squeeze(1).cpu()
    check(len(known) > 0, "there is no item to draw" if isinstance(items, int) else "y must be known for some item")
    return known, items if isinstance(items, int) else len(items)


def check_classes(y: Tensor, instead: str) -> None:
    """Raise an InputError unless y is one class an item; `instead` says what to do with other answers."""
    kind = f"{tuple(y.shape)} of {str(y.dtype).removeprefix('torch.')}" if isinstance(y, Tensor) else type(y).__name__
    is_class = isinstance(y, Tensor) and y.ndim == 1 and y.dtype in CLASS_DTYPES
    check(is_class, f"y must be of dtype int64 with one class an item to draw from each class, got {kind}: {instead}")


def check_shares(train: float, val: float) -> None:
    """Raise an InputError unless train and val are shares that leave none or some to test."""
    fits = 0 < train <= 1 and 0 <= val < 1 and train + val <= 1 + 1e-9
    check(fits, f"train must be in (0, 1], val in [0, 1) and their sum at most 1, got {train} and {val}")
