"""Tables from files of every kind, whole and broken; the files come from csv, json, pandas and pyarrow."""

import csv
import gzip
import io
import json
import sys

import numpy as np
import pandas
import polars as pl
import pyarrow
import pyarrow.feather
import pyarrow.ipc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grapevine.data.tables import Rejects, read_table
from grapevine.data.tables.rejects import row_text
from grapevine.errors import InputError

FRAME = pandas.DataFrame({"id": ["a", "b", "c"], "age": [1.5, None, 3.0], "town": ["x", "y,z", None]})


def _write(tmp_path, content, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _read(tmp_path, content, name="t.csv"):
    table = read_table(_write(tmp_path, content, name))
    return table, table.frame.rows(), table.lines_at(np.arange(table.frame.height)).tolist()


def test_every_kind_of_file_holds_the_same_table(tmp_path):
    FRAME.to_csv(tmp_path / "t.csv", index=False)
    FRAME.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    FRAME.to_csv(tmp_path / "u.csv.gz", index=False)
    FRAME.to_parquet(tmp_path / "t.parquet")
    FRAME.to_json(tmp_path / "t.jsonl", orient="records", lines=True)
    FRAME.to_json(tmp_path / "t.ndjson.gz", orient="records", lines=True)
    FRAME.to_feather(tmp_path / "t.feather")
    arrow = pyarrow.Table.from_pandas(FRAME)
    with pyarrow.ipc.new_stream(tmp_path / "t.arrow", arrow.schema) as stream:
        stream.write_table(arrow)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 8
    for source in [*files, FRAME, pl.from_pandas(FRAME), pl.from_pandas(FRAME).lazy()]:
        frame = read_table(source).frame.with_columns(pl.col("age").cast(pl.Float64))
        assert frame.rows() == [("a", 1.5, "x"), ("b", None, "y,z"), ("c", 3.0, None)], source


def test_a_named_index_of_pandas_is_a_column_and_an_unnamed_one_is_not():
    assert read_table(FRAME.set_index("id")).frame.columns == ["id", "age", "town"]
    assert read_table(FRAME.iloc[1:]).frame.height == 2
    mixed = pandas.DataFrame({"id": [7, "x", None]}, dtype=object)
    assert read_table(mixed).frame["id"].to_list() == ["7", "x", None]


def test_pandas_is_not_imported_for_other_sources(monkeypatch):
    monkeypatch.delitem(sys.modules, "pandas")
    assert read_table(pl.DataFrame({"a": [1]})).frame.height == 1
    assert "pandas" not in sys.modules


def test_bad_lines_are_rejected_with_their_numbers_and_reading_goes_on(tmp_path):
    table, rows, lines = _read(tmp_path, 'id,town\na,x\nb\n\n"c","two\nlines"\nd,e,f\n"g,h\ni,""\nj,k\n')
    assert rows == [("a", "x"), ("c", "two\nlines"), ("i", None), ("j", "k")]
    assert lines == [2, 5, 9, 10]
    assert table.rejects.counts == {"wrong number of fields": 2, "a quote that is not closed": 1}
    assert sorted(table.rejects.frame["line"].to_list()) == [3, 7, 8]
    assert "t.csv, line 3: wrong number of fields (1 instead of 2): b" in table.rejects.first()
    table.rejects.write(tmp_path / "rejected.csv")
    written = pandas.read_csv(tmp_path / "rejected.csv")
    assert sorted(written.line) == [3, 7, 8]
    assert list(written.row[written.line == 7]) == ["d,e,f"]


def test_bytes_that_are_no_text_are_rejected(tmp_path):
    table, rows, _ = _read(tmp_path, b"id,town\na,K\xf6ln\nb,Bonn\n")
    assert rows == [("b", "Bonn")]
    assert table.rejects.first()[0].startswith("t.csv, line 2: not UTF-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_line_ends(tmp_path, encoding):
    for good, extra in ((True, ""), (False, "x\r\n")):
        table, rows, _ = _read(tmp_path, ("id;t\u00f6wn\r\n1;\u00e9\r\n2;\r\n" + extra).encode(encoding))
        assert table.frame.columns == ["id", "t\u00f6wn"]
        assert rows == [("1", "\u00e9"), ("2", None)]
        assert len(table.rejects) == (0 if good else 1)


def test_lines_of_good_files_count_blank_ones_and_quoted_ends_of_lines(tmp_path):
    table, rows, lines = _read(tmp_path, 'id,a\n"x\ny",1\n\nz,2\n')
    assert (len(rows), lines, len(table.rejects)) == (2, [2, 5], 0)
    assert _read(tmp_path, '"i\nd",a\nx,1\n')[2] == [3]


def test_a_first_line_of_numbers_is_no_header(tmp_path):
    table, rows, lines = _read(tmp_path, "0,1\n1,2\n3\n")
    assert (table.frame.columns, rows, lines) == (["column_1", "column_2"], [("0", "1"), ("1", "2")], [1, 2])
    assert table.rejects.frame["line"].to_list() == [3]
    assert "no line of column names" in table.notes[0]


def test_bad_json_lines_are_rejected(tmp_path):
    table, rows, lines = _read(tmp_path, '{"a": 1}\nxx\n\n[1]\n{"b": 2, "a": "z"}\n', "t.jsonl")
    assert (rows, lines) == ([("1", None), ("z", 2)], [1, 5])
    assert table.rejects.frame["line"].to_list() == [2, 4]
    assert _read(tmp_path, '{"a": 1}\n\n{"a": 2}\n', "t.jsonl")[2] == [1, 3]


def test_vectors_become_columns(tmp_path):
    pl.DataFrame({"id": [1, 2], "v": [[1.0, 2.0], [3.0, 4.0]]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame.to_dict(as_series=False) == {
        "id": [1, 2], "v_0": [1.0, 3.0], "v_1": [2.0, 4.0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "is empty"),
        ("t.csv", " \n", "is empty"),
        ("t.csv", b"\xef\xbb\xbf", "is empty"),
        ("t.csv", "a,b,a\n1,2,3\n", "two columns of the name 'a'"),
        ("t.csv", b"a,b\n\0,1\n", "no text file"),
        ("t.csv", b"\xff\xfea", "UTF-16"),
        ("t.csv.gz", b"\x1f\x8bnothing", "unpacked"),
        ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999, mtime=0)[:40], "unpacked"),
        ("t.jsonl", "\n", "is empty"),
        ("t.jsonl", "1\n2\n", "no line that is a JSON object"),
        ("t.parquet", "PAR1", "can be read"),
        ("t.arrow", "ARROW1", "can"),
        ("t.xlsx", "x", "must end in one of"),
        ("t", "x", "must end in one of"),
        ("t.parquet.gz", "x", "must end in one of"),
    ],
)
def test_what_can_not_be_read_is_one_clear_error(tmp_path, name, content, message):
    path = _write(tmp_path, content, name)
    with pytest.raises(InputError, match=message) as caught:
        read_table(path)
    assert "Traceback" not in str(caught.value)


def test_missing_files_folders_and_other_things(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for source, message in [
        (tmp_path / "absent.csv", "no file"),
        (tmp_path / "folder.csv", "is a folder"),
        (7, "must be a path or a"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "two columns of the name"),
    ]:
        with pytest.raises(InputError, match=message):
            read_table(source)


_FIELD = st.text(st.sampled_from('ab ",;\n\u00e9|0'), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(_FIELD, _FIELD), max_size=8), is_broken=st.booleans())
def test_what_the_csv_module_writes_is_read_back(tmp_path, rows, is_broken):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("id", "town"), *rows])
    if is_broken:
        writer.writerow(["one", "too", "many"])
    table, found, lines = _read(tmp_path, text.getvalue())
    expected = [tuple(field or None for field in row) for row in rows if any(row)]
    assert found == expected
    assert len(table.rejects) == is_broken
    begins = []
    line = 2
    for row in rows:
        begins += [line] * any(row)
        line += 1 + sum(field.count("\n") for field in row)
    assert lines == begins


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60), name=st.sampled_from(["t.csv", "t.jsonl", "t.tsv", "t.parquet", "t.arrow"]))
def test_whatever_the_bytes_there_is_a_table_or_an_input_error(tmp_path, content, name):
    for text in (content, b"a,b\n" + content, b'{"a": 1}\n' + content):
        try:
            read_table(_write(tmp_path, text, name))
        except InputError:
            continue


def test_rejected_rows_are_counted_without_an_object_each():
    rejects = Rejects()
    count = 1_000_000
    rejects.add("bad", "t.csv", np.arange(count), pl.repeat("a,b", count, eager=True))
    rejects.add("worse", "t.csv", np.array([3]), pl.Series(["x" * 200]), pl.Series(["very"]))
    assert (len(rejects), rejects.counts) == (count + 1, {"bad": count, "worse": 1})
    assert rejects.first(2) == ["t.csv, line 0: bad: a,b", "t.csv, line 1: bad: a,b"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(_FIELD, _FIELD), min_size=1, max_size=4))
def test_a_row_as_text_is_a_line_of_csv(rows):
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    for row, text in zip(rows, row_text(frame), strict=True):
        assert tuple(next(csv.reader(io.StringIO(text, newline="")), ["", ""])) == row


def test_nested_values_in_rows_are_json():
    text = row_text(pl.DataFrame({"a": [[1, 2]], "b": [b"\x01"]}))[0]
    assert json.loads(next(csv.reader([text]))[0])["a"] == [1, 2]
