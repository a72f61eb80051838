"""Learnt aggregations and gated graph networks: the laws of layers, the same result in any order of entries."""

import pytest
import torch
from torch import nn

from grapevine.errors import InputError
from grapevine.nn.aggregation.attention import AttentionSum, GatedSum
from grapevine.nn.aggregation.deep_sets import DeepSets
from grapevine.nn.aggregation.set2set import Set2Set
from grapevine.nn.aggregation.set_transformer import SetTransformer, ranges
from grapevine.nn.aggregation.sort import SortPool
from grapevine.ops.pattern import Pattern
from grapevine.testing import check_same_bits, laws_of
from tests.nn.cases_readouts import CASES, READOUTS
from tests.nn.compare import leaf

SIZES = (4, 0, 2, 1, 5)


def sets(sizes=SIZES) -> Pattern:
    """A row for each set, its entries all in one column."""
    indptr = nn.functional.pad(torch.tensor(sizes, dtype=torch.int64).cumsum(0), (1, 0))
    return Pattern(indptr, torch.zeros(sum(sizes), dtype=torch.int64), num_cols=1)


@pytest.mark.parametrize(
    ("case", "law"),
    [
        pytest.param(case, law, id=f"{case.name}-{law.__name__}", marks=[pytest.mark.slow] * (law is check_same_bits))
        for case in CASES
        for law in laws_of(case)
    ],
)
def test_laws(case, law):
    torch.manual_seed(0)
    law(case.make().double(), *case.inputs())


@pytest.mark.parametrize("name", READOUTS)
def test_rows_are_sets_of_their_own(name):
    """One by one, in another order within the row, and where the pattern says which entry stands where."""
    channels, make = READOUTS[name]
    torch.manual_seed(0)
    pool, pattern, message = make().double(), sets(), leaf(sum(SIZES), channels).detach()
    out = pool(pattern, message)
    assert out.shape == (len(SIZES), pool.out_channels)
    assert out.isfinite().all()
    alone = [pool(sets((size,)), part) for size, part in zip(SIZES, message.split(SIZES), strict=True)]
    torch.testing.assert_close(out, torch.cat(alone))
    turned = torch.cat([part.flip(0) for part in message.split(SIZES)])
    torch.testing.assert_close(pool(pattern, turned), out)

    anywhere = torch.randperm(sum(SIZES), generator=torch.Generator().manual_seed(0))
    scattered = torch.empty_like(message).index_copy(0, anywhere, message)
    view = Pattern.trusted(pattern.indptr, pattern.indices, 1, anywhere.to(pattern.indptr.dtype))
    torch.testing.assert_close(pool(view, scattered), out)


@pytest.mark.parametrize("name", READOUTS)
def test_no_rows_and_no_entries(name):
    channels, make = READOUTS[name]
    pool = make()
    assert pool(sets(()), torch.zeros(0, channels)).shape == (0, pool.out_channels)
    nothing = torch.zeros(0, channels, requires_grad=True)
    out = pool(sets((0, 0)), nothing)
    assert out.isfinite().all()
    assert torch.equal(out[0], out[1])


def test_no_messages_give_zeros_where_that_is_said():
    empty, none = sets((0,)), torch.zeros(0, 3)
    for pool in (AttentionSum(3, 2), GatedSum(3, 2), SortPool(3, 2)):
        assert not pool(empty, none).any()
    assert not Set2Set(3)(empty, none)[:, 3:].any()


def test_equal_last_channels_are_sorted_by_the_ones_before():
    message = torch.tensor([[1.0, 5.0, 2.0], [3.0, 4.0, 2.0], [2.0, 5.0, 2.0], [9.0, 9.0, 1.0]])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]):
        out = SortPool(3, 3)(sets((4,)), message[order])
        assert out.tolist() == [[2.0, 5.0, 2.0, 1.0, 5.0, 2.0, 3.0, 4.0, 2.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Set2Set(3)(sets((2,)), torch.zeros(2, 4)), "must have 3 channels, got 4"),
        (lambda: Set2Set(3, 0), "num_steps must be a positive"),
        (lambda: SortPool(3, 2)(sets((2,)), torch.zeros(2, 4)), "must have 3 channels, got 4"),
        (lambda: SetTransformer(4, heads=3), "a multiple of heads, got 4 and 3"),
        (lambda: SetTransformer(4, num_inducing=0), "inducing points must be positive, got 0"),
        (lambda: SetTransformer(4)(sets((2,)), torch.zeros(2, 5)), "must have 4 channels, got 5"),
        (lambda: AttentionSum(3, 2, gate=nn.Linear(3, 3))(sets((2,)), torch.zeros(2, 3)), r"\[e, 1\] or \[e, 2\]"),
        (lambda: GatedSum(3, 2, network=nn.Linear(3, 4))(sets((2,)), torch.zeros(2, 3)), "network must give"),
        (lambda: DeepSets(nn.Identity(), nn.Identity(), out_channels=2)(sets((2,)), torch.zeros(2, 3)), "rho must"),
    ],
)
def test_wrong_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_memory_of_attention_is_no_more_than_the_pairs_of_a_set():
    """Two sets of 3 and one of 2: 22 pairs, not 64."""
    start, count = torch.tensor([0, 0, 0, 3, 3, 3, 6, 6]), torch.tensor([3, 3, 3, 3, 3, 3, 2, 2])
    pattern = ranges(start, count, 8)
    dense = torch.zeros(8, 8)
    dense[pattern.row_of.long(), pattern.indices.long()] = 1
    assert torch.equal(dense, torch.block_diag(torch.ones(3, 3), torch.ones(3, 3), torch.ones(2, 2)))
    assert pattern.num_entries == 22
