"""The words for arithmetic, lane by lane: operators, comparisons, choices, the sum of all lanes."""

import operator

from llvmlite import ir
from numba.core import types
from numba.extending import overload

from grapevine.ops.runtime.simd.memory import spread
from grapevine.ops.runtime.simd.vector import FLAGS, I32, Vector, float_call, scalar_of, splat, word


def _binary(name: str):
    """The intrinsic of one arithmetic operator on two vectors of one type."""

    @word
    def apply(typing, left, right):
        def codegen(context, builder, sig, args):
            if left.is_float:
                return getattr(builder, f"f{name}")(*args, flags=FLAGS)
            return getattr(builder, name)(*args)

        return left(left, right), codegen

    return apply


def _compare(symbol: str):
    """The intrinsic of one ordered comparison: false where a lane is NaN."""

    @word
    def apply(typing, left, right):
        def codegen(context, builder, sig, args):
            if left.is_float:
                return builder.fcmp_ordered(symbol, *args)
            return builder.icmp_unsigned(symbol, *args)

        return Vector("mask", left.lanes)(left, right), codegen

    return apply


def _logic(name: str):
    @word
    def apply(typing, left, right):
        return left(left, right), lambda context, builder, sig, args: getattr(builder, name)(*args)

    return apply


def _shift(name: str):
    @word
    def apply(typing, value, places):
        def codegen(context, builder, sig, args):
            amount = builder.trunc(args[1], I32)
            return getattr(builder, name)(args[0], splat(builder, value, amount))

        return value(value, types.int64), codegen

    return apply


def _define(symbol, apply, is_scalar_allowed=True):
    """Make `symbol` mean `apply` on two vectors, or on a vector and a scalar, which is spread."""

    @overload(symbol)
    def _(left, right):
        vectors = isinstance(left, Vector), isinstance(right, Vector)
        if vectors == (True, True) and left == right:
            return lambda left, right: apply(left, right)
        if not is_scalar_allowed:
            return None
        if vectors == (True, False) and isinstance(right, types.Number):
            return lambda left, right: apply(left, spread(right, left))
        if vectors == (False, True) and isinstance(left, types.Number):
            return lambda left, right: apply(spread(left, right), right)
        return None


for _symbol, _name in ((operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul")):
    _define(_symbol, _binary(_name))
for _symbol, _sign in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
    (operator.eq, "=="),
):
    _define(_symbol, _compare(_sign))
for _symbol, _name in ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor")):
    _define(_symbol, _logic(_name), is_scalar_allowed=False)


@overload(operator.truediv)
def _divide(left, right):
    if isinstance(left, Vector) and isinstance(right, Vector) and left == right:
        return lambda left, right: _quotient(left, right)
    if isinstance(left, Vector) and isinstance(right, types.Number):
        return lambda left, right: _quotient(left, spread(right, left))
    return None


@word
def _quotient(typing, left, right):
    return left(left, right), lambda context, builder, sig, args: builder.fdiv(*args)


_shift_right = _shift("lshr")


@overload(operator.rshift)
def _(value, places):
    if isinstance(value, Vector) and value.element == "u32":
        return lambda value, places: _shift_right(value, places)
    return None


@word
def where(typing, mask, chosen, other):
    """chosen where the mask holds, other elsewhere."""
    return chosen(mask, chosen, other), lambda context, builder, sig, args: builder.select(*args)


@word
def is_nan(typing, value):
    """The mask of the lanes that are NaN."""

    def codegen(context, builder, sig, args):
        return builder.fcmp_unordered("uno", args[0], args[0])

    return Vector("mask", value.lanes)(value), codegen


@word
def maximum(typing, left, right):
    """The larger lane; NaN where either is."""

    def codegen(context, builder, sig, args):
        return float_call(builder, "maximum", left, args)

    return left(left, right), codegen


@word
def minimum(typing, left, right):
    """The smaller lane; NaN where either is."""

    def codegen(context, builder, sig, args):
        return float_call(builder, "minimum", left, args)

    return left(left, right), codegen


@word
def sum_lanes(typing, value):
    """The sum of all lanes, added as a tree."""

    def codegen(context, builder, sig, args):
        result, width = args[0], value.lanes
        while width > 1:  # halves, so that the order is ours and not the processor's
            width //= 2
            undefined = ir.Constant(result.type, ir.Undefined)
            picks = [ir.Constant(ir.VectorType(I32, width), list(range(start, start + width))) for start in (0, width)]
            low, high = (builder.shuffle_vector(result, undefined, pick) for pick in picks)
            result = builder.fadd(low, high, flags=FLAGS)
        return builder.extract_element(result, I32(0))

    return scalar_of(value)(value), codegen
