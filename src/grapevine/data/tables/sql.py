"""Reads the answer of a database to a query, through SQLAlchemy."""

from pathlib import Path
from typing import Any

import polars as pl

from grapevine.data.tables.read import Table, check_names
from grapevine.errors import InputError, check


def read_sql(url: str, query: str, *, name: str = "the query") -> Table:
    """The rows of the answer as a table.

    Args:
        url: the database as SQLAlchemy writes it, as "sqlite:///shop.db" or "postgresql://user@host/shop".
        query: a SELECT.
        name: what to call the table in messages.

    Raises:
        InputError: for an address or a query that is wrong, a database that does not answer or a driver that is not
            installed; and where SQLAlchemy is missing, naming the extra that brings it.

    >>> read_sql("sqlite://", "SELECT 7 AS id, 'red' AS colour").frame.rows()
    [(7, 'red')]
    """
    sqlalchemy = _sqlalchemy()
    _check_file(sqlalchemy, url)
    try:
        engine = sqlalchemy.create_engine(url)
        try:
            with engine.connect() as connection:
                answer = connection.execute(sqlalchemy.text(query))
                check(answer.returns_rows, f"the query must be a SELECT, it returned no rows: {query}")
                names, rows = list(answer.keys()), [tuple(row) for row in answer]
        finally:
            engine.dispose()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise InputError(f"the database does not answer {query!r}: {_first_line(error)}") from error
    except ImportError as error:
        raise InputError(f"the database's driver is not installed: {error}") from error
    check_names("the answer", names)
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return Table(name, pl.DataFrame([_column(*column) for column in zip(names, columns, strict=True)]))


def _sqlalchemy() -> Any:
    try:
        import sqlalchemy
        import sqlalchemy.exc
    except ImportError as error:
        raise InputError("reading from a database needs SQLAlchemy: pip install 'grapevine-gnn[sql]'") from error
    return sqlalchemy


def _check_file(sqlalchemy: Any, url: str) -> None:
    """SQLite would make a new, empty file of a name that is not there."""
    try:
        parsed = sqlalchemy.engine.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise InputError(f"{url!r} is no database address: one looks like sqlite:///shop.db") from error
    file = parsed.database
    if parsed.get_backend_name() == "sqlite" and file not in (None, "", ":memory:") and not file.startswith("file:"):
        check(Path(file).is_file(), f"there is no database file {file}")


def _column(name: str, values: tuple) -> pl.Series:
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
