"""The map from the users' own names of nodes to 0 .. n - 1 and back.

Names are compared as numbers where both sides are whole numbers, and else as texts in which a whole number has no
fraction: so 7 of a Parquet file, 7.0 of a frame with gaps and "7" of a CSV file are one name, and "007" is another.
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Int

from grapevine.data.tables.parse import as_text, as_whole
from grapevine.errors import InputError, check


class Identifiers:
    """n different names, in order. Immutable.

    Args:
        names: [n] a series, array or list of strings, numbers or any single values.

    Raises:
        InputError: if a name is missing or stands twice; `Identifiers.first_of` says which do.

    >>> ids = Identifiers(["ann", "bob", "eve"])
    >>> ids.lookup(["eve", "zoe"]).tolist(), ids.names[1]
    ([2, -1], 'bob')
    """

    def __init__(self, names: pl.Series | np.ndarray | list):
        keys = Identifiers.keys(names)
        check(keys.null_count() == 0, f"{keys.null_count()} names are missing")
        repeated = keys.filter(keys.is_duplicated()).unique(maintain_order=True)
        shown = ", ".join(map(repr, repeated.head(5).to_list()))
        check(len(repeated) == 0, f"each node needs a name of its own, but {len(repeated)} stand twice, as {shown}")
        self._names = keys

    @staticmethod
    def first_of(names: pl.Series | np.ndarray | list) -> tuple[np.ndarray, np.ndarray]:
        """Two masks [n]: where a name is missing, and where it stood before already.

        >>> [mask.tolist() for mask in Identifiers.first_of(["a", None, "b", "a"])]
        [[False, True, False, False], [False, False, False, True]]
        """
        keys = Identifiers.keys(names)
        missing = keys.is_null().to_numpy()
        return missing, ~keys.is_first_distinct().to_numpy() & ~missing

    @staticmethod
    def keys(names: pl.Series | np.ndarray | list) -> pl.Series:
        """What names are compared by: Int64 where all are whole numbers, else strings; null where one is missing."""
        try:
            series = names if isinstance(names, pl.Series) else pl.Series("id", names, strict=True)
        except (TypeError, pl.exceptions.PolarsError):
            series = pl.Series("id", [None if name is None else str(name) for name in names])
        whole = as_whole(series)
        return (as_text(series) if whole is None else whole).alias("id")

    def lookup(self, names: pl.Series | np.ndarray | list) -> Int[np.ndarray, " k"]:
        """[k] the numbers of these names, -1 where there is no such name or it is missing."""
        keys, own = Identifiers.keys(names), self._names
        if keys.dtype != own.dtype:
            keys, own = as_text(keys), as_text(own)
        table = pl.DataFrame({"key": own, "number": pl.Series(np.arange(len(own)))})
        found = pl.DataFrame({"key": keys}).join(table, on="key", how="left", maintain_order="left")
        return found["number"].fill_null(-1).to_numpy(writable=True)

    @property
    def names(self) -> pl.Series:
        """[n] the names in order: whole numbers, or strings."""
        return self._names

    def to_numpy(self) -> np.ndarray:
        """[n] the names in order: int64, or objects that are strings."""
        return self._names.to_numpy()

    def write(self, path: str | Path) -> None:
        """Keep them in a Parquet file of one column, `id`."""
        try:
            pl.DataFrame({"id": self._names}).write_parquet(path)
        except OSError as error:
            raise InputError(f"can not write the identifiers to {path}: {error}") from error

    @classmethod
    def read(cls, path: str | Path) -> "Identifiers":
        """What `write` kept.

        Raises:
            InputError: if there is no such file, or it is another one.
        """
        try:
            return cls(pl.read_parquet(path, columns=["id"])["id"])
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"can not read identifiers from {path}: {error}") from error

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"Identifiers({len(self)} {'numbers' if self._names.dtype == pl.Int64 else 'strings'})"
