"""A vocabulary of vectors for Numba kernels: values of 16 to 128 lanes that live in registers.

A vector is an LLVM vector, so its accumulators never touch memory, and LLVM splits it into whatever the
processor has (AVX-512, AVX2, NEON). The words:

    zeros, spread, load, store, load_part, store_part, prefetch, counter     between scalars, memory and registers
    + - * / & | ^ >>, < <= > >= ==, maximum, minimum, where, is_nan, sum_lanes     arithmetic, lane by lane
    exp, expm1, polynomial     functions
    heads_of, spread_heads, add_heads     a number for each head's share of the lanes

`load_part` and `store_part` touch only the first `count` lanes, so any width has a tail. Arrays are float32,
float64 or int32 (as unsigned lanes); bfloat16 comes as its bits in uint16 and float16 as its bits in int16, and both
turn into float32 on the way in and back on the way out. Offsets count elements from the start of the array.
"""

from grapevine.ops.runtime.simd.arithmetic import is_nan, maximum, minimum, sum_lanes, where
from grapevine.ops.runtime.simd.functions import exp, expm1, polynomial
from grapevine.ops.runtime.simd.heads import add_heads, heads_of, spread_heads
from grapevine.ops.runtime.simd.memory import (
    counter,
    load,
    load_part,
    prefetch,
    spread,
    store,
    store_part,
    zeros,
)
from grapevine.ops.runtime.simd.vector import Vector, word

__all__ = [
    "Vector",
    "add_heads",
    "counter",
    "exp",
    "expm1",
    "heads_of",
    "is_nan",
    "load",
    "load_part",
    "maximum",
    "minimum",
    "polynomial",
    "prefetch",
    "spread",
    "spread_heads",
    "store",
    "store_part",
    "sum_lanes",
    "where",
    "word",
    "zeros",
]
