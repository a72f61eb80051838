"""The counted random numbers: the same bits in every form, and as good as random ones."""

import numpy as np
import pytest
import torch

from grapevine.errors import InputError
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.random import (
    _hash,
    check_dropout,
    draw_seed,
    keep,
    keep_lanes,
    keep_mask,
    scale_of,
    threshold_of,
)
from grapevine.ops.runtime.simd import spread, store, where, zeros

SEEDS = (0, 1, 2**32, -1, 2**63 - 1, 0x1234_5678_9ABC_DEF0)
COUNT = 1 << 18
DEVIATIONS = 5.0  # one test in two million goes beyond


@kernel
def _by_lanes(seed, start, threshold, out):
    like = zeros(out, 32)
    for k in range(0, out.shape[0], 32):
        store(out, k, where(keep_lanes(seed, start + k, threshold, like), spread(1.0, like), like))


@kernel
def _one_by_one(seed, start, threshold, out):
    for k in range(out.shape[0]):
        out[k] = keep(seed, start + k, threshold)


@pytest.mark.parametrize("start", [0, 11, 2**31 - 40, 2**32 - 40, 2**33 - 1, 2**45 + 7])
def test_all_forms_give_the_same_bits(start):
    for seed in SEEDS:
        for p in (0.0, 0.3, 0.5, 1.0):
            threshold = threshold_of(p)
            lanes, scalars = np.empty(96, np.float32), np.empty(96, np.float32)
            _by_lanes(seed, start, threshold, lanes)
            _one_by_one(seed, start, threshold, scalars)
            by_torch = _hash(torch.tensor(seed), torch.arange(start, start + 96)) >= threshold
            by_hand = [_hash(seed, start + k) >= threshold for k in range(96)]
            assert lanes.tolist() == scalars.tolist() == by_torch.tolist() == by_hand


def test_mask_counts_through_its_rows():
    seed = torch.tensor(3)
    flat = keep_mask(seed, (24,), 0.5)
    assert torch.equal(keep_mask(seed, (2, 3, 4), 0.5), flat.reshape(2, 3, 4))
    assert keep_mask(seed, (0, 4), 0.5).shape == (0, 4)


@pytest.mark.parametrize("p", [0.0, 0.01, 0.1, 0.5, 0.6, 0.9, 0.999])
def test_rate_and_its_variance(p):
    masks = torch.stack([keep_mask(torch.tensor(seed), (1 << 14,), p) for seed in range(100)]).double()
    spread_of_mean = (p * (1 - p) / masks.numel()) ** 0.5
    assert abs(masks.mean() - (1 - p)) <= DEVIATIONS * spread_of_mean
    if p > 0:  # the rates of the masks vary as those of independent draws
        ratio = masks.mean(1).var() / (p * (1 - p) / masks.shape[1])
        assert abs(ratio - 1) < DEVIATIONS * (2 / 99) ** 0.5


def uniform(seed: int, start: int = 0) -> torch.Tensor:
    """Hashes of successive counters, of mean 0 and variance 1 if they are random."""
    hashes = _hash(torch.tensor(seed), torch.arange(start, start + COUNT))
    return (hashes.double() / 2**32 - 0.5) * 12**0.5


def deviations(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a * b).mean().abs() * len(a) ** 0.5)


@pytest.mark.parametrize("seed", SEEDS)
def test_neighbours_do_not_correlate(seed):
    numbers = uniform(seed)
    for lag in (1, 2, 3, 4, 8, 16, 64, 100, 128, 1024):
        assert deviations(numbers[:-lag], numbers[lag:]) < DEVIATIONS
    for other in (1, 2, 3, 1 << 20, 1 << 32, 1 << 40):
        assert deviations(numbers, uniform(seed ^ other)) < DEVIATIONS
    for start in (1 << 32, 1 << 33, 1 << 50):
        assert deviations(numbers, uniform(seed, start)) < DEVIATIONS


@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_are_evenly_spread(seed):
    hashes = _hash(torch.tensor(seed), torch.arange(COUNT))
    for shift in (0, 8, 16, 24):
        counts = torch.bincount((hashes >> shift) & 255, minlength=256)
        statistic = ((counts - COUNT / 256) ** 2 / (COUNT / 256)).sum()
        assert abs(statistic - 255) < DEVIATIONS * (2 * 255) ** 0.5


def test_every_bit_of_the_input_turns_half_of_the_output():
    torch.manual_seed(0)
    seeds, counters = torch.randint(2**62, (4000,)), torch.randint(2**40, (4000,))
    hashes = _hash(seeds, counters)
    for bit in range(62):
        for turned in (_hash(seeds ^ (1 << bit), counters), _hash(seeds, counters ^ (1 << (bit % 40)))):
            rates = torch.stack([((hashes ^ turned) >> k & 1).double().mean() for k in range(32)])
            assert (rates - 0.5).abs().max() < DEVIATIONS * 0.5 / 4000**0.5


def test_seeds_follow_manual_seed():
    torch.manual_seed(5)
    first, second = draw_seed(), draw_seed()
    torch.manual_seed(5)
    assert (draw_seed() == first).item()
    assert first != second
    assert (first.shape, first.dtype) == ((), torch.int64)


def test_the_ends_of_dropout():
    assert keep_mask(torch.tensor(0), (10_000,), 0.0).all()
    assert (scale_of(0.0), scale_of(0.75), scale_of(1.0)) == (1.0, 4.0, 0.0)


@pytest.mark.parametrize(
    ("p", "seed", "message"),
    [
        (-0.1, None, "probability"),
        (1.5, None, "probability"),
        (float("nan"), None, "probability"),
        ("half", None, "probability"),
        (0.5, 7, "seed must be a tensor"),
        (0.5, torch.tensor([7]), "dimensions"),
        (0.5, torch.tensor(7.0), "int64"),
        (0.5, torch.empty((), dtype=torch.int64, device="meta"), "on cpu"),
    ],
)
def test_wrong_dropout_is_named(p, seed, message):
    with pytest.raises(InputError, match=message):
        check_dropout(p, seed, torch.device("cpu"))
