"""Pickles of arrays come back; whatever else a pickle asks for is refused before it runs."""

import io
import os
import pickle
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from grapevine.data.readers.unpickle import unpickle
from grapevine.errors import InputError


class _Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.how = function, arguments

    def __reduce__(self):
        return self.how


def _write(folder: Path, content: object, protocol: int) -> Path:
    path = folder / "content"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", ">i4", "bool"])
def test_arrays_and_matrices_come_back(tmp_path, protocol, dtype):
    array = np.array([[0, 1, 0], [0, 0, 2]], dtype)
    for content in (array, np.asfortranarray(array), *([array[:0]] if protocol > 2 else [])):
        read = unpickle(_write(tmp_path, content, protocol), np.ndarray)
        assert read.dtype == content.dtype
        np.testing.assert_array_equal(read, content)
    if dtype != ">i4":
        matrix = unpickle(_write(tmp_path, scipy.sparse.csr_matrix(array), protocol), scipy.sparse.csr_matrix)
        np.testing.assert_array_equal(matrix.toarray(), array)


@pytest.mark.parametrize("protocol", [2, 4])
def test_lists_of_neighbours_come_back(tmp_path, protocol):
    content = defaultdict(list, {0: [1, 2], 3: []})
    assert unpickle(_write(tmp_path, content, protocol), dict) == content


@pytest.mark.parametrize("protocol", [0, 2, 4])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_call_is_refused_before_it_runs(tmp_path, protocol, wrapped):
    trace = tmp_path / "trace"
    call = _Call(os.mkdir, str(trace))
    path = _write(tmp_path, defaultdict(list, {0: [call]}) if wrapped else call, protocol)
    with pytest.raises(InputError, match=r"content is refused.*(posix|nt)\.mkdir, which is not admitted"):
        unpickle(path, dict)
    assert not trace.exists()
    pickle.loads(path.read_bytes())
    assert trace.exists(), "an open reader would have run it"


@pytest.mark.parametrize(
    "call",
    [_Call(eval, "1"), _Call(getattr, list, "append"), _Call(np.load, "x"), _Call(np.frombuffer, b"1234")],
    ids=["eval", "getattr", "numpy.load", "numpy.frombuffer"],
)
def test_other_functions_are_refused(tmp_path, call):
    with pytest.raises(InputError, match="not admitted"):
        unpickle(_write(tmp_path, call, 2), np.ndarray)


@pytest.mark.parametrize(
    "content",
    [np.array([None, "text"], object), np.array(["text"]), np.zeros(2, [("a", "f4")]), [1, 2], "text", 3],
    ids=["objects", "strings", "records", "a list", "a string", "a number"],
)
def test_what_is_no_array_of_numbers_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"is refused|must hold"):
        unpickle(_write(tmp_path, content, 2), np.ndarray)


@pytest.mark.parametrize(("indices", "indptr"), [([9], [0, 1]), ([-1], [0, 1]), ([0], [0, 5]), ([0], [1, 0])])
def test_a_matrix_that_points_outside_is_refused(tmp_path, indices, indptr):
    matrix = scipy.sparse.csr_matrix(np.ones((1, 3), np.float32))
    matrix.data, matrix.indices, matrix.indptr = np.ones(1), np.array(indices, np.int32), np.array(indptr, np.int32)
    with pytest.raises(InputError, match="is refused"):
        unpickle(_write(tmp_path, matrix, 2), scipy.sparse.csr_matrix)


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(np.arange(99))[:60]])
def test_a_broken_file_is_refused(tmp_path, content):
    path = tmp_path / "content"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is refused"):
        unpickle(path, dict)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*absent"):
        unpickle(tmp_path / "absent", dict)


def test_a_class_can_not_be_changed_from_the_file(tmp_path):
    """The opcode BUILD sets attributes of whatever stands before it, here of an admitted name."""
    stream = io.BytesIO()
    stream.write(b"\x80\x02cnumpy\ndtype\n" + b"N}X\x0b\x00\x00\x00__setstate_" + b"\x58\x01\x00\x00\x00as\x86b.")
    path = tmp_path / "content"
    path.write_bytes(stream.getvalue())
    with pytest.raises(InputError):
        unpickle(path, dict)
    np.testing.assert_array_equal(unpickle(_write(tmp_path, np.arange(3), 2), np.ndarray), np.arange(3))
