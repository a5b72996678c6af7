"""Loads, stores and sums as the loop needs them, where Numba has no word for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from offby.formula.bits import fma, kernel, widest_vectors

# A plain float sum may be taken in any order here: these feed standard errors, which stand outside
# the promise on digits. The flags sit on single additions, so nothing else is reordered.
_ANY_ORDER = ("reassoc", "nsz", "contract")
_DOUBLE, _SINGLE = ir.DoubleType(), ir.FloatType()


def _element(builder: Any, place: Sequence[Any], kind: Any = _DOUBLE) -> Any:
    address, index = place
    pointer = builder.inttoptr(address, kind.as_pointer())
    return builder.gep(pointer, [index], source_etype=kind)


def _loading(kind: Any) -> Any:
    def load(typing_context: Any, address: Any, index: Any) -> Any:
        """The number at a place in memory, counted in numbers from `address`, as a float64."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            found = builder.load(_element(builder, arguments, kind), typ=kind)
            return found if kind is _DOUBLE else builder.fpext(found, _DOUBLE)

        return types.float64(types.int64, types.int64), generate

    return intrinsic(load)


def _storing(kind: Any) -> Any:
    def store(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
        """Write a float64 to a place in memory, rounded to the kind of number there."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            value = arguments[2]
            rounded = value if kind is _DOUBLE else builder.fptrunc(value, kind)
            builder.store(rounded, _element(builder, arguments[:2], kind))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.float64), generate

    return intrinsic(store)


def _add(typing_context: Any, total: Any, a: Any, b: Any) -> Any:
    """total + a*b, in whatever order vectorises."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        product = builder.fmul(arguments[1], arguments[2], flags=_ANY_ORDER)
        return builder.fadd(arguments[0], product, flags=_ANY_ORDER)

    return types.float64(types.float64, types.float64, types.float64), generate


def _prefetch(typing_context: Any, address: Any, index: Any) -> Any:
    """Ask for the cache line at a place that will be loaded soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        place = builder.bitcast(_element(builder, arguments), byte)
        builder.call(function, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


prefetch = cast(Callable[[int, int], None], intrinsic(_prefetch))
load_float = cast(Callable[[int, int], float], _loading(_DOUBLE))
load_single = cast(Callable[[int, int], float], _loading(_SINGLE))
store_float = cast(Callable[[int, int, float], None], _storing(_DOUBLE))
store_single = cast(Callable[[int, int, float], None], _storing(_SINGLE))
add_product = cast(Callable[[float, float, float], float], intrinsic(_add))


def _reading(load: Callable[[int, int], float]) -> Callable[[int, int, int, int, int], bool]:
    @kernel
    def read(source: int, stride: int, n: int, size: int, to: int) -> bool:
        """Copy n numbers and repeat the last up to `size`; whether one is not finite."""
        widest_vectors()
        unfit = False
        if stride == 1:
            for i in range(n):
                value = load(source, i)
                unfit |= not (abs(value) < math.inf)
                store_float(to, i, value)
        elif stride:
            for i in range(n):
                value = load(source, i * stride)
                unfit |= not (abs(value) < math.inf)
                store_float(to, i, value)
        else:
            n = 1
            value = load(source, 0)
            unfit = not (abs(value) < math.inf)
            store_float(to, 0, value)
        last = load_float(to, n - 1)
        for i in range(n, size):
            store_float(to, i, last)
        return unfit

    return read


copy = _reading(load_float)
read_singles = _reading(load_single)


@kernel
def write_singles(source: int, n: int, to: int) -> None:
    """Round n float64s to float32s."""
    widest_vectors()
    for i in range(n):
        store_single(to, i, load_float(source, i))


@kernel
def any_unfit(a: int, n: int) -> bool:
    """Whether one of n float64s is not finite."""
    widest_vectors()
    unfit = False
    for i in range(n):
        unfit |= not (abs(load_float(a, i)) < math.inf)
    return unfit


@kernel
def any_above(a: int, n: int, threshold: float) -> bool:
    """Whether one of n float64s lies above the threshold."""
    widest_vectors()
    above = False
    for i in range(n):
        above |= load_float(a, i) > threshold
    return above


@kernel
def dot_of(a: int, b: int, n: int) -> float:
    """The sum of the products of n float64s at two places."""
    widest_vectors()
    total = 0.0
    for i in range(n):
        total = add_product(total, load_float(a, i), load_float(b, i))
    return total


@kernel
def powers_of(a: int, scale: float, shift: float, n: int) -> tuple[float, float, float]:
    """The sums of (x * scale + shift) to the second, third and fourth over n float64s."""
    widest_vectors()
    second = third = fourth = 0.0
    for i in range(n):
        moved = fma(load_float(a, i), scale, shift)
        square = moved * moved
        second = add_product(second, moved, moved)
        third = add_product(third, square, moved)
        fourth = add_product(fourth, square, square)
    return second, third, fourth
