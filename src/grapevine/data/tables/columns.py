"""A fitted column of each kind: how its values become numbers, and what is saved of it.

Where a value was missing in the fitted table, a column `NAME is missing` says where it is. Everything that is kept
fits into JSON.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import polars as pl
import scipy.sparse
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field

from grapevine.data.tables.kinds import Found
from grapevine.data.tables.parse import as_booleans, as_datetimes, as_numbers, as_text, is_missing

OTHER = "other"
_DAY = 86_400e6  # microseconds
_TEXTS = 10_000  # encoded at a time
_LARGE = 1e100


class _Column(BaseModel, ABC):
    """One column of a table; `encode` fills its place in the matrix and says how many values were unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    has_missing: bool = False

    @abstractmethod
    def _own_names(self) -> list[str]:
        """What its numbers are called, without the one for missing values."""

    @abstractmethod
    def _known(self, values: pl.Series) -> pl.Series:
        """The values as this kind understands them, null where one is missing or can not be read."""

    @abstractmethod
    def _fill(self, known: pl.Series, out: Float[np.ndarray, "n c"]) -> int:
        """Write the numbers into zeros and count the values that the fitted table did not have."""

    @property
    def names(self) -> list[str]:
        """What each of its numbers is called."""
        return self._own_names() + [f"{self.name} is missing"] * self.has_missing

    def encode(self, values: pl.Series, out: Float[np.ndarray, "n c"]) -> tuple[int, int]:
        """Fill `out`, zeros at first; how many values were missing, and how many unknown."""
        known = self._known(values)
        unknown = self._fill(known, out)
        if self.has_missing:
            out[:, -1] = known.is_null().to_numpy()
        return known.null_count(), unknown


class NumericColumn(_Column):
    """(value - mean) / std; 0 where it is missing."""

    kind: Literal["numeric"] = "numeric"
    mean: float
    std: float = Field(gt=0)

    def _own_names(self) -> list[str]:
        return [self.name]

    def _known(self, values: pl.Series) -> pl.Series:
        return as_numbers(values)

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        out[:, 0] = ((known - self.mean) / self.std).fill_null(0).to_numpy()
        return 0


class BooleanColumn(_Column):
    """1 for true; 0 for false and where it is missing."""

    kind: Literal["boolean"] = "boolean"

    def _own_names(self) -> list[str]:
        return [self.name]

    def _known(self, values: pl.Series) -> pl.Series:
        return as_booleans(values)

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        out[:, 0] = known.fill_null(False).to_numpy()
        return 0


class CategoricalColumn(_Column):
    """A number for each category, 1 at the value's own; zeros for one that is missing or that was never seen.

    The rare categories share one number. They are kept by name, so that a rare one is not taken for an unknown one.
    """

    kind: Literal["categorical"] = "categorical"
    categories: tuple[str, ...]
    rare: tuple[str, ...] = ()

    def _own_names(self) -> list[str]:
        return [f"{self.name} = {category}" for category in self.categories] + [
            f"{self.name} is {OTHER}"
        ] * bool(self.rare)  # fmt: skip

    def _known(self, values: pl.Series) -> pl.Series:
        return as_text(values)

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        listed = [*self.categories, *self.rare]
        places = np.minimum(np.arange(len(listed)), len(self.categories))
        table = pl.DataFrame({"key": pl.Series(listed, dtype=pl.String), "place": pl.Series(places, dtype=pl.Int64)})
        keys = pl.DataFrame({"key": known})
        place = keys.join(table, on="key", how="left", maintain_order="left")["place"]
        rows = place.is_not_null().to_numpy().nonzero()[0]
        out[rows, place.drop_nulls().to_numpy()] = 1
        return place.null_count() - known.null_count()


class DateColumn(_Column):
    """Days since 1970 as (days - mean) / std, and month and weekday as points of a circle; 0 where it is missing."""

    kind: Literal["date"] = "date"
    date_format: str | None = None
    mean: float
    std: float = Field(gt=0)

    def _own_names(self) -> list[str]:
        parts = ("days", "month sin", "month cos", "weekday sin", "weekday cos")
        return [f"{self.name} {part}" for part in parts]

    def _known(self, values: pl.Series) -> pl.Series:
        return as_datetimes(values, self.date_format)

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        out[:, 0] = ((days(known) - self.mean) / self.std).fill_null(0).to_numpy()
        for k, (part, length) in enumerate([(known.dt.month(), 12), (known.dt.weekday(), 7)]):
            angle = (part.cast(pl.Float64) - 1) * (2 * math.pi / length)
            out[:, 1 + 2 * k] = angle.sin().fill_null(0).to_numpy()
            out[:, 2 + 2 * k] = angle.cos().fill_null(0).to_numpy()
        return 0


