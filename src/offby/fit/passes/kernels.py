"""The compiled part of a pass over rows: scores of a block, then its slope and its Gram matrix.

A matrix product of BLAS would do, but its threads and ours wait for each other (seconds where this
takes milliseconds), and half of a symmetric matrix is enough. Rows are read as they lie, four at a
time, and centred on the way. For a Gram matrix a tile of them is packed: with a 1 for the
intercept, and zeros up to a whole number of vectors. It is then made of blocks whose sums stay in
registers over all rows of a tile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from offby.engine.memory import add_product, load_float, prefetch
from offby.formula.bits import kernel, widest_vectors
from offby.formula.kept import kept_bare

LANES = 8
"""Rows of a tile are whole numbers of vectors of this many numbers."""
_HEIGHT = 8 if llvm.get_host_cpu_features().get("avx512f") else 4  # what registers hold
TILE = 32
"""The least rows of a tile, which the first-level cache holds twice if there are few columns."""
_AHEAD = 512  # numbers, to be asked for before they are read


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


@kept_bare
def side_by_side(source: int, row_step: int, column_step: int, found: Any) -> None:
    """Copy rows whose columns do not lie side by side; steps count float64s, here and below."""
    for base in range(0, found.shape[0], TILE):
        for j in range(found.shape[1]):
            for i in range(base, min(base + TILE, found.shape[0])):
                found[i, j] = load_float(source, i * row_step + j * column_step)


@kernel
def _four(rows: int, step: int, first: int, count: int) -> tuple[int, int, int, int]:
    """Where four rows lie; the last of all stands in for what is beyond it."""
    second, third, fourth = first + 1, first + 2, min(first + 3, count - 1)
    return (
        rows + 8 * step * first,
        rows + 8 * step * min(second, fourth),
        rows + 8 * step * min(third, fourth),
        rows + 8 * step * fourth,
    )


@kernel
def _ask(row: int, step: int, columns: int) -> None:
    """Ask for rows that come soon: by itself the machine does not look that far ahead."""
    ahead = 4 * (1 + _AHEAD // (4 * columns)) * step
    for i in range(4):
        for j in range(0, columns, LANES):
            prefetch(row, ahead + i * step + j)


@kernel
def _dots(four: tuple[int, int, int, int], centre: Any, at: Any) -> tuple[float, ...]:
    """The products of four rows with `at`: no sum waits for another's."""
    widest_vectors()
    a, b, c, d = four
    of_a = of_b = of_c = of_d = 0.0
    for j in range(centre.size):
        middle, factor = centre[j], at[j]
        of_a = add_product(of_a, load_float(a, j) - middle, factor)
        of_b = add_product(of_b, load_float(b, j) - middle, factor)
        of_c = add_product(of_c, load_float(c, j) - middle, factor)
        of_d = add_product(of_d, load_float(d, j) - middle, factor)
    last = at[centre.size]
    return of_a + last, of_b + last, of_c + last, of_d + last


@kept_bare
def score(rows: int, step: int, centre: Any, at: Any, found: Any) -> None:
    """found[k, row] = at[k] · row for rows that are centred, with a 1 in the last place.

    Here and below `rows` is where the first row lies, with its columns side by side.
    """
    count = found.shape[1]
    for i in range(0, count, 4):
        four = _four(rows, step, i, count)
        _ask(four[0], step, centre.size)
        for k in range(at.shape[0]):
            dots = _dots(four, centre, at[k])
            for place in range(min(4, count - i)):
                found[k, i + place] = dots[place]


@kernel
def _add(
    four: tuple[int, int, int, int], values: Any, centre: Any, squared: bool, found: Any
) -> None:
    """Add four rows, times a value each; fewer where there are fewer values."""
    widest_vectors()
    a, b, c, d = four
    of_a, n = values[0], values.size
    of_b = values[1] if n > 1 else 0.0
    of_c = values[2] if n > 2 else 0.0
    of_d = values[3] if n > 3 else 0.0
    for j in range(centre.size):
        middle = centre[j]
        in_a, in_b = load_float(a, j) - middle, load_float(b, j) - middle
        in_c, in_d = load_float(c, j) - middle, load_float(d, j) - middle
        if squared:
            in_a, in_b, in_c, in_d = in_a**2, in_b**2, in_c**2, in_d**2
        found[j] += (of_a * in_a + of_b * in_b) + (of_c * in_c + of_d * in_d)
    found[centre.size] += (of_a + of_b) + (of_c + of_d)


@kept_bare
def times(rows: int, step: int, centre: Any, values: Any, squared: bool, found: Any) -> None:
    """found[k] += the sum over rows of row values[k, row], each place of the row squared or not."""
    count = values.shape[1]
    for i in range(0, count, 4):
        four = _four(rows, step, i, count)
        _ask(four[0], step, centre.size)
        for k in range(values.shape[0]):
            _add(four, values[k, i : min(i + 4, count)], centre, squared, found[k])


@kernel
def _fill(rows: int, step: int, centre: Any, values: Any, room: Any, scaled: Any) -> None:
    """A tile of rows, and the same times a value each."""
    widest_vectors()
    for i in range(values.size):
        value = values[i]
        for j in range(centre.size):
            room[i, j] = load_float(rows, i * step + j) - centre[j]
        for j in range(room.shape[1]):
            scaled[i, j] = room[i, j] * value


@kept_bare
def gram(
    rows: int, step: int, centre: Any, values: Any, room: Any, scaled: Any, found: Any
) -> None:
    """found = the sum over rows of row row' values[row], for a `found` of zeros.

    `room` and `scaled` are tiles of whole vectors. Beyond the columns `room` has what all rows
    have there: a 1 for the intercept, and 0.
    """
    most, width = room.shape
    for base in range(0, values.size, most):
        here = values[base : min(base + most, values.size)]
        _fill(rows + 8 * base * step, step, centre, here, room, scaled)
        for i in range(0, width, _HEIGHT):
            for j in range(0, i + 1, LANES):
                to = found.ctypes.data + 8 * (i * width + j)
                left, right = room.ctypes.data + 8 * i, scaled.ctypes.data + 8 * j
                block_product(left, right, width, here.size, to)
    for i in range(width):
        for j in range(i):
            found[j, i] = found[i, j]


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
