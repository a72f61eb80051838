"""Reads pickled arrays, sparse matrices and lists without trusting the file.

A pickle names what it wants called, and an open reader calls it. Here each of a few names stands for a record that
only keeps what it is given, and every other name is refused; the arrays are then built from the records' bytes.
"""

import io
import pickle
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import scipy.sparse

from grapevine.errors import InputError, check

_T = TypeVar("_T")


class _Record:
    """Stands for an object of the pickle and keeps its state."""

    def __init__(self, *arguments: Any):
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Dtype(_Record):
    """A number's kind: arguments (code, ...), state (version, byte order, ...)."""


class _Array(_Record):
    """An array: state (version, shape, dtype, is it in Fortran's order, bytes)."""


class _Csr(_Record):
    """A sparse matrix: state {data, indices, indptr, _shape}."""


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as Python 3 writes them for Python 2 to read."""
    check(encoding == "latin1", f"text in {encoding!r}, expected 'latin1'")
    return text.encode("latin1")


_ADMITTED = {
    ("numpy", "ndarray"): _Record,
    ("numpy", "dtype"): _Dtype,
    **dict.fromkeys([(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")], _Array),
    **dict.fromkeys([("scipy.sparse.csr", "csr_matrix"), ("scipy.sparse._csr", "csr_matrix")], _Csr),
    **dict.fromkeys([("__builtin__", "list"), ("builtins", "list")], list),
    ("collections", "defaultdict"): defaultdict,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> object:
        admitted = _ADMITTED.get((module_name, global_name))
        check(admitted is not None, f"it asks for {module_name}.{global_name}, which is not admitted")
        return admitted


def unpickle(path: Path, kind: type[_T]) -> _T:
    """The array, sparse matrix or dictionary, as `kind` says, in a pickle of Python 2 or 3.

    Args:
        kind: np.ndarray, scipy.sparse.csr_matrix or dict.

    Raises:
        InputError: if the file holds anything else, before anything of it runs.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "numbers")
    ...     _ = path.write_bytes(pickle.dumps(np.arange(3), protocol=2))
    ...     unpickle(path, np.ndarray)
    array([0, 1, 2])
    """
    try:
        record = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
        content = _csr(record) if isinstance(record, _Csr) else _array(record) if isinstance(record, _Array) else record
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except Exception as error:  # a broken or hostile pickle may raise anything
        raise InputError(f"{path} is refused, it is not a plain pickle of numbers: {error}") from error
    if not isinstance(content, kind):
        raise InputError(f"{path} must hold a {kind.__name__}, got {type(content).__name__}")
    return content


def _csr(record: _Csr) -> scipy.sparse.csr_matrix:
    state = record.state
    parts = tuple(_array(state[name]) for name in ("data", "indices", "indptr"))
    matrix = scipy.sparse.csr_matrix(parts, shape=state.get("_shape", state.get("shape")))
    matrix.check_format(full_check=True)  # the indices come from the file
    return matrix


def _array(record: _Array) -> np.ndarray:
    check(isinstance(record, _Array), f"expected an array, got {type(record).__name__}")
    _, shape, dtype, is_fortran, data = record.state
    data = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(data, _dtype(dtype)).reshape(shape, order="F" if is_fortran else "C")


def _dtype(record: _Dtype) -> np.dtype:
    code = record.arguments[0]
    check(re.fullmatch("[biuf][1248]", code) is not None, f"numbers of kind {code!r}, expected bool, int or float")
    return np.dtype(code).newbyteorder(record.state[1])