class TextColumn(_Column):
    """Words hashed into `width` numbers, each text of length 1 (Weinberger et al. 2009, "Feature hashing").

    Hashing learns nothing, so the width is all there is to save, and a new word is never unknown: a tf-idf with an SVD
    would need its words and a matrix in the file, and its signs depend on the solver.
    """

    kind: Literal["text"] = "text"
    width: int = Field(gt=0)

    def _own_names(self) -> list[str]:
        return [f"{self.name} words {k}" for k in range(self.width)]

    def _known(self, values: pl.Series) -> pl.Series:
        return as_text(values)

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        from sklearn.feature_extraction.text import HashingVectorizer  # a second to import, for texts only

        hashing = HashingVectorizer(n_features=self.width)
        for begin in range(0, len(known), _TEXTS):
            texts = known[begin : begin + _TEXTS].fill_null("").to_list()
            out[begin : begin + len(texts), : self.width] = scipy.sparse.csr_array(hashing.transform(texts)).toarray()
        return 0


class DroppedColumn(_Column):
    """A column that is not used, and why."""

    kind: Literal["drop"] = "drop"
    reason: str

    def _own_names(self) -> list[str]:
        return []

    def _known(self, values: pl.Series) -> pl.Series:
        return values

    def _fill(self, known: pl.Series, out: np.ndarray) -> int:
        return 0


Column = Annotated[
    NumericColumn | BooleanColumn | CategoricalColumn | DateColumn | TextColumn | DroppedColumn,
    Field(discriminator="kind"),
]


def fit_column(values: pl.Series, found: Found, max_categories: int, text_width: int) -> Column:
    """What is to be kept of a column whose kind is known."""
    name = values.name
    if found.kind == "drop":
        return DroppedColumn(name=name, reason=found.reason)
    if found.kind in ("categorical", "text"):
        known = as_text(values)
        has_missing = known.null_count() > 0
        if found.kind == "text":
            return TextColumn(name=name, width=text_width, has_missing=has_missing)
        categories, rare = _categories(known, max_categories)
        return CategoricalColumn(name=name, categories=categories, rare=rare, has_missing=has_missing)
    has_missing = bool(is_missing(values).any())
    if found.kind == "boolean":
        return BooleanColumn(name=name, has_missing=has_missing)
    if found.kind == "date":
        mean, std = _moments(days(as_datetimes(values, found.date_format)))
        return DateColumn(name=name, date_format=found.date_format, mean=mean, std=std, has_missing=has_missing)
    mean, std = _moments(as_numbers(values))
    return NumericColumn(name=name, mean=mean, std=std, has_missing=has_missing)


def days(moments: pl.Series) -> pl.Series:
    """Days since 1970-01-01, with their fraction."""
    return moments.dt.epoch("us").cast(pl.Float64) / _DAY


def used(columns: tuple[Column, ...]) -> Iterator[tuple[Column, slice]]:
    """The columns that give numbers, and where in the matrix."""
    begin = 0
    for column in columns:
        end = begin + len(column.names)
        if end > begin:
            yield column, slice(begin, end)
        begin = end


def _moments(numbers: pl.Series) -> tuple[float, float]:
    """Mean and standard deviation; 0 and 1 where there is nothing, 1 where all are one."""
    numbers = numbers.drop_nulls()
    if len(numbers) == 0:
        return 0.0, 1.0
    values = numbers.to_numpy()
    scale = float(np.abs(values).max()) or 1.0
    large = scale if scale > _LARGE else 1.0  # so that no square overflows
    mean, std = float((values / large).mean()) * large, float((values / large).std()) * large
    return mean, std if std > 1e-12 * scale else 1.0


def _categories(known: pl.Series, most: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The most frequent ones in the order of their names, and those beyond `most`, for which one place is kept."""
    counts = known.drop_nulls().alias("key").value_counts().sort(["count", "key"], descending=[True, False])
    keys = counts["key"].to_list()
    if len(keys) <= most:
        return tuple(sorted(keys)), ()
    return tuple(sorted(keys[: most - 1])), tuple(sorted(keys[most - 1 :]))
