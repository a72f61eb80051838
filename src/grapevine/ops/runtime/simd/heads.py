"""The words for heads: one number for each head's share of the lanes, and back.

A row of columns is shared out among heads, `per_head` columns each, and every head has a number of its own.
Blocks of 16 lanes carry the number of their head, so per_head is a multiple of 16, or all columns are of one head.
"""

from llvmlite import ir
from numba.core import cgutils, types

from grapevine.ops.runtime.simd.vector import FLAGS, I1, I32, I64, Vector, address, of_array, splat, word

_BLOCK = 16
_F32 = ir.FloatType()


@word
def heads_of(typing, column, per_head, num_heads, like):
    """The head of each block of lanes that starts at `column`; made once, before the loop over the entries.

    Lanes behind the last column count to the last head: they must be zero, or never stored.
    """
    heads = types.UniTuple(types.int64, like.lanes // _BLOCK)

    def codegen(context, builder, sig, args):
        column, per_head, num_heads = (builder.trunc(number, I32) for number in args[:3])
        numbers, floats = Vector("u32", heads.count), Vector("f32", heads.count)
        # one division for all blocks; half a column more and the rounding can not reach the next head
        middle = ir.Constant(floats.llvm, [_BLOCK * block + 0.5 for block in range(heads.count)])
        column, per_head = (splat(builder, floats, builder.uitofp(number, _F32)) for number in (column, per_head))
        found = builder.fptoui(builder.fdiv(builder.fadd(column, middle), per_head), numbers.llvm)
        last = splat(builder, numbers, builder.sub(num_heads, I32(1)))
        found = builder.select(builder.icmp_unsigned("<", found, last), found, last)
        found = [builder.zext(builder.extract_element(found, I32(block)), I64) for block in range(heads.count)]
        return context.make_tuple(builder, heads, found)

    return heads(types.int64, types.int64, types.int64, like), codegen


@word
def spread_heads(typing, array, offset, heads, like):
    """In each block of lanes the number of its head: lane l gets array[offset + heads[l // 16]]."""
    vector = of_array(array, like.lanes)

    def codegen(context, builder, sig, args):
        block = Vector(vector.element, _BLOCK)
        parts = []
        for head in cgutils.unpack_tuple(builder, args[2], heads.count):
            number = builder.load(address(context, builder, array, args[0], builder.add(args[1], head)))
            parts.append(splat(builder, block, number))
        while len(parts) > 1:
            parts = [_joined(builder, *pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    return vector(array, types.int64, heads, like), codegen


@word
def add_heads(typing, array, offset, heads, value):
    """The transpose of `spread_heads`: array[offset + heads[l // 16]] += lane l, the lanes of a block as a tree."""

    def codegen(context, builder, sig, args):
        blocks = cgutils.unpack_tuple(builder, args[2], heads.count)
        start = address(context, builder, array, args[0], builder.add(args[1], blocks[0]))
        sums, done = _block_sums(builder, args[3], value.lanes), builder.append_basic_block("done")
        parts, blocks_per_head = sums, 1
        while True:  # 1, 2, 4, ... blocks a head throughout: the heads' sums lie side by side, as in the array
            with builder.if_then(_is_regular(builder, blocks, blocks_per_head)):
                _add_at(builder, start, parts)
                builder.branch(done)
            if parts.type.count == 1:
                break
            parts, blocks_per_head = _folded(builder, parts, 1), 2 * blocks_per_head
        for block, head in enumerate(blocks):
            place = address(context, builder, array, args[0], builder.add(args[1], head))
            _add_at(builder, place, builder.shuffle_vector(sums, sums, _picks([block])))
        builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(array, types.int64, heads, value), codegen


def _joined(builder, low, high):
    """The lanes of two vectors, one behind the other."""
    return builder.shuffle_vector(low, high, _picks(list(range(2 * low.type.count))))


def _is_regular(builder, blocks, blocks_per_head: int):
    """Whether the heads are one after the other, with that many blocks each."""
    same = I1(1)
    for block, head in enumerate(blocks):
        expected = builder.add(blocks[0], I64(block // blocks_per_head))
        same = builder.and_(same, builder.icmp_unsigned("==", head, expected))
    return same


def _add_at(builder, pointer, numbers):
    """Add a vector to the numbers that lie at the pointer."""
    pointer = builder.bitcast(pointer, numbers.type.as_pointer())
    alignment = 8 if numbers.type.element == ir.DoubleType() else 4
    total = builder.fadd(builder.load(pointer, align=alignment), numbers, flags=FLAGS)
    builder.store(total, pointer, align=alignment)


def _block_sums(builder, value, lanes: int):
    """[lanes / 16] the sum of each block."""
    width = _BLOCK
    while width > 1:
        width //= 2
        value = _folded(builder, value, width)
    return value


def _folded(builder, value, width: int):
    """Each run of 2 `width` lanes folded in half: the first `width` of them plus the others."""
    starts = range(0, value.type.count, 2 * width)
    low, high = (
        builder.shuffle_vector(value, value, _picks([start + half + k for start in starts for k in range(width)]))
        for half in (0, width)
    )
    return builder.fadd(low, high, flags=FLAGS)


def _picks(order: list[int]):
    return ir.Constant(ir.VectorType(I32, len(order)), order)
