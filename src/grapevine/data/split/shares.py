"""Splits by share, drawn at random: of all items, or of each class.

Of n items the parts get n * share, rounded so that the sum is n (largest remainders first).
"""

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.data.split.split import Split, check_classes, check_shares, known_items, mask_of, split_of
from grapevine.errors import check


def random_split(items: int | Shaped[Tensor, "n *t"], *, train: float = 0.6, val: float = 0.2, seed: int = 0) -> Split:
    """These shares of the items, drawn at random, teach and choose; the rest judge.

    Args:
        items: how many there are; or their answers y, of which the unknown ones (-1, NaN) are in no part.

    Raises:
        InputError: if a share is wrong, or a part would be empty that has one.

    >>> random_split(10)
    Split(6 train, 2 val, 2 test)
    """
    check_shares(train, val)
    known, num_items = known_items(items)
    return split_of(_cut(known[_shuffle(len(known), seed)], train, val), num_items)


def stratified_split(y: Int[Tensor, " n"], *, train: float = 0.6, val: float = 0.2, seed: int = 0) -> Split:
    """These shares of each class teach and choose, the rest of it judges; items without a class (-1) are in no part.

    A class of three items or more is in every part that has a share; one of two teaches and is in the larger of the
    others, a single item teaches. 60/20/20 is the split of Pei et al. 2020 and of most papers since.

    Raises:
        InputError: if y is not one class an item, a share is wrong, or a part would be empty that has one.

    >>> stratified_split(torch.tensor([0] * 10 + [1] * 5 + [-1]))
    Split(9 train, 3 val, 3 test)
    """
    check_shares(train, val)
    check_classes(y, "use random_split")
    known, num_items = known_items(y)
    drawn = known[_shuffle(len(known), seed)]
    parts = [_cut(drawn[y[drawn] == c], train, val, is_class=True) for c in y[known].unique()]
    joined = [torch.cat(part) for part in zip(*parts, strict=True)]
    for name, share, part in zip(("train", "val", "test"), _shares(train, val), joined, strict=True):
        check(share == 0 or len(part) > 0, f"no class has enough items for one of them to be in {name}")
    return split_of(joined, num_items)


def per_class(y: Int[Tensor, " n"], *, num_train: int, num_val: int, seed: int = 0) -> Split:
    """`num_train` items of each class teach, `num_val` of the others choose, and the rest judge, drawn at random.

    An item without a class (-1) is in none of the three.

    Raises:
        InputError: if a class has too few items, or too few are left to choose and judge.

    >>> per_class(torch.tensor([0, 0, 0, 1, 1, 1, 1, -1]), num_train=2, num_val=1)
    Split(4 train, 1 val, 2 test)
    """
    check_classes(y, "use random_split")
    order = _shuffle(len(y), seed)
    order = order[y[order] >= 0]
    check(len(order) > 0, "y must have a class for some item")
    train = []
    for c in y[order].unique().tolist():
        items = order[y[order] == c]
        check(len(items) >= num_train, f"class {c} has {len(items)} items, fewer than num_train = {num_train}")
        train.append(items[:num_train])
    is_train = mask_of(torch.cat(train), len(y))
    rest = order[~is_train[order]]
    check(len(rest) > num_val, f"num_val = {num_val} leaves no item to judge: {len(rest)} do not teach")
    return Split(is_train, mask_of(rest[:num_val], len(y)), mask_of(rest[num_val:], len(y)))


def part_sizes(count: int, train: float, val: float) -> list[int]:
    """How many of `count` items each part gets; one at least where it has a share and there are enough.

    >>> part_sizes(10, 0.6, 0.2), part_sizes(3, 0.6, 0.2), part_sizes(2, 0.5, 0.2), part_sizes(1, 0.6, 0.2)
    ([6, 2, 2], [1, 1, 1], [1, 0, 1], [1, 0, 0])
    """
    shares = _shares(train, val)
    exact = [count * share for share in shares]
    sizes = [int(size + 1e-9) for size in exact]
    by_remainder = sorted(range(3), key=lambda k: sizes[k] - exact[k])
    for k in by_remainder[: count - sum(sizes)]:
        sizes[k] += 1
    first, *others = sorted((k for k in range(3) if shares[k] > 0), key=lambda k: (k > 0, -shares[k]))
    for k in [first, *others][:count]:
        if sizes[k] == 0:
            sizes[max(range(3), key=lambda m: sizes[m])] -= 1
            sizes[k] = 1
    return sizes


def _shares(train: float, val: float) -> tuple[float, float, float]:
    rest = 1 - train - val
    return train, val, rest if rest > 1e-9 else 0.0


def _cut(items: Tensor, train: float, val: float, *, is_class: bool = False) -> tuple[Tensor, ...]:
    """The first of these items teach, the next choose, the rest judge; only of a class a part may stay empty."""
    sizes = part_sizes(len(items), train, val)
    has_share = [share > 0 for share in _shares(train, val)]
    is_enough = is_class or sum(has_share) <= len(items)
    check(is_enough, f"{len(items)} items are too few for {sum(has_share)} parts")
    return items.split(sizes)


def _shuffle(count: int, seed: int) -> Tensor:
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
