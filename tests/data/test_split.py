"""Splits: sizes, classes, the seed, and what is refused."""

import pytest
import torch

from grapevine.data.split import Split, mask_of, per_class
from grapevine.errors import InputError

Y = torch.tensor([0, 1, 2] * 10 + [-1] * 5)


def test_each_class_teaches_equally_and_no_node_is_shared():
    split = per_class(Y, num_train=3, num_val=5, seed=1)
    assert Y[split.train].bincount().tolist() == [3, 3, 3]
    assert (int(split.val.sum()), int(split.test.sum())) == (5, 30 - 9 - 5)
    assert not (split.train | split.val | split.test)[Y < 0].any()
    assert ((split.train.int() + split.val.int() + split.test.int()) <= 1).all()


def test_the_seed_decides():
    first, again, other = (per_class(Y, num_train=3, num_val=5, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.train, again.train)
    assert torch.equal(first.val, again.val)
    assert not torch.equal(first.train, other.train)


@pytest.mark.parametrize(("num_train", "num_val"), [(11, 1), (10, 1), (3, 21)])
def test_too_few_nodes_are_refused(num_train, num_val):
    with pytest.raises(InputError):
        per_class(Y, num_train=num_train, num_val=num_val)


def test_wrong_labels_and_masks_are_refused():
    with pytest.raises(InputError, match="y must"):
        per_class(torch.full((4,), -1), num_train=1, num_val=1)
    with pytest.raises(InputError, match="y must be of dtype"):
        per_class(torch.rand(4), num_train=1, num_val=1)
    mask = mask_of(torch.tensor([0]), 3)
    with pytest.raises(InputError, match="share no node"):
        Split(mask, mask, ~mask)
    with pytest.raises(InputError, match="val must be of dtype bool"):
        Split(mask, torch.zeros(3), ~mask)
