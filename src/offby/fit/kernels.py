"""The compiled part of a pass over rows: scores of a block, then its slope and its Gram matrix.

A matrix product of BLAS would do, but its threads and ours wait for each other (seconds where this
takes milliseconds), and half of a symmetric matrix is enough. Rows are packed first: centred, with
a 1 for the intercept, and with zeros up to a whole number of vectors. The Gram matrix is then made
of blocks whose sums stay in registers over all rows of a tile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from offby.engine.memory import dot_of, load_float
from offby.formula.bits import kernel, widest_vectors
from offby.formula.kept import kept_bare

LANES = 8
"""Packed rows are whole numbers of vectors of this many numbers."""
_HEIGHT = 8 if llvm.get_host_cpu_features().get("avx512f") else 4  # what registers hold
TILE = 64
"""Rows of a packed block that the first-level cache holds."""


def _block_product(typing_context: Any, p: Any, q: Any, width: Any, rows: Any, out: Any) -> Any:
    """out[i, j] += the sum over rows of p[row, i] q[row, j], for a block held in registers."""
    return types.void(*[types.int64] * 5), _emit_block_product


def _emit_block_product(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    p, q, width, rows, out = arguments
    vector, step = ir.VectorType(ir.DoubleType(), LANES), builder.mul(width, _int(8))
    before, loop, after = builder.block, *(builder.append_basic_block() for _ in range(2))
    builder.branch(loop)
    builder.position_at_end(loop)
    row, p_row, q_row = (builder.phi(ir.IntType(64)) for _ in range(3))
    sums = [builder.phi(vector) for _ in range(_HEIGHT)]
    right = builder.load(_pointer(builder, q_row, vector), typ=vector, align=8)
    added = [
        _multiply_add(builder, _spread(builder, p_row, i, vector), right, total)
        for i, total in enumerate(sums)
    ]
    following = [builder.add(row, _int(1)), builder.add(p_row, step), builder.add(q_row, step)]
    zero = ir.Constant(vector, [0.0] * LANES)
    starts = [_int(0), p, q, *[zero] * _HEIGHT]
    for phi, first, later in zip(
        [row, p_row, q_row, *sums], starts, [*following, *added], strict=True
    ):
        phi.add_incoming(first, before)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", following[0], rows), loop, after)
    builder.position_at_end(after)
    for i, total in enumerate(added):
        place = _pointer(builder, builder.add(out, builder.mul(step, _int(i))), vector)
        old = builder.load(place, typ=vector, align=8)
        builder.store(builder.fadd(old, total), place, align=8)
    return context.get_dummy_value()


def _multiply_add(builder: Any, a: Any, b: Any, total: Any) -> Any:
    """a b + total, which processors that can do in one instruction."""
    product = builder.fmul(a, b, flags=["contract"])
    return builder.fadd(total, product, flags=["contract"])


def _int(value: int) -> Any:
    return ir.Constant(ir.IntType(64), value)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _spread(builder: Any, row: Any, place: int, vector: Any) -> Any:
    """One number of a row in all lanes."""
    pointer = _pointer(builder, builder.add(row, _int(8 * place)), ir.DoubleType())
    number = builder.load(pointer, typ=ir.DoubleType())
    lane = builder.insert_element(ir.Constant(vector, ir.Undefined), number, _int(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), zeros)


block_product = cast(Callable[[int, int, int, int, int], None], intrinsic(_block_product))


@kernel
def _pack_rows(source: int, row_step: int, centre: Any, packed: Any) -> None:
    widest_vectors()
    for i in range(packed.shape[0]):
        for j in range(centre.size):
            packed[i, j] = load_float(source, i * row_step + j) - centre[j]


@kernel
def _pack_columns(source: int, row_step: int, column_step: int, centre: Any, packed: Any) -> None:
    for j in range(centre.size):
        for i in range(packed.shape[0]):
            packed[i, j] = load_float(source, i * row_step + j * column_step) - centre[j]


@kept_bare
def pack(
    source: int, row_step: int, column_step: int, centre: Any, ones: bool, packed: Any
) -> None:
    """Copy rows of float64s into `packed`, centred, with the 1 of the intercept if `ones`.

    Steps count float64s. Places beyond the features are 0.
    """
    rows, width = packed.shape
    columns = centre.size
    for base in range(0, rows, TILE):
        last = min(base + TILE, rows)
        from_here = source + 8 * base * row_step
        if column_step == 1:
            _pack_rows(from_here, row_step, centre, packed[base:last])
        else:
            _pack_columns(from_here, row_step, column_step, centre, packed[base:last])
        for i in range(base, last):
            for j in range(columns, width):
                packed[i, j] = 0.0
            if ones:
                packed[i, columns] = 1.0


@kept_bare
def score(packed: Any, at: Any, found: Any) -> None:
    """found[row] = packed[row] · at."""
    rows, width = packed.shape
    for i in range(rows):
        found[i] = dot_of(packed.ctypes.data + 8 * width * i, at.ctypes.data, width)


@kept_bare
def times(packed: Any, values: Any, found: Any) -> None:
    """found += the sum over rows of packed[row] values[row]."""
    widest_vectors()
    rows, width = packed.shape
    for i in range(rows):
        value = values[i]
        for j in range(width):
            found[j] += value * packed[i, j]


@kept_bare
def squares(packed: Any, values: Any, found: Any) -> None:
    """found += the sum over rows of packed[row]² values[row], place by place."""
    widest_vectors()
    rows, width = packed.shape
    for i in range(rows):
        value = values[i]
        for j in range(width):
            found[j] += value * packed[i, j] * packed[i, j]


@kept_bare
def gram(packed: Any, values: Any, scaled: Any, found: Any) -> None:
    """found += the sum over rows of z z' values[row] for packed rows z, not above the diagonal.

    `scaled` is room for a tile of rows.
    """
    widest_vectors()
    rows, width = packed.shape
    for base in range(0, rows, TILE):
        n = min(TILE, rows - base)
        for i in range(n):
            for j in range(width):
                scaled[i, j] = packed[base + i, j] * values[base + i]
        left = packed.ctypes.data + 8 * width * base
        for i in range(0, width, _HEIGHT):
            for j in range(0, i + 1, LANES):
                to = found.ctypes.data + 8 * (i * width + j)
                block_product(left + 8 * i, scaled.ctypes.data + 8 * j, width, n, to)


@kept_bare
def jumps(slope: Any, dual: Any, bend: Any, here: Any, found: Any) -> None:
    """found[row] = how far from a score, at which the slope is known, it may lie beyond the dual.

    `bend` and `here` are two guesses at how fast it grows on the way.
    """
    for i in range(found.size):
        distance = dual[i] - slope[i]
        steepest = max(bend[i], here[i])
        known = bend[i] == bend[i] and here[i] == here[i]
        if distance == 0.0:
            found[i] = 0.0
        else:
            found[i] = 2.0 * distance / steepest if known else math.nan


@kept_bare
def excesses(
    value: Any, slope: Any, dual: Any, jump: Any, beyond: Any, excess: Any, share: Any
) -> None:
    """The bound of each row's excess, and the share of its dual that the slope reaches.

    `beyond` is the slope after the jump, `value` and `slope` are those before it.
    """
    for i in range(value.size):
        excess[i], share[i] = value[i], 0.0
        if not math.isfinite(jump[i]):
            continue
        distance, over, ratio = dual[i] - slope[i], beyond[i] - dual[i], beyond[i] / dual[i]
        if distance == 0.0 or (over >= 0.0 if distance > 0.0 else over <= 0.0):
            excess[i], share[i] = distance * jump[i], 1.0
        elif ratio > 0.0:
            short = max(1.0 - 1.0 / ratio, 0.0)  # the dual lies nearer to 0
            excess[i] = (beyond[i] - slope[i]) * jump[i] + short * value[i]
            share[i] = min(ratio, 1.0)
