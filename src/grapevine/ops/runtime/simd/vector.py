"""The type of a vector, how a word of the vocabulary is defined, and the LLVM behind both."""

from collections.abc import Callable
from typing import Any, Protocol

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, models, register_model

I1, I8, I16, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
ELEMENTS = {"f32": ir.FloatType(), "f64": ir.DoubleType(), "u32": I32, "mask": I1}
SUFFIX = {"f32": "f32", "f64": "f64"}
FLAGS = ("contract", "nsz")  # products may fuse with sums; NaN and infinity stay what they are


class Word(Protocol):
    """A function of the vocabulary as kernels call it: without the typing context its definition starts with."""

    def __call__(self, *arguments: Any) -> Any: ...


def word(define: Callable[..., Any]) -> Word:
    """Make a function (typing context, argument types) -> (signature, code generator) callable in kernels."""
    return intrinsic(prefer_literal=True)(define)


class Vector(types.Type):
    """The Numba type of a vector: its element ("f32", "f64", "u32" or "mask") and its number of lanes."""

    def __init__(self, element: str, lanes: int):
        self.element, self.lanes = element, lanes
        super().__init__(f"{element}x{lanes}")

    @property
    def llvm(self) -> ir.VectorType:
        return ir.VectorType(ELEMENTS[self.element], self.lanes)

    @property
    def is_float(self) -> bool:
        return self.element in SUFFIX


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, vector.llvm)


def of_array(array: types.Array, lanes: int) -> Vector:
    element = {types.float64: "f64", types.int32: "u32"}.get(array.dtype, "f32")
    return Vector(element, lanes)


def splat(builder, vector: Vector, scalar):
    undefined = ir.Constant(vector.llvm, ir.Undefined)
    first = builder.insert_element(undefined, scalar, I32(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(I32, vector.lanes), [0] * vector.lanes))


def constant(vector: Vector, value):
    return ir.Constant(vector.llvm, [value] * vector.lanes)


def call(builder, name, result, arguments):
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


def float_call(builder, name, vector: Vector, arguments):
    return call(builder, f"llvm.{name}.v{vector.lanes}{SUFFIX[vector.element]}", vector.llvm, arguments)


def address(context, builder, array_type, array, offset):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [offset])


def scalar_of(vector: Vector):
    return {"f32": types.float32, "f64": types.float64, "u32": types.uint32}[vector.element]
