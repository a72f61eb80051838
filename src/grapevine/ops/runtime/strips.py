"""Strips: as many columns of a row as a vector has lanes, or fewer at the row's end.

A kernel over rows of any width does a strip at a time: whole ones of WIDE lanes with `count` None, then a last one
of 16, 32, 64 or 128 lanes with the number of columns that are left. Numba drops the branch that is not taken.
"""

from grapevine.ops.runtime.kernel import lean
from grapevine.ops.runtime.simd import load, load_part, store, store_part


@lean
def take(x, offset, count, like):
    """The strip of x at `offset`, as wide as `like`, zeros behind its count."""
    if count is None:
        return load(x, offset, like)
    return load_part(x, offset, count, like)


@lean
def put(x, offset, count, value):
    """The strip back to x."""
    if count is None:
        store(x, offset, value)
    else:
        store_part(x, offset, count, value)
