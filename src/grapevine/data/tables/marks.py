"""Columns that say when a row was, and in which part of the data it is."""

import math

import numpy as np
import polars as pl
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from grapevine.data.tables.kinds import find_kind
from grapevine.data.tables.parse import as_datetimes, as_numbers, as_text
from grapevine.errors import InputError

PARTS = {
    "train": ("train", "training", "tr"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
NO_PART = ("none", "unlabeled", "unlabelled", "na")


def times_of(frame: pl.DataFrame, name: str | None) -> Float[Tensor, " n"] | None:
    """[n] float64 the numbers of a column, or its dates as seconds since 1970; NaN where there is none.

    Raises:
        InputError: if the column holds neither.

    >>> times_of(pl.DataFrame({"when": ["1970-01-02", None]}), "when").tolist()
    [86400.0, nan]
    """
    if name is None or name not in frame.columns:
        return None
    values = frame[name]
    numbers = as_numbers(values)
    if numbers.null_count() == len(values) > 0:
        found = find_kind(values, "date")
        if found.date_format is None and values.dtype == pl.String:
            raise InputError(f"the time column {name!r} must hold numbers or dates as 2024-12-31")
        numbers = as_datetimes(values, found.date_format).dt.epoch("us").cast(pl.Float64) / 1e6
    return torch.from_numpy(numbers.fill_null(math.nan).to_numpy().astype(np.float64))


def split_of(frame: pl.DataFrame, name: str | None, table: str) -> dict[str, Bool[Tensor, " n"]] | None:
    """[n] the masks train, val and test; a row without a word for one of them is in none.

    Raises:
        InputError: for another word.

    >>> masks = split_of(pl.DataFrame({"split": ["train", "dev", None]}), "split", "nodes.csv")
    >>> {part: mask.tolist() for part, mask in masks.items()}
    {'train': [True, False, False], 'val': [False, True, False], 'test': [False, False, False]}
    """
    if name is None or name not in frame.columns:
        return None
    strange = strange_word(frame[name])
    if strange is not None:
        raise InputError(f"the split column {name!r} of {table} must say train, val or test, got {strange!r}")
    words = as_text(frame[name]).str.to_lowercase()
    return {part: torch.tensor(words.is_in(own).fill_null(False).to_numpy()) for part, own in PARTS.items()}


def strange_word(values: pl.Series) -> str | None:
    """The first word that names no part of the data, None if all do."""
    words = as_text(values).drop_nulls().str.to_lowercase().unique(maintain_order=True)
    known = [*(word for own in PARTS.values() for word in own), *NO_PART]
    return next((word for word in words.to_list() if word not in known), None)
