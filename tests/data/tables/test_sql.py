"""Tables from a database, written by sqlite3."""

import builtins
import sqlite3

import pytest

from grapevine.data.tables import read_sql
from grapevine.errors import InputError


@pytest.fixture
def shop(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("CREATE TABLE people (id TEXT, age INTEGER, town)")
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", [("ann", 31, 7), ("bob", None, "x")])
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_query_is_a_table(shop):
    table = read_sql(shop, "SELECT * FROM people ORDER BY id")
    assert table.frame.rows() == [("ann", 31, "7"), ("bob", None, "x")]
    assert read_sql(shop, "SELECT id FROM people WHERE age > 99").frame.shape == (0, 1)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT height FROM people", "no such column"),
        ("SELEC", "syntax error"),
        ("SELECT id, age AS id FROM people", "two columns"),
        ("CREATE TABLE x (y)", "must be a SELECT"),
    ],
)
def test_a_wrong_query_is_refused(shop, query, message):
    with pytest.raises(InputError, match=message):
        read_sql(shop, query)


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////no/such/file.db", "made-up://x", "sqlite:///absent.db"])
def test_a_wrong_address_is_refused(url):
    with pytest.raises(InputError, match=r"no database|database"):
        read_sql(url, "SELECT 1")


def test_without_sqlalchemy_the_extra_is_named(monkeypatch):
    whole = builtins.__import__

    def without(name, *arguments, **options):
        if name.startswith("sqlalchemy"):
            raise ImportError(name)
        return whole(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"grapevine-gnn\[sql\]"):
        read_sql("sqlite://", "SELECT 1")
