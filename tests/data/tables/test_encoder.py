"""Columns made numbers, against scikit-learn and pandas."""

import json

import numpy as np
import pandas
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from grapevine.data.tables import Encoder
from grapevine.data.tables.kinds import find_kind, unreadable
from grapevine.errors import InputError


def _encoded(frame, **options):
    encoder = Encoder.fit(frame, **options)
    x, report = encoder.transform(frame)
    assert x.shape == (frame.height, encoder.width)
    return encoder, x.numpy(), report


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=3, max_size=30))
def test_numbers_are_standardised_as_by_scikit_learn(values):
    values += [0.0, 5.0, -7.0]
    column = np.array(values, dtype=float).reshape(-1, 1)
    scaled = StandardScaler().fit_transform(column)
    expected = np.where(np.isnan(scaled), 0, scaled)
    for typed in (pl.Series(values, dtype=pl.Float64), pl.Series([None if v is None else repr(v) for v in values])):
        encoder, x, report = _encoded(pl.DataFrame({"a": typed}), kinds={"a": "numeric"})
        np.testing.assert_allclose(x[:, :1], expected, atol=1e-5)
        if np.isnan(column).any():
            assert encoder.names == ["a", "a is missing"]
            np.testing.assert_array_equal(x[:, 1:], MissingIndicator().fit_transform(column))
            assert report.missing == {"a": int(np.isnan(column).sum())}
        else:
            assert encoder.names == ["a"]


def test_missing_numbers_are_the_mean():
    values = np.array([[1.0], [np.nan], [4.0]])
    filled = StandardScaler().fit(values).transform(SimpleImputer().fit_transform(values))
    np.testing.assert_allclose(_encoded(pl.DataFrame({"a": values[:, 0]}))[1][:, :1], filled, atol=1e-7)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(2, 9))
def test_categories_are_encoded_as_by_scikit_learn(values, most):
    frame = pl.DataFrame({"c": values})
    encoder, x, _ = _encoded(frame, kinds={"c": "categorical"}, max_categories=most)
    counts = pandas.Series(values).value_counts()
    assert x.shape[1] == min(most, len(counts))
    by_name = sorted(counts.index, key=lambda name: (-counts[name], name))
    kept = sorted(by_name if len(by_name) <= most else by_name[: most - 1])
    theirs = OneHotEncoder(categories=[kept], handle_unknown="ignore", sparse_output=False)
    np.testing.assert_array_equal(x[:, : len(kept)], theirs.fit_transform(np.array(values).reshape(-1, 1)))
    np.testing.assert_array_equal(x.sum(1), 1)
    assert encoder.names[: len(kept)] == [f"c = {name}" for name in kept]


def test_unknown_and_missing_categories_are_zeros_and_counted():
    encoder = Encoder.fit(pl.DataFrame({"c": ["u", "v", "u", "w", "w"]}), max_categories=2)
    assert encoder.names == ["c = u", "c is other"]
    x, report = encoder.transform(pl.DataFrame({"c": ["u", "v", "zoe", None, "zoe", " w "]}))
    assert x.tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0], [0, 1]]
    assert (report.unknown, report.missing) == ({"c": 2}, {"c": 1})
    assert len(report.notes("nodes")) == 2


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S", None])
def test_dates_agree_with_pandas(form):
    days = pandas.Series(pandas.date_range("2019-11-25", periods=400, freq="31h")).dt.floor("s")
    column = pl.from_pandas(days) if form is None else pl.Series(days.dt.strftime(form).to_list())
    days = days if form is None else pandas.to_datetime(days.dt.strftime(form), format=form)
    encoder, x, _ = _encoded(pl.DataFrame({"d": column}))
    assert encoder.kinds == {"d": "date"}
    since = (days - pandas.Timestamp("1970-01-01")) / pandas.Timedelta(days=1)
    np.testing.assert_allclose(x[:, 0], (since - since.mean()) / since.std(ddof=0), atol=1e-5)
    month, weekday = 2 * np.pi * (days.dt.month - 1) / 12, 2 * np.pi * days.dt.day_of_week / 7
    expected = np.stack([np.sin(month), np.cos(month), np.sin(weekday), np.cos(weekday)], 1)
    np.testing.assert_allclose(x[:, 1:], expected, atol=1e-6)


