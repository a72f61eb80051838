"""Makes a matrix of numbers of a table, in the same way each time: fitted once, saved as JSON, told in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from grapevine.data.tables.columns import CategoricalColumn, Column, DroppedColumn, fit_column, used
from grapevine.data.tables.kinds import Found, Kind, find_kind
from grapevine.errors import InputError, check


@dataclass(frozen=True)
class EncodingReport:
    """What was met in a table: by column, how many values were missing and how many categories unknown."""

    rows: int
    missing: dict[str, int]
    unknown: dict[str, int]

    def notes(self, what: str) -> list[str]:
        """A sentence for each column with values that are missing or unknown."""
        said = [
            f"{what}: {count} of {self.rows} values of {name!r} are missing" for name, count in self.missing.items()
        ]
        for name, count in self.unknown.items():
            said.append(f"{what}: {count} of {self.rows} values of {name!r} are categories unknown so far")
        return said


class Encoder(BaseModel):
    """The columns of a table and how each becomes numbers; immutable, made by `Encoder.fit`.

    >>> frame = pl.DataFrame({"age": ["31", "47", "39"], "colour": ["red", "red", "blue"]})
    >>> encoder = Encoder.fit(frame)
    >>> encoder.names
    ['age', 'colour = blue', 'colour = red']
    >>> x, report = encoder.transform(pl.DataFrame({"age": [39], "colour": ["green"]}))
    >>> x.tolist(), report.unknown
    ([[0.0, 0.0, 0.0]], {'colour': 1})
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[Column, ...]
    reasons: dict[str, str] = {}

    @classmethod
    def fit(
        cls,
        frame: pl.DataFrame,
        *,
        kinds: Mapping[str, Kind | Found] | None = None,
        max_categories: int = 50,
        text_width: int = 64,
    ) -> "Encoder":
        """Learn the columns of a table.

        Numbers are standardised by their mean and standard deviation, dates too, with their month and weekday;
        categories take a number each, at most `max_categories` a column, the rarest sharing the last; texts are
        hashed into `text_width` numbers. Constant columns and identifiers are not used.

        Args:
            frame: the rows, without those columns that are no features.
            kinds: what columns are, where the values say too little: numeric, boolean, categorical, date, text, drop.

        Raises:
            InputError: for a column in `kinds` that is not there, or an unknown kind.
        """
        kinds = {} if kinds is None else kinds
        check(max_categories >= 2, f"max_categories must be at least 2, got {max_categories}")
        check(text_width >= 1, f"text_width must be at least 1, got {text_width}")
        for name in kinds:
            check(name in frame.columns, f"there is no column {name!r} to tell the kind of: {_listed(frame)}")
        found = {column.name: _found(column, kinds.get(column.name)) for column in frame.iter_columns()}
        columns = [fit_column(frame[name], kind, max_categories, text_width) for name, kind in found.items()]
        return cls(columns=tuple(columns), reasons={name: kind.reason for name, kind in found.items()})

    @property
    def names(self) -> list[str]:
        """[c] what each number of a row is called."""
        return [name for column in self.columns for name in column.names]

    @property
    def width(self) -> int:
        """c, how many numbers a row becomes."""
        return len(self.names)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of each column."""
        return {column.name: column.kind for column in self.columns}

    @property
    def notes(self) -> list[str]:
        """A sentence for each column: what it was taken for, and why."""
        return [_sentence(column, self.reasons.get(column.name, "")) for column in self.columns]

    def found(self) -> dict[str, Found]:
        """What `unreadable` must know of each column."""
        forms = {column.name: getattr(column, "date_format", None) for column in self.columns}
        return {column.name: Found(column.kind, "", forms[column.name]) for column in self.columns}

    def check_columns(self, what: str, frame: pl.DataFrame) -> None:
        """Raise an InputError unless the table has every column that is used."""
        needed = [column.name for column, _ in used(self.columns)]
        absent = [name for name in needed if name not in frame.columns]
        missing = ", ".join(map(repr, absent))
        check(not absent, f"{what} must have the columns that the encoder was fitted on: {missing}; {_listed(frame)}")

    def transform(self, frame: pl.DataFrame) -> tuple[Float[Tensor, "n c"], EncodingReport]:
        """The matrix of a table, float32, and what was missing or unknown in it.

        Raises:
            InputError: if a column that is used is not there.
        """
        self.check_columns("the table", frame)
        out = np.zeros((frame.height, self.width), np.float32)
        missing, unknown = {}, {}
        for column, place in used(self.columns):
            num_missing, num_unknown = column.encode(frame[column.name], out[:, place])
            if num_missing:
                missing[column.name] = num_missing
            if num_unknown:
                unknown[column.name] = num_unknown
        return torch.from_numpy(out), EncodingReport(frame.height, missing, unknown)

    def to_dict(self) -> dict[str, Any]:
        """As dictionaries, lists, strings and numbers: ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Encoder":
        """What `to_dict` gave.

        Raises:
            InputError: if it is no encoder.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"this is no saved encoder: {error.errors()[0]['msg']}") from error


def _found(values: pl.Series, told: Kind | Found | None) -> Found:
    return told if isinstance(told, Found) else find_kind(values, told)


def _sentence(column: Column, reason: str) -> str:
    if isinstance(column, DroppedColumn):
        return f"{column.name!r} is not used: {reason or column.reason}"
    rare = len(column.rare) if isinstance(column, CategoricalColumn) else 0
    shared = f"; its {rare} rarest categories are taken together" if rare else ""
    return f"{column.name!r} is {column.kind}: {reason or 'as fitted'}{shared}"


def _listed(frame: pl.DataFrame) -> str:
    return f"the table has {', '.join(frame.columns) or 'no columns'}"
