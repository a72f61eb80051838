"""What a column is: numbers, truth values, categories, dates, text, or nothing that teaches.

A column of strings is of numbers (dates, truth values) if at most one value, or one in twenty, can not be read as
such; that value is then a mistake, and its row is a bad one.
"""

import re
from dataclasses import dataclass
from typing import Literal

import polars as pl

from grapevine.data.tables.parse import (
    FALSE,
    TRUE,
    as_booleans,
    as_datetimes,
    as_numbers,
    as_text,
    date_format,
    is_missing,
)
from grapevine.errors import check

Kind = Literal["numeric", "boolean", "categorical", "date", "text", "drop"]
KINDS: tuple[Kind, ...] = ("numeric", "boolean", "categorical", "date", "text", "drop")

_TOLERATED = 20  # one value in so many
_WORDS = 3  # of a text, on average, at least
_ID_NAME = re.compile(r"(^|.*[_\s.-])(id|uuid|guid|key|index|idx)$|.*[a-z]Id$|^Unnamed: \d+$")


@dataclass(frozen=True)
class Found:
    """The kind of a column, why, and how its dates are written."""

    kind: Kind
    reason: str
    date_format: str | None = None


def find_kind(values: pl.Series, told: Kind | None = None) -> Found:
    """The kind of a column: as told, or from its type and its values.

    >>> find_kind(pl.Series("age", ["31", "47", "abc", "28"])).kind
    'numeric'
    >>> find_kind(pl.Series("name", ["ann", "bob", "eve"]))
    Found(kind='drop', reason='an identifier: all 3 values differ', date_format=None)
    """
    if told is not None:
        check(told in KINDS, f"the kind of column {values.name!r} must be one of {', '.join(KINDS)}, got {told!r}")
        form = date_format(values) if told == "date" and not _is_typed(values) else None
        return Found(told, "as told", form)
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        return Found("drop", f"it holds {values.dtype}, not single values")
    known = values.filter(~is_missing(values))
    if len(known) == 0:
        return Found("drop", "it is empty")
    if known.n_unique() == 1 and len(known) == len(values) > 1:
        return Found("drop", f"it is constant: {known[0]!r} everywhere")
    return _of_type(known) if _is_typed(values) else _of_strings(known)


def unreadable(values: pl.Series, found: Found) -> pl.Series:
    """Where a number, a date or a truth value is given and can not be read."""
    if found.kind not in ("numeric", "boolean", "date"):
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    read = {"numeric": as_numbers, "boolean": as_booleans}.get(found.kind)
    known = as_datetimes(values, found.date_format) if read is None else read(values)
    return known.is_null() & ~is_missing(values)


def _is_typed(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype == pl.Boolean


def _of_type(known: pl.Series) -> Found:
    if known.dtype == pl.Boolean:
        return Found("boolean", "it holds true and false")
    if known.dtype in (pl.Date, pl.Datetime):
        return Found("date", "it holds dates")
    return _of_numbers(as_numbers(known), known.name)


def _of_numbers(numbers: pl.Series, name: str) -> Found:
    numbers = numbers.drop_nulls()
    if numbers.is_in([0.0, 1.0]).all():
        return Found("boolean", "it holds 0 and 1")
    if _ID_NAME.match(name) and numbers.n_unique() == len(numbers) and (numbers == numbers.round()).all():
        return Found("drop", f"an identifier: all {len(numbers)} values differ")
    return Found("numeric", "it holds numbers")


def _of_strings(known: pl.Series) -> Found:
    text = as_text(known)
    if text.str.to_lowercase().is_in(TRUE + FALSE).all():
        return Found("boolean", "it holds words for true and false")
    numbers = as_numbers(text)
    if _is_read(numbers):
        return _of_numbers(numbers, known.name)
    form = date_format(text)
    if form is not None and _is_read(as_datetimes(text, form)):
        return Found("date", f"it holds dates written {form}", form)
    return _of_words(text, 1 - numbers.null_count() / len(numbers))


def _is_read(values: pl.Series) -> bool:
    bad = values.null_count()
    return bad <= max(1, len(values) // _TOLERATED) and len(values) - bad > 2 * bad


def _of_words(text: pl.Series, share_of_numbers: float) -> Found:
    different = text.n_unique()
    words = text.str.count_matches(r"\S+").mean()
    is_mostly_different = different > len(text) / 2
    if isinstance(words, float) and words >= _WORDS and is_mostly_different and different > 2:
        return Found("text", f"it holds {words:.1f} words on average, mostly different ones")
    if different == len(text) > 2:
        return Found("drop", f"an identifier: all {different} values differ")
    numbers = f", {share_of_numbers:.0%} of them numbers" if share_of_numbers > 0 else ""
    return Found("categorical", f"it holds {different} different strings{numbers}")