def test_texts_are_hashed_as_by_scikit_learn():
    texts = ["graphs are all around us", "a b c d of words", "news travels by the grapevine", None]
    encoder, x, _ = _encoded(pl.DataFrame({"t": texts}), text_width=32)
    theirs = HashingVectorizer(n_features=32).transform([text or "" for text in texts]).toarray()
    assert encoder.kinds == {"t": "text"}
    np.testing.assert_allclose(x[:, :32], theirs, atol=1e-6)
    assert x[:, 32].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("a", [1, 2, 2], "numeric"),
        ("a", ["1", " 2.5", "NA", "1e3"], "numeric"),
        ("a", ["31", "47", "abc", "28"], "numeric"),
        ("a", [0, 1, 1, None], "boolean"),
        ("a", [True, None, False], "boolean"),
        ("a", ["yes", "No", "", "YES"], "boolean"),
        ("a", ["red", "blue", "red"], "categorical"),
        ("a", ["1", "2", "x", "y", "1"], "categorical"),
        ("a", pl.Series(["x", "y", "x"], dtype=pl.Categorical), "categorical"),
        ("a", ["2024-01-31", "", "2024-02-01"], "date"),
        ("a", ["2024-01-31T10:00:00Z", "2024-02-01T11:30:00+02:00"], "date"),
        ("name", ["ann", "bob", "eve"], "drop"),
        ("user_id", [11, 12, 17], "drop"),
        ("a", ["x", "x", "x"], "drop"),
        ("a", [None, None], "drop"),
        ("a", [[1], [2, 3]], "drop"),
        ("a", ["one two three", "four five six seven", "eight nine ten"], "text"),
    ],
)
def test_kinds_are_recognised(name, values, kind):
    assert find_kind(pl.Series(name, values)).kind == kind


def test_every_type_of_column_is_encoded_or_dropped():
    times = pl.Series([0, 3_600_000_000_000, None], dtype=pl.Int64)
    frame = pl.DataFrame({
        "time": times.cast(pl.Time), "length": times.cast(pl.Duration("ns")),
        "enum": pl.Series(["x", "y", "x"]).cast(pl.Enum(["x", "y"])),
        "exact": pl.Series(["1.50", "2.00", "3.00"]).cast(pl.Decimal(10, 2)),
        "nothing": [None] * 3, "bytes": [b"a", b"b", b"c"],
        "pair": [{"a": 1}, {"a": 2}, {"a": 3}], "small": pl.Series([1, 2, 4], dtype=pl.UInt8),
        "day": pl.Series([0, 1, None], dtype=pl.Int32).cast(pl.Date),
    })  # fmt: skip
    encoder, x, _ = _encoded(frame)
    assert np.isfinite(x).all()
    kinds = ["numeric", "numeric", "categorical", "numeric", "drop", "drop", "drop", "numeric", "date"]
    assert list(encoder.kinds.values()) == kinds


def test_kinds_can_be_told_and_everything_is_said():
    frame = pl.DataFrame({"zip": [10115, 20095, 10115], "name": ["a", "b", "c"], "k": [1, 1, 1]})
    encoder = Encoder.fit(frame, kinds={"zip": "categorical", "name": "categorical"})
    assert encoder.names == ["zip = 10115", "zip = 20095", "name = a", "name = b", "name = c"]
    assert encoder.notes[2] == "'k' is not used: it is constant: 1 everywhere"


def test_what_can_not_be_read_is_found():
    for values, expected in [
        (["1", "abc", "NA", "inf", None, "2", "3", "4"], [1, 3]),
        ([1.0, float("nan"), float("inf"), 2.0], [2]),
    ]:
        column = pl.Series("a", values)
        assert unreadable(column, find_kind(column, "numeric")).arg_true().to_list() == expected
    dates = pl.Series(["2024-01-31", "2024-02-30", "2024-03-01", "2024-03-02"])
    assert unreadable(dates, find_kind(dates)).arg_true().to_list() == [1]


def test_an_encoder_is_saved_as_json():
    frame = pl.DataFrame({
        "n": [1.5, None, 1e300], "c": ["x", "y", "x"], "b": [True, None, False],
        "d": ["2024-01-31", "2024-02-01", None], "t": ["a long text", "other words here", "some more of it"],
    })  # fmt: skip
    encoder, x, _ = _encoded(frame, kinds={"t": "text"})
    again = Encoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(frame)[0].numpy(), x)
    assert np.isfinite(x).all()
    with pytest.raises(InputError, match="no saved encoder"):
        Encoder.from_dict({"columns": [{"kind": "numeric", "name": "a", "mean": 0, "std": 0}]})


def test_wrong_columns_and_kinds_are_refused():
    frame = pl.DataFrame({"a": [1, 2]})
    for options, message in [
        ({"kinds": {"b": "numeric"}}, "no column 'b'"),
        ({"kinds": {"a": "number"}}, "must be one of numeric"),
        ({"max_categories": 1}, "at least 2"),
        ({"text_width": 0}, "at least 1"),
        ({"kinds": {"a": "date"}}, None),
    ]:
        if message is None:
            assert Encoder.fit(frame, **options).kinds == {"a": "date"}
            continue
        with pytest.raises(InputError, match=message):
            Encoder.fit(frame, **options)
    with pytest.raises(InputError, match="fitted on: 'a'; the table has b"):
        Encoder.fit(frame).transform(pl.DataFrame({"b": [1]}))
    with pytest.raises(InputError, match="no dates that can be read"):
        Encoder.fit(pl.DataFrame({"a": ["x", "y"]}), kinds={"a": "date"})
