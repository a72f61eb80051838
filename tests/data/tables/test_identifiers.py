"""The map of names: whatever the type, there and back, against a Python dictionary."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.data.tables import Identifiers
from grapevine.errors import InputError

_NAMES = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1), unique=True),
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(str.strip), unique=True),
)


@settings(max_examples=60, deadline=None)
@given(_NAMES, st.randoms())
def test_names_are_found_where_they_stand(names, random):
    names = [name for name in names if name != ""]
    ids = Identifiers(names)
    place = {str(name): k for k, name in enumerate(names)}
    asked = random.sample(names, len(names))
    assert ids.lookup(asked).tolist() == [place[str(name)] for name in asked]
    assert ids.names.to_list() == names


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [
        ([7, 12], ["7", "12"]),
        (["7", "12"], [7, 12]),
        (["7", "12"], [7.0, 12.0]),
        ([7.0, 12.0], ["7", " 12 "]),
        (np.array([7, 12], np.uint64), pl.Series([7, 12], dtype=pl.Int8)),
        (["7", "x"], [7, "x"]),
        (pl.Series(["7", "x"], dtype=pl.Categorical), ["7", "x"]),
    ],
)
def test_a_name_is_the_same_whatever_its_type(nodes, edges):
    assert Identifiers(nodes).lookup(edges).tolist() == [0, 1]


def test_unknown_and_missing_names_have_no_number():
    ids = Identifiers(["a", "b", "007"])
    assert ids.lookup(["b", None, "zoe", "", 7]).tolist() == [1, -1, -1, -1, -1]
    assert Identifiers([3, 1]).lookup([1.0, None, 2.5]).tolist() == [1, -1, -1]
    assert ids.lookup([]).tolist() == []


def test_repeated_and_missing_names_are_refused():
    with pytest.raises(InputError, match="2 stand twice, as 'a', 'b'"):
        Identifiers(["a", "b", "a", "b", "c"])
    with pytest.raises(InputError, match="1 names are missing"):
        Identifiers(["a", None])


@pytest.mark.parametrize("names", [["a", "b"], [3, 1], []])
def test_they_are_kept_in_a_file(tmp_path, names):
    ids = Identifiers(names)
    ids.write(tmp_path / "ids.parquet")
    assert Identifiers.read(tmp_path / "ids.parquet").names.to_list() == names
    assert ids.to_numpy().tolist() == names


def test_a_wrong_file_is_refused(tmp_path):
    (tmp_path / "ids.parquet").write_bytes(b"no parquet")
    for path in (tmp_path / "ids.parquet", tmp_path / "absent.parquet"):
        with pytest.raises(InputError, match="can not read identifiers"):
            Identifiers.read(path)
    with pytest.raises(InputError, match="can not write"):
        Identifiers(["a"]).write(tmp_path / "absent" / "ids.parquet")
