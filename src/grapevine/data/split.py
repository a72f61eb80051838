"""Which nodes teach, which choose and which judge."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from grapevine.errors import check, check_rows, check_tensor


@dataclass(frozen=True)
class Split:
    """Three masks over the nodes: train teaches the model, val chooses among models, test judges the chosen one.

    Raises:
        InputError: if two of them share a node.
    """

    train: Bool[Tensor, " n"]
    val: Bool[Tensor, " n"]
    test: Bool[Tensor, " n"]

    def __post_init__(self):
        masks = {"train": self.train, "val": self.val, "test": self.test}
        for name, mask in masks.items():
            check_tensor(name, mask, ndim=1, dtypes=(torch.bool,))
            check_rows(name, mask, len(self.train), "nodes")
        shared = int((torch.stack(list(masks.values())).sum(0) > 1).sum())
        check(shared == 0, f"train, val and test must share no node, but {shared} nodes are in more than one")

    def __repr__(self) -> str:
        return f"Split({self.train.sum()} train, {self.val.sum()} val, {self.test.sum()} test)"


def mask_of(nodes: Int[Tensor, " k"], num_nodes: int) -> Bool[Tensor, " n"]:
    """[num_nodes] true at those nodes.

    >>> mask_of(torch.tensor([0, 2]), 4).tolist()
    [True, False, True, False]
    """
    mask = torch.zeros(num_nodes, dtype=torch.bool)
    mask[nodes] = True
    return mask


def per_class(y: Int[Tensor, " n"], *, num_train: int, num_val: int, seed: int = 0) -> Split:
    """`num_train` nodes of each class teach, `num_val` of the others choose, and the rest judge, drawn at random.

    A node without a class (-1) is in none of the three.

    Raises:
        InputError: if a class has too few nodes, or too few are left to choose and judge.

    >>> per_class(torch.tensor([0, 0, 0, 1, 1, 1, 1, -1]), num_train=2, num_val=1)
    Split(4 train, 1 val, 2 test)
    """
    check_tensor("y", y, ndim=1, dtypes=(torch.int64, torch.int32))
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    order = order[y[order] >= 0]
    check(len(order) > 0, "y must have a class for some node")
    train = []
    for c in y[order].unique().tolist():
        nodes = order[y[order] == c]
        check(len(nodes) >= num_train, f"class {c} has {len(nodes)} nodes, fewer than num_train = {num_train}")
        train.append(nodes[:num_train])
    is_train = mask_of(torch.cat(train), len(y))
    rest = order[~is_train[order]]
    check(len(rest) > num_val, f"num_val = {num_val} leaves no node to judge: {len(rest)} do not teach")
    return Split(is_train, mask_of(rest[:num_val], len(y)), mask_of(rest[num_val:], len(y)))
