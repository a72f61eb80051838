"""Targets found, understood and encoded, against scikit-learn's encoder of labels."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.preprocessing import LabelEncoder

from grapevine.data.tables import Target
from grapevine.errors import InputError


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["b", "a", None, "b"], "classes", ("a", "b")),
        ([True, False, None], "classes", ("false", "true")),
        (["yes", "no"], "classes", ("no", "yes")),
        ([10, 9, 10], "classes", ("9", "10")),
        (["10", "9", ""], "classes", ("9", "10")),
        ([1.0, 0.0, None], "classes", ("0", "1")),
        (["0", "1"] * 20 + ["oops"], "classes", ("0", "1")),
        (["1", "2", "x"], "classes", ("1", "2", "x")),
        ([0.5, 1.5], "numbers", None),
        (["0.5", "NA", "7"], "numbers", None),
        (["0.5", "0.7", "oops", "0.9"], "numbers", None),
        (list(range(21)), "numbers", None),
    ],
)
def test_the_kind_is_inferred(values, kind, classes):
    target = Target.infer(pl.DataFrame({"y": values}, strict=False))
    assert (target.kind, target.class_names) == (kind, classes)
    assert target.reason.startswith("'y' holds ")


def test_classes_are_numbered_as_by_scikit_learn():
    values = ["pear", "apple", "fig", "apple"]
    y, unknown = Target.infer(pl.DataFrame({"y": values})).encode(pl.DataFrame({"y": [*values, None, "kiwi"]}))
    assert y.tolist() == [*LabelEncoder().fit_transform(values), -1, -1]
    assert (y.dtype, unknown) == (torch.int64, 1)


def test_numbers_and_several_columns():
    y, _ = Target.infer(pl.DataFrame({"y": ["0.5", "", "7.25"]})).encode(pl.DataFrame({"y": ["0.5", "", "7.25"]}))
    np.testing.assert_array_equal(y, np.array([0.5, np.nan, 7.25], np.float32))
    frame = pl.DataFrame({"a": [0, 1, None], "b": ["1", "0", "1"], "c": [0.5, 1, 2]})
    labels, numbers = Target.infer(frame, ["a", "b"]), Target.infer(frame, ["a", "c"])
    assert (labels.kind, labels.class_names, numbers.kind) == ("labels", ("a", "b"), "numbers")
    np.testing.assert_array_equal(labels.encode(frame)[0], np.array([[0, 1], [1, 0], [np.nan, 1]], np.float32))
    assert numbers.encode(frame)[0].shape == (3, 2)
    one = Target.infer(frame, "a", kind="labels")
    assert one.encode(frame)[0].shape == one.empty(3).shape == (3, 1)


@pytest.mark.parametrize("columns", [["label"], ["Y"], ["target", "label"]])
def test_the_column_is_found(columns):
    frame = pl.DataFrame({"id": ["p", "q"]} | {name: ["a", "b"] for name in columns})
    assert Target.infer(frame).columns == (columns[0],)


def test_it_can_be_told_and_saved():
    frame = pl.DataFrame({"grade": [1, 2, 3, 2]})
    told = Target.infer(frame, "grade", kind="numbers")
    assert (told.kind, told.reason) == ("numbers", "'grade' as told: taken as numbers")
    many = Target.infer(pl.DataFrame({"y": [str(k) for k in range(50)]}), kind="classes")
    assert many.class_names == tuple(str(k) for k in range(50))
    for target in (told, many):
        assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target
    assert torch.equal(many.empty(2), torch.tensor([-1, -1]))
    with pytest.raises(InputError, match="no saved target"):
        Target.from_dict({})


def test_what_can_not_be_read_is_found():
    frame = pl.DataFrame({"y": ["0.5", "oops", None, "7", "8"]})
    assert Target.infer(frame).unreadable(frame)["y"].to_list() == [False, True, False, False, False]
    frame = pl.DataFrame({"y": ["0", "1"] * 20 + ["oops", "?"]})
    assert Target.infer(frame).unreadable(frame)["y"].arg_true().to_list() == [40]


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        ({"id": ["a"], "age": [1]}, {}, "no column has a usual name of a target .* one of id, age"),
        ({"a": [1]}, {"columns": "b"}, "no target column 'b', the table has a"),
        ({"y": [None, ""]}, {}, "is empty"),
        ({"y": ["a", "a"]}, {}, "one class only, 'a'"),
        ({"y": [f"text {k}" for k in range(2000)]}, {}, "2000 different strings, too many"),
        ({"a": ["x", "y"], "b": [1, 2]}, {"columns": ["a", "b"]}, "'a' holds no numbers, as 'x'"),
        ({"a": [1, 2], "b": [1, 2]}, {"columns": ["a", "b"], "kind": "classes"}, "labels or numbers"),
        ({"y": [1, 2]}, {"kind": "nonsense"}, "must be one of"),
    ],
)
def test_no_target_is_one_clear_error(frame, options, message):
    with pytest.raises(InputError, match=message):
        Target.infer(pl.DataFrame(frame, strict=False), **options)
