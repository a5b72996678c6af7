"""The machine instructions that Python has no word for, as Numba intrinsics.

Each becomes one instruction or a few, has no branch, and vectorises. Arguments of other
numeric types are converted to float64 first. They exist inside kernels only.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = [
    "bit_length",
    "bits_float",
    "float_bits",
    "fma",
    "inline",
    "kernel",
    "polynomial",
    "select",
    "two_product",
]

Function = TypeVar("Function", bound=Callable[..., Any])


def inline(function: Function) -> Function:
    """Compile `function` into every kernel that calls it: a call would stop a loop's vectors."""
    # NumPy's error model: x / 0 is inf, where Python's would add a branch that raises.
    return cast(Function, njit(forceinline=True, error_model="numpy")(function))


def kernel(function: Function) -> Function:
    """Compile `function` to run without the interpreter's lock and without counting references.

    Counting them is an atomic instruction for every array handed on, which costs more than a tile.
    """
    return cast(Function, njit(nogil=True, error_model="numpy", _nrt=False)(function))  # type: ignore[call-overload]


def _instruction(typing: Callable[..., Any]) -> Callable[..., float]:
    return cast(Callable[..., float], intrinsic(typing))


def _emit(build: Callable[..., Any]) -> Callable[..., Any]:
    return lambda context, builder, signature, arguments: build(builder, *arguments)


def _float_bits(typing_context: Any, x: Any) -> Any:
    """The 64 bits of a float, as an int64: nothing is converted."""
    return types.int64(types.float64), _emit(lambda b, x: b.bitcast(x, ir.IntType(64)))


float_bits = cast(Callable[[float], int], intrinsic(_float_bits))


def _bit_length(typing_context: Any, x: Any) -> Any:
    """How many bits an int64 has, taken as unsigned: 0 for 0, 64 for negative ones."""

    def length(builder: Any, x: Any) -> Any:
        none = ir.Constant(ir.IntType(64), 64)
        return builder.sub(none, builder.ctlz(x, ir.Constant(ir.IntType(1), 0)))

    return types.int64(types.int64), _emit(length)


bit_length = cast(Callable[[int], int], intrinsic(_bit_length))


@_instruction
def bits_float(typing_context: Any, bits: Any) -> Any:
    """The float that 64 bits spell: the inverse of `float_bits`."""
    return types.float64(types.int64), _emit(lambda b, bits: b.bitcast(bits, ir.DoubleType()))


@_instruction
def fma(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """a·b + c rounded once: `llvm.fma`, the same bits on every machine."""
    return types.float64(types.float64, types.float64, types.float64), _emit(ir.IRBuilder.fma)


@_instruction
def select(typing_context: Any, condition: Any, yes: Any, no: Any) -> Any:
    """`yes if condition else no`, with both computed and no branch."""
    return types.float64(types.boolean, types.float64, types.float64), _emit(ir.IRBuilder.select)


@_instruction
def widest_vectors(typing_context: Any) -> Any:
    """In the function that calls this, use the widest vectors the processor has.

    LLVM takes half of AVX-512 by default, for code that is only now and then vector code.
    """

    def mark(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        attributes = builder.function.attributes
        set.add(attributes, '"prefer-vector-width"="512"')  # llvmlite knows LLVM's own words only
        attributes.add("noinline")  # the caller's width would hold otherwise
        return context.get_dummy_value()

    return types.void(), mark


def polynomial(*coefficients: float) -> Callable[[float], float]:
    """A function c₀ + c₁x + c₂x² + …, by Horner's rule with one `fma` per step."""

    def horner(builder: Any, x: Any) -> Any:
        *rest, total = (ir.Constant(ir.DoubleType(), c) for c in coefficients)
        for coefficient in reversed(rest):
            total = builder.fma(total, x, coefficient)
        return total

    @_instruction
    def evaluate(typing_context: Any, x: Any) -> Any:
        return types.float64(types.float64), _emit(horner)

    return evaluate


@inline
def two_product(a: float, b: float) -> tuple[float, float]:
    """(hi, lo) with hi = a·b rounded and hi + lo = a·b exactly, unless a·b over- or underflows."""
    high = a * b
    return high, fma(a, b, -high)
