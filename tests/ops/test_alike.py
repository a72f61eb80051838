"""Classes of equal rows, against plain Python and against the reference."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.ops.alike import alike, heard_alike, reference

NUMBERS = st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), max_size=40)


def by_dict(rows: list[tuple]) -> tuple[list[int], list[int]]:
    """The class of each row and the first row of each class."""
    seen: dict[tuple, int] = {}
    of = [seen.setdefault(row, len(seen)) for row in rows]
    return of, [of.index(k) for k in range(len(seen))]


@settings(deadline=None)  # the first call compiles
@given(NUMBERS, st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.int8, torch.int32, torch.int64]))
def test_classes_are_those_of_a_dict(rows, dtype):
    given_rows = torch.tensor(rows, dtype=dtype).reshape(len(rows), 3)
    made = alike(given_rows)
    assert (made.of.tolist(), made.first.tolist()) == by_dict([tuple(row) for row in rows])
    assert all(torch.equal(mine, other) for mine, other in zip(made, reference.alike(given_rows), strict=True))


@st.composite
def heard(draw):
    """Groups of entries with a class each, and rows that hear a group but perhaps one of its entries."""
    sizes = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5))
    starts = torch.tensor([0, *sizes]).cumsum(0)
    entries = torch.tensor(draw(st.lists(st.integers(0, 3), min_size=sum(sizes), max_size=sum(sizes))))
    rows = draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, len(sizes) - 1)), max_size=12))
    own, place = torch.tensor(rows, dtype=torch.int64).reshape(-1, 2).T
    left_out = torch.tensor([draw(st.integers(-1, sum(sizes) - 1)) for _ in rows], dtype=torch.int64)
    return own, starts, place, left_out, alike(entries.reshape(-1, 1))


@settings(deadline=None)
@given(heard())
def test_who_hears_alike_is_one_class(inputs):
    own, starts, place, left_out, colors = inputs
    made = heard_alike(*inputs)
    rows = []
    for itself, at, out in zip(own.tolist(), place.tolist(), left_out.tolist(), strict=True):
        entries = range(int(starts[at]), int(starts[at + 1]))
        rows.append((itself, *sorted(int(colors.of[p]) for p in entries if p != out)))
    assert (made.of.tolist(), made.first.tolist()) == by_dict(rows)
    for k, first in enumerate(made.first.tolist()):
        ends = made.pattern.indptr[k : k + 2].tolist()
        assert tuple(made.pattern.indices[slice(*ends)].tolist()) == rows[first][1:]
    others = reference.heard_alike(own, starts, place, left_out, colors.of)
    mine = made.of, made.first, made.pattern.indptr, made.pattern.indices
    assert all(torch.equal(one, other) for one, other in zip(mine, others, strict=True))


def test_bits_count():
    """NaN is NaN, and the two zeros are two."""
    assert alike(torch.tensor([[float("nan")], [0.0], [-0.0], [float("nan")]])).of.tolist() == [0, 1, 2, 0]


def test_many_rows_of_few_bits():
    """Numbers whose low bits are all zero, as those of small whole numbers as floats, do not crowd the table."""
    rows = torch.arange(50_000, dtype=torch.float32).reshape(-1, 1)
    assert torch.equal(alike(torch.cat([rows, rows])).of, torch.arange(50_000, dtype=torch.int32).repeat(2))


def test_no_rows_and_no_columns():
    assert len(alike(torch.zeros(0, 3)).of) == len(alike(torch.zeros(0, 3)).first) == 0
    assert alike(torch.zeros(4, 0)).of.tolist() == [0, 0, 0, 0]


def test_wrong_input():
    colors, one = alike(torch.zeros(2, 1)), torch.zeros(1, dtype=torch.int64)
    with pytest.raises(InputError, match="rows must be a matrix"):
        alike(torch.zeros(3))
    with pytest.raises(InputError, match=r"place must lie in 0 \.\. 0"):
        heard_alike(one, torch.tensor([0, 2]), one + 1, one, colors)
    with pytest.raises(InputError, match="starts must run from 0 to the 2 entries"):
        heard_alike(one, torch.tensor([0, 3]), one, one, colors)
    with pytest.raises(InputError, match="left_out must have a row for each of the 1 rows"):
        heard_alike(one, torch.tensor([0, 2]), one, torch.tensor([0, 1]), colors)
