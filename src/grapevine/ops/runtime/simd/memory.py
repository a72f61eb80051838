"""The words between scalars, memory and registers, and what memory holds in place of 16-bit floats."""

from llvmlite import ir
from numba.core import types

from grapevine.ops.runtime.simd.vector import I8, I16, I32, I64, Vector, address, call, of_array, scalar_of, splat, word

_CACHE_LINE = 64


@word
def zeros(typing, array, lanes):
    """`lanes` zeros of the type in which `array` accumulates; lanes is a literal."""
    vector = of_array(array, lanes.literal_value)
    return vector(array, lanes), lambda context, builder, sig, args: ir.Constant(vector.llvm, None)


@word
def spread(typing, scalar, like):
    """A scalar in every lane of a vector like the one given."""

    def codegen(context, builder, sig, args):
        return splat(builder, like, args[0])

    return like(scalar_of(like), like), codegen


def _first_lanes(builder, lanes: int, count):
    """The mask of the lanes below count."""
    order = ir.Constant(ir.VectorType(I32, lanes), list(range(lanes)))
    bound = splat(builder, Vector("u32", lanes), builder.trunc(count, I32))
    return builder.icmp_signed("<", order, bound)


def _stored_type(array: types.Array, lanes: int) -> ir.VectorType:
    stored = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.int32: I32}.get(array.dtype, I16)
    return ir.VectorType(stored, lanes)


def _widen(builder, array: types.Array, value, lanes: int):
    """What memory holds, as lanes to compute with."""
    if array.dtype == types.uint16:
        bits = builder.shl(
            builder.zext(value, ir.VectorType(I32, lanes)), ir.Constant(ir.VectorType(I32, lanes), [16] * lanes)
        )
        return builder.bitcast(bits, ir.VectorType(ir.FloatType(), lanes))
    if array.dtype == types.int16:
        half = builder.bitcast(value, ir.VectorType(ir.HalfType(), lanes))
        return builder.fpext(half, ir.VectorType(ir.FloatType(), lanes))
    return value


def _narrow(builder, array: types.Array, value, lanes: int):
    """The lanes as memory holds them, rounded to nearest even."""
    if array.dtype == types.uint16:
        whole = ir.VectorType(I32, lanes)

        def constant(number):
            return ir.Constant(whole, [number] * lanes)

        bits = builder.bitcast(value, whole)
        odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
        rounded = builder.lshr(builder.add(bits, builder.add(odd, constant(0x7FFF))), constant(16))
        is_nan = builder.fcmp_unordered("uno", value, value)
        return builder.trunc(builder.select(is_nan, constant(0x7FC0), rounded), ir.VectorType(I16, lanes))
    if array.dtype == types.int16:
        half = builder.fptrunc(value, ir.VectorType(ir.HalfType(), lanes))
        return builder.bitcast(half, ir.VectorType(I16, lanes))
    return value


def _pointer(context, builder, array_type, array, offset, lanes):
    stored = _stored_type(array_type, lanes)
    return builder.bitcast(address(context, builder, array_type, array, offset), stored.as_pointer()), stored


def _alignment(array_type) -> int:
    return array_type.dtype.bitwidth // 8


@word
def load(typing, array, offset, lanes):
    """array[offset : offset + lanes]; lanes is a literal, or a vector of as many lanes."""
    width = lanes.lanes if isinstance(lanes, Vector) else lanes.literal_value
    vector = of_array(array, width)

    def codegen(context, builder, sig, args):
        pointer, _ = _pointer(context, builder, sig.args[0], args[0], args[1], width)
        return _widen(builder, array, builder.load(pointer, align=_alignment(array)), width)

    return vector(array, types.int64, lanes), codegen


@word
def load_part(typing, array, offset, count, lanes):
    """The first `count` of array[offset : offset + lanes], zeros behind them."""
    width = lanes.lanes if isinstance(lanes, Vector) else lanes.literal_value
    vector = of_array(array, width)

    def codegen(context, builder, sig, args):
        pointer, stored = _pointer(context, builder, sig.args[0], args[0], args[1], width)
        mask = _first_lanes(builder, width, args[2])
        arguments = [pointer, I32(_alignment(array)), mask, ir.Constant(stored, None)]
        name = f"llvm.masked.load.v{width}{_memory_suffix(stored)}.p0"
        return _widen(builder, array, call(builder, name, stored, arguments), width)

    return vector(array, types.int64, types.int64, lanes), codegen


def _memory_suffix(stored: ir.VectorType) -> str:
    return {"half": "f16", "float": "f32", "double": "f64"}.get(str(stored.element), str(stored.element))


@word
def store(typing, array, offset, value):
    """array[offset : offset + lanes] = value."""

    def codegen(context, builder, sig, args):
        pointer, _ = _pointer(context, builder, sig.args[0], args[0], args[1], value.lanes)
        builder.store(_narrow(builder, array, args[2], value.lanes), pointer, align=_alignment(array))
        return context.get_dummy_value()

    return types.void(array, types.int64, value), codegen


@word
def store_part(typing, array, offset, count, value):
    """array[offset : offset + count] = the first `count` lanes of value."""

    def codegen(context, builder, sig, args):
        pointer, stored = _pointer(context, builder, sig.args[0], args[0], args[1], value.lanes)
        mask = _first_lanes(builder, value.lanes, args[2])
        arguments = [_narrow(builder, array, args[3], value.lanes), pointer, I32(_alignment(array)), mask]
        name = f"llvm.masked.store.v{value.lanes}{_memory_suffix(stored)}.p0"
        call(builder, name, ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, value), codegen


@word
def prefetch(typing, array, offset, lanes):
    """Ask for the cache lines of array[offset : offset + lanes]; never faults."""
    width = lanes.lanes if isinstance(lanes, Vector) else lanes.literal_value

    def codegen(context, builder, sig, args):
        step = _CACHE_LINE // _alignment(array)
        for first in range(0, width, step):
            offset = builder.add(args[1], I64(first))
            pointer = address(context, builder, sig.args[0], args[0], offset)
            arguments = [builder.bitcast(pointer, I8.as_pointer()), I32(0), I32(3), I32(1)]
            call(builder, "llvm.prefetch.p0", ir.VoidType(), arguments)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), codegen


@word
def counter(typing, start, like):
    """start, start + 1, ... as unsigned 32-bit integers, as many as `like` has lanes."""
    vector = Vector("u32", like.lanes)

    def codegen(context, builder, sig, args):
        order = ir.Constant(vector.llvm, list(range(like.lanes)))
        return builder.add(splat(builder, vector, builder.trunc(args[0], I32)), order)

    return vector(types.int64, like), codegen
