"""The exponential and its relatives, made of the other words: 2^k times a polynomial in what is left."""

import math

import numba
import numpy as np
from llvmlite import ir
from numba.core import types

from grapevine.ops.runtime.simd.arithmetic import is_nan, where
from grapevine.ops.runtime.simd.memory import spread
from grapevine.ops.runtime.simd.vector import FLAGS, I32, I64, constant, float_call, scalar_of, word


def polynomial(*, single: tuple[float, ...], double: tuple[float, ...]):
    """The word for a polynomial, its constant first: `single` in float32, `double` in float64."""

    @word
    def apply(typing, value):
        coefficients = single if value.element == "f32" else double

        def codegen(context, builder, sig, args):
            result = constant(value, coefficients[-1])
            for coefficient in reversed(coefficients[:-1]):
                product = builder.fmul(result, args[0], flags=FLAGS)
                result = builder.fadd(product, constant(value, coefficient), flags=FLAGS)
            return result

        return value(value), codegen

    return apply


def _taylor(count: int) -> tuple[float, ...]:
    """The Taylor coefficients of exp: enough of them on [-ln 2 / 2, ln 2 / 2] for the digits of the type."""
    return tuple(1 / math.factorial(power) for power in range(count))


_exp_series = polynomial(single=_taylor(8), double=_taylor(14))
_expm1_series = polynomial(single=(0.0, *_taylor(8)[1:]), double=(0.0, *_taylor(14)[1:]))


@numba.njit
def exp(value):
    """e to each lane, to the last two bits; subnormal results are zero, NaN and infinity as usual."""
    log2_e, ln2_high, ln2_low, lowest, highest = _exp_constants(value)
    zero, infinite = spread(0.0, value), spread(np.inf, value)
    clamped = where(value < lowest, spread(lowest, value), value)
    clamped = where(clamped > highest, spread(highest, value), clamped)
    k = _round(clamped * log2_e)
    r = clamped - k * ln2_high - k * ln2_low
    series = _exp_series(r)
    half = _round(k * 0.5)  # in two steps: 2^128 has no float of its own
    result = series * _power_of_two(half) * _power_of_two(k - half)
    result = where(value < lowest, zero, result)
    result = where(value > highest, infinite, result)
    return where(is_nan(value), value, result)


@numba.njit
def expm1(value):
    """e to each lane, minus one: as exact near zero as far from it."""
    log2_e, ln2_high, ln2_low, lowest, highest = _exp_constants(value)
    clamped = where(value < lowest, spread(lowest, value), value)
    clamped = where(clamped > highest, spread(highest, value), clamped)
    k = _round(clamped * log2_e)
    r = clamped - k * ln2_high - k * ln2_low
    half = _round(k * 0.5)
    low, high = _power_of_two(half), _power_of_two(k - half)
    result = (low * _expm1_series(r) + (low - _power_of_two(half - k))) * high
    result = where(value > highest, spread(np.inf, value), result)
    return where(is_nan(value), value, result)


@word
def _round(typing, value):
    def codegen(context, builder, sig, args):
        return float_call(builder, "rint", value, args)

    return value(value), codegen


@word
def _power_of_two(typing, value):
    """2 to the whole number in each lane, by writing the exponent's bits."""

    def codegen(context, builder, sig, args):
        integer, bias, mantissa = (I32, 127, 23) if value.element == "f32" else (I64, 1023, 52)
        whole = ir.VectorType(integer, value.lanes)
        exponent = builder.add(builder.fptosi(args[0], whole), ir.Constant(whole, [bias] * value.lanes))
        return builder.bitcast(builder.shl(exponent, ir.Constant(whole, [mantissa] * value.lanes)), value.llvm)

    return value(value), codegen


@word
def _exp_constants(typing, value):
    """log2(e), ln 2 in two parts, and the arguments between which exp neither overflows nor vanishes."""
    single = (1.44269504088896341, 0.693359375, -2.12194440e-4, -87.3, 88.72283)
    double = (1.44269504088896341, 6.93145751953125e-1, 1.42860682030941723212e-6, -708.3, 709.78)
    numbers = single if value.element == "f32" else double
    scalar = scalar_of(value)
    result = types.UniTuple(scalar, 5)

    def codegen(context, builder, sig, args):
        return context.make_tuple(builder, result, [context.get_constant(scalar, number) for number in numbers])

    return result(value), codegen
