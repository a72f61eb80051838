"""What is to be predicted: the column that holds it, and whether it is a class, a number or several of one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Shaped
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from grapevine.data.tables.names import NAMES, TARGET_KINDS, TargetKind, find_target
from grapevine.data.tables.parse import FALSE, TRUE, as_booleans, as_numbers, as_text, as_whole, is_missing
from grapevine.errors import InputError, check

_MOST_WHOLE = 20  # different whole numbers that are classes
_MOST_STRINGS = 1000  # different strings that are classes
_TOLERATED = 20  # as for features: one unreadable number in so many


class Target(BaseModel):
    """The columns to predict and what their values mean; immutable, made by `Target.infer`.

    `kind` is "classes" for one column of classes, "labels" for columns of 0 and 1, "numbers" for one or more columns
    of numbers.

    >>> target = Target.infer(pl.DataFrame({"label": ["spam", "ham", None, "ham"]}))
    >>> target.reason
    "'label' holds 2 different strings: taken as 2 classes"
    >>> target.encode(pl.DataFrame({"label": ["spam", "ham", None, "eggs"]}))[0].tolist()
    [1, 0, -1, -1]
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[str, ...]
    kind: TargetKind
    class_names: tuple[str, ...] | None = None  # of the classes, in order; None for numbers
    reason: str

    @classmethod
    def infer(
        cls, frame: pl.DataFrame, columns: Sequence[str] | str | None = None, *, kind: TargetKind | None = None
    ) -> "Target":
        """Find the target in a table.

        One column of strings, truth values or at most 20 different whole numbers holds classes, another one numbers;
        several columns of 0 and 1 are labels, others numbers.

        Args:
            columns: which to predict; by default the one of a usual name: target, label, y, class, ...
            kind: what they hold, where the values say too little.

        Raises:
            InputError: if a column is not there or none has a usual name, if no value is known or all are one class.
        """
        names = [columns] if isinstance(columns, str) else list(columns or _named(frame))
        for name in names:
            check(
                name in frame.columns, f"there is no target column {name!r}, the table has {', '.join(frame.columns)}"
            )
        check(kind is None or kind in TARGET_KINDS, f"the target's kind must be one of {TARGET_KINDS}, got {kind!r}")
        for name in names:
            check(not is_missing(frame[name]).all(), f"the target column {name!r} is empty: no answer is known")
        if len(names) == 1 and kind != "labels":
            return _one(frame[names[0]], kind)
        return _several(frame.select(names), kind)

    @property
    def is_integer(self) -> bool:
        """Whether it is encoded as int64, -1 where it is not known; else as float32, NaN where it is not."""
        return self.kind == "classes"

    def unreadable(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A boolean column for each target column: where a number or a truth value is given and can not be read."""
        if self.kind == "classes" and not all(map(_is_number, self.class_names or ())):
            return pl.DataFrame({name: np.zeros(frame.height, bool) for name in self.columns})
        values = {name: self._numbers(frame[name]).is_null() & ~is_missing(frame[name]) for name in self.columns}
        return pl.DataFrame(values)

    def encode(self, frame: pl.DataFrame) -> tuple[Shaped[Tensor, "n *t"], int]:
        """Classes as int64 [n], numbers as float32 [n], several columns as float32 [n, t]; and how many are unknown.

        Unknown are classes that the fitted table did not have, and what can not be read: -1 or NaN as if missing.

        Raises:
            InputError: if a column is not there.
        """
        for name in self.columns:
            check(
                name in frame.columns, f"there is no target column {name!r}, the table has {', '.join(frame.columns)}"
            )
        if self.kind == "classes":
            return self._classes(frame[self.columns[0]])
        columns = [self._numbers(frame[name]) for name in self.columns]
        unknown = int(sum(self.unreadable(frame).sum().row(0))) if frame.height else 0
        array = np.stack([column.fill_null(math.nan).to_numpy() for column in columns], axis=1).astype(np.float32)
        is_one = len(self.columns) == 1 and self.kind == "numbers"
        return torch.from_numpy(array[:, 0].copy() if is_one else array), unknown

    def empty(self, rows: int) -> Shaped[Tensor, "n *t"]:
        """The encoding of rows of which nothing is known."""
        if self.is_integer:
            return torch.full((rows,), -1)
        width = () if len(self.columns) == 1 and self.kind == "numbers" else (len(self.columns),)
        return torch.full((rows, *width), math.nan)

    def to_dict(self) -> dict[str, Any]:
        """As dictionaries, lists and strings: ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Target":
        """What `to_dict` gave.

        Raises:
            InputError: if it is no target.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"this is no saved target: {error.errors()[0]['msg']}") from error

    def _numbers(self, values: pl.Series) -> pl.Series:
        """Float64, null where a number or a truth value is missing or can not be read."""
        return as_booleans(values).cast(pl.Float64) if self.kind == "labels" else as_numbers(values)

    def _classes(self, values: pl.Series) -> tuple[Tensor, int]:
        names = list(self.class_names or ())
        table = pl.DataFrame({"key": pl.Series(names, dtype=pl.String), "number": pl.Series(np.arange(len(names)))})
        keys = pl.DataFrame({"key": _class_text(values)})
        number = keys.join(table, on="key", how="left", maintain_order="left")["number"]
        unknown = number.null_count() - keys["key"].null_count()
        return torch.from_numpy(number.fill_null(-1).to_numpy().copy()), unknown


def _named(frame: pl.DataFrame) -> list[str]:
    name = find_target(frame.columns)
    if name is None:
        listed = ", ".join(frame.columns)
        raise InputError(f"no column has a usual name of a target ({', '.join(NAMES)}): name one of {listed}")
    return [name]


def _class_text(values: pl.Series) -> pl.Series:
    """The classes as texts; null where none is given, by a gap or a word for one."""
    text = as_text(values)
    return text.set(is_missing(values), None)


def _one(values: pl.Series, kind: TargetKind | None) -> Target:
    name, known = values.name, values.filter(~is_missing(values))
    found, what = (kind, "as told") if kind is not None else _kind_of(known)
    if found == "numbers":
        return Target(columns=(name,), kind="numbers", reason=f"{name!r} {what}: taken as numbers")
    names = _class_text(known).drop_nulls().unique().to_list()
    if what.endswith("whole numbers"):
        names = [name for name in names if _is_number(name)]
    check(len(names) > 1, f"the target column {name!r} has one class only, {names[0]!r}: there is nothing to learn")
    limit = f"the target column {name!r} holds {len(names)} different strings, too many for classes"
    check(kind is not None or len(names) <= _MOST_STRINGS, f"{limit}: tell its kind, or name another column")
    reason = f"{name!r} {what}: taken as {len(names)} classes"
    return Target(columns=(name,), kind="classes", class_names=tuple(sorted(names, key=_class_order)), reason=reason)


def _kind_of(known: pl.Series) -> tuple[TargetKind, str]:
    if known.dtype == pl.Boolean:
        return "classes", "holds true and false"
    if not (known.dtype.is_numeric() or known.dtype.is_temporal()):
        text = as_text(known)
        numbers = as_numbers(text)
        bad, different = numbers.null_count(), text.n_unique()
        is_boolean = text.str.to_lowercase().is_in(TRUE + FALSE).all()
        is_mostly_read = bad <= max(1, len(text) // _TOLERATED) and len(text) - bad > 2 * bad
        # among few values an odd one is one more class, among many it is a slip of the pen
        is_class = bad * _TOLERATED > len(text) and numbers.n_unique() <= _MOST_WHOLE and _is_whole(numbers)
        if is_boolean or not is_mostly_read or is_class:
            return "classes", f"holds {different} different strings"
        known = numbers.drop_nulls()
    different = known.n_unique()
    if known.dtype.is_temporal() or not _is_whole(known):
        return "numbers", f"holds {different} different numbers"
    if different <= _MOST_WHOLE:
        return "classes", f"holds {different} different whole numbers"
    return "numbers", f"holds {different} different whole numbers, more than {_MOST_WHOLE}"


def _is_whole(numbers: pl.Series) -> bool:
    return as_whole(numbers) is not None


def _several(frame: pl.DataFrame, kind: TargetKind | None) -> Target:
    check(kind != "classes", "several target columns are labels or numbers: name one column for classes")
    names = tuple(frame.columns)
    flags = all((as_booleans(column).is_not_null() | is_missing(column)).all() for column in frame.iter_columns())
    if kind == "labels" or (kind is None and flags):
        why = "hold 0 and 1" if kind is None else "are labels as told"
        reason = f"{len(names)} columns {why}: taken as labels"
        return Target(columns=names, kind="labels", class_names=names, reason=reason)
    for column in frame.iter_columns():
        known = column.filter(~is_missing(column))
        share = as_numbers(known).null_count() / len(known)
        check(share <= 0.5, f"the target column {column.name!r} holds no numbers, as {known[0]!r}: name it alone")
    return Target(columns=names, kind="numbers", reason=f"{len(names)} columns hold numbers: taken as numbers")


def _class_order(name: str) -> tuple[int, float, str]:
    """Numbers by size, then words by letters, false before true."""
    return (0, float(name), name) if _is_number(name) else (1, 0.0, name)


def _is_number(name: str) -> bool:
    try:
        return math.isfinite(float(name))
    except ValueError:
        return False
