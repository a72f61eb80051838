"""Rows that could not be used: counted by reason, the first ones shown, all of them written to a file.

They are held as frames, column by column, so that a million bad rows cost no object each.
"""

from pathlib import Path

import numpy as np
import polars as pl

from grapevine.errors import InputError

_COLUMNS = {"file": pl.String, "line": pl.Int64, "reason": pl.String, "detail": pl.String, "row": pl.String}
_SHOWN = 80  # characters of a row in a message


class Rejects:
    """Collects the rows that are left out: of which file and line, why, and what they held.

    >>> rejects = Rejects()
    >>> rejects.add("wrong number of fields", "nodes.csv", np.array([4]), pl.Series(["a,1,2"]))
    >>> rejects.counts
    {'wrong number of fields': 1}
    >>> rejects.first()
    ['nodes.csv, line 4: wrong number of fields: a,1,2']
    """

    def __init__(self):
        self._parts: list[pl.DataFrame] = []

    def add(self, reason: str, file: str, lines: np.ndarray, rows: pl.Series, details: pl.Series | None = None) -> None:
        """Add rows left out for one reason; `details` says more of each, as what could not be read."""
        if len(rows) == 0:
            return
        part = pl.DataFrame({"line": pl.Series(lines, dtype=pl.Int64), "row": rows.cast(pl.String)})
        detail = pl.lit(None, pl.String) if details is None else pl.lit(details.cast(pl.String))
        part = part.with_columns(pl.lit(file).alias("file"), pl.lit(reason).alias("reason"), detail.alias("detail"))
        self._parts.append(part.select(*_COLUMNS))

    def extend(self, other: "Rejects") -> None:
        """Add all that another one holds."""
        self._parts.extend(other._parts)

    @property
    def frame(self) -> pl.DataFrame:
        """A row for each: file, line, reason, detail and the row as text, in the order they were found."""
        return pl.concat(self._parts) if self._parts else pl.DataFrame(schema=_COLUMNS)

    @property
    def counts(self) -> dict[str, int]:
        """How many for each reason, in the order they were found."""
        counts: dict[str, int] = {}
        for part in self._parts:
            reason = part["reason"][0]
            counts[reason] = counts.get(reason, 0) + len(part)
        return counts

    def first(self, most: int = 5) -> list[str]:
        """The first few in words, a line each."""
        rows = pl.concat([part.head(most) for part in self._parts]).head(most).rows() if self._parts else []
        return [_words(*row) for row in rows]

    def write(self, path: str | Path) -> None:
        """Write all of them to a CSV file of the columns file, line, reason, detail and row.

        Raises:
            InputError: if the file can not be written.
        """
        try:
            self.frame.write_csv(path)
        except OSError as error:
            raise InputError(f"can not write the rejected rows to {path}: {error}") from error

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __repr__(self) -> str:
        listed = ", ".join(f"{count} {reason}" for reason, count in self.counts.items())
        return f"Rejects({listed or 'none'})"


def row_text(frame: pl.DataFrame) -> pl.Series:
    """Each row as a line of a CSV file.

    >>> row_text(pl.DataFrame({"a": [1, None], "b": ["x", "y,z"]})).to_list()
    ['1,x', ',"y,z"']
    """
    if frame.width == 0:
        return pl.Series([], dtype=pl.String)
    fields = [_field(name, dtype) for name, dtype in frame.schema.items()]
    return frame.select(pl.concat_str(fields, separator=",").alias("row")).to_series()


def _field(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_nested():
        text = pl.struct(column).struct.json_encode()
    elif dtype == pl.Binary:
        text = column.bin.encode("hex")
    else:
        text = column.cast(pl.String)
    quoted = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(text.str.contains('[,"\r\n]')).then(quoted).otherwise(text).fill_null("")


def _words(file: str, line: int, reason: str, detail: str | None, row: str) -> str:
    more = f" ({detail})" if detail else ""
    shown = row if len(row) <= _SHOWN else row[: _SHOWN - 3] + "..."
    return f"{file}, line {line}: {reason}{more}: " + shown.replace("\n", "\\n")
