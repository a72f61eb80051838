"""Files of numbers: read as NumPy reads them, and refused with the line where they are wrong."""

import gzip

import numpy as np
import pytest

from grapevine.data.readers.numbers import read_numbers
from grapevine.errors import InputError


def test_blanks_and_empty_lines_at_the_end_do_not_matter(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b" 1.5,  -2\r\n 3e-2 ,\t4\r\n\r\n")
    np.testing.assert_array_equal(read_numbers(path, "float"), np.loadtxt(path, np.float32, delimiter=","))


def test_numbers_are_those_of_numpy(tmp_path):
    values = np.random.default_rng(0).standard_normal((500, 7)).astype(np.float32)
    np.savetxt(tmp_path / "a.txt", values, delimiter=", ")
    np.testing.assert_array_equal(read_numbers(tmp_path / "a.txt", "float", columns=7, rows=500), values)


@pytest.mark.parametrize(
    ("text", "kind", "columns", "message"),
    [
        ("1,2\n3\n", "int", None, "line 2: 1 fields, expected 2"),
        ("1,2\n3,4,5\n", "int", None, "line 2: 3 fields, expected 2"),
        ("1,2\n", "int", 3, "line 1: 2 fields, expected 3"),
        ("1\n2\nx\n", "int", None, "line 3: 'x' is no whole number"),
        ("1\n2.0\n", "int", None, r"line 2: '2\.0' is no whole number"),
        ("1\n2 3\n", "int", None, "line 2: '2 3' is no whole number"),
        ("1\n\n3\n", "int", None, "line 2: '' is no whole number"),
        ("1.5,\n", "float", None, "line 1: '' is no number"),
        ("99999999999999999999\n", "int", None, "line 1: '9+' is no whole number"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, kind, columns, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match=rf"a\.txt, {message}"):
        read_numbers(tmp_path / "a.txt", kind, columns=columns)


def test_missing_numbers_are_nan_where_they_may_be(tmp_path):
    (tmp_path / "a.txt").write_text("1\n\nnan\n4\n\n")
    np.testing.assert_array_equal(
        read_numbers(tmp_path / "a.txt", "float", missing=True)[:, 0], [1, *[np.nan] * 2, 4, np.nan]
    )


def test_a_missing_a_short_and_a_packed_file(tmp_path):
    path = tmp_path / "a.csv.gz"
    with pytest.raises(InputError, match=r"there is no file .*a\.csv\.gz"):
        read_numbers(path, "int")
    packed = gzip.compress(b"1,2\n3,4\n" * 100)
    path.write_bytes(packed)
    assert read_numbers(path, "int").shape == (200, 2)
    with pytest.raises(InputError, match="200 lines, expected 100"):
        read_numbers(path, "int", rows=100)
    path.write_bytes(packed[:-9])
    with pytest.raises(InputError, match="cut short"):
        read_numbers(path, "int")
    path.write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match="is empty, expected 3 lines"):
        read_numbers(path, "int", rows=3)
