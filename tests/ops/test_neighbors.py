"""Pairs within a distance and lengths of edges, against every pair looked at."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.ops.neighbors import radius_pairs, reference, squared_lengths


def check_pairs(pos: torch.Tensor, sizes: list[int], cutoff: float) -> int:
    starts = torch.tensor([0, *sizes]).cumsum(0)
    mine = radius_pairs(pos, starts, cutoff)
    indptr, indices = reference.radius_pairs(pos, starts, cutoff)
    assert torch.equal(mine.indptr, indptr)
    assert torch.equal(mine.indices, indices)
    return len(indices)


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(st.lists(st.integers(0, 40), max_size=6), st.floats(0.1, 3), st.sampled_from([torch.float32, torch.float64]))
def test_batches_of_small_graphs(sizes, cutoff, dtype):
    pos = torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(sum(sizes))).to(dtype)
    check_pairs(pos, sizes, cutoff)


@pytest.mark.parametrize("stretch", [(1, 1, 1), (1, 1, 0), (30, 1e-3, 0), (0.01, 0.01, 0.01), (1e5, 1e5, 1e5)])
@pytest.mark.parametrize("cutoff", [0.3, 1.1, 40.0])
def test_large_graphs_in_boxes(stretch, cutoff):
    pos = 5 * torch.rand(700, 3, dtype=torch.float64) * torch.tensor(stretch) - 2
    check_pairs(pos, [5, 400, 0, 295], cutoff)


def test_two_clouds_far_apart():
    pos = torch.rand(600, 3, dtype=torch.float64)
    pos[300:] += 1e6
    assert check_pairs(pos, [600], 0.2) > 0


def test_points_on_the_walls_of_boxes():
    """A lattice as wide as the cut-off: no rounding may lose a pair or find one twice."""
    grid = torch.cartesian_prod(*[torch.arange(8, dtype=torch.float64) * 0.7] * 3)
    assert check_pairs(grid, [512], 0.7000001) == 2 * 3 * 7 * 64


def test_points_at_one_place_are_pairs():
    assert check_pairs(torch.zeros(4, 3), [3, 1], 0.5) == 6


def test_no_bound_on_neighbours():
    assert check_pairs(torch.rand(500, 3), [500], 10.0) == 500 * 499


def test_the_same_on_many_threads():
    pos, starts = 12 * torch.rand(20_000, 3), torch.tensor([0, 20_000])
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = radius_pairs(pos, starts, 1.0)
        torch.set_num_threads(3)
        many = radius_pairs(pos, starts, 1.0)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one.indptr, many.indptr)
    assert torch.equal(one.indices, many.indices)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("index", [torch.int32, torch.int64])
def test_lengths(dtype, index):
    pos, cell = torch.randn(20, 3, dtype=dtype), torch.randn(20, 3, 3, dtype=dtype)
    src, dst = torch.randint(0, 20, (2, 100)).to(index)
    shift = torch.randint(-3, 4, (100, 3)).to(index)
    for shifts, cells in ((None, None), (shift, cell), (shift, cell[0])):
        mine = squared_lengths(pos, src, dst, shifts, cells)
        spread = cells if cells is None else cells.expand(20, 3, 3)
        torch.testing.assert_close(mine, reference.squared_lengths(pos, src, dst, shifts, spread))
        assert mine.dtype == torch.float64


def test_wrong_input():
    pos, starts = torch.zeros(2, 3), torch.tensor([0, 2])
    for arguments, message in (
        ((torch.zeros(2, 2), starts, 1.0), "pos must have three columns"),
        ((pos, torch.tensor([0, 1]), 1.0), "starts must rise from 0 to the 2 points"),
        ((pos, torch.tensor([0, 3, 2]), 1.0), "starts must rise"),
        ((pos, starts, 0.0), "cutoff must be a positive distance"),
        ((pos * np.nan, starts, 1.0), "pos must be finite"),
    ):
        with pytest.raises(InputError, match=message):
            radius_pairs(*arguments)
    one = torch.tensor([0])
    with pytest.raises(InputError, match=r"src must name points in 0 \.\. 1"):
        squared_lengths(pos, one + 2, one)
    with pytest.raises(InputError, match="shift and cell go together"):
        squared_lengths(pos, one, one, torch.zeros(1, 3, dtype=torch.int64))
    with pytest.raises(InputError, match="shift must have a row"):
        squared_lengths(pos, one, one, torch.zeros(2, 3, dtype=torch.int64), torch.eye(3))
