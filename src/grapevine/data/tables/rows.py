"""The rows of a table that stay, as one reason after another takes some away."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from grapevine.data.tables.kinds import Found, unreadable
from grapevine.data.tables.read import Table
from grapevine.data.tables.rejects import Rejects, row_text

_UNREADABLE = {"numeric": "an unreadable number", "date": "an unreadable date", "boolean": "an unreadable truth value"}


class Rows:
    """Which rows of a table are good so far; a row is rejected once, for the first reason."""

    def __init__(self, table: Table, rejects: Rejects):
        self.table = table
        self.rejects = rejects
        self.is_good = np.ones(table.frame.height, bool)

    def reject(self, is_bad: np.ndarray, reason: str, column: str | None = None) -> None:
        """Take rows away; `column` holds the value that is wrong."""
        rows = (is_bad & self.is_good).nonzero()[0]
        if len(rows) == 0:
            return
        self.is_good[rows] = False
        chosen = self.table.frame[rows]
        details = None
        if column is not None:
            value = chosen[column].cast(pl.String).fill_null("nothing")
            details = pl.select(pl.concat_str(pl.lit(f"{column}: "), pl.lit(value))).to_series()
        self.rejects.add(reason, self.table.name, self.table.lines_at(rows), row_text(chosen), details)

    def reject_unreadable(self, found: Mapping[str, Found]) -> None:
        """Take away those with a number, date or truth value that is given and can not be read."""
        for name, kind in found.items():
            if kind.kind in _UNREADABLE and name in self.table.frame.columns:
                is_bad = unreadable(self.table.frame[name], kind).to_numpy()
                self.reject(is_bad, _UNREADABLE[kind.kind], name)

    def good(self) -> np.ndarray:
        """The numbers of the rows that stay."""
        return self.is_good.nonzero()[0]

    def frame(self) -> pl.DataFrame:
        """The rows that stay."""
        frame = self.table.frame
        return frame if self.is_good.all() else frame.filter(pl.Series(self.is_good))
