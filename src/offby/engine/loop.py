"""The one compiled loop: it runs any program, tile by tile, on columns in memory.

A tile is 512 rows in registers that stay in the first-level cache. Each instruction is one simple
loop over the tile, which LLVM vectorises; instructions are the primitives of the formula table
plus the accumulators. As programs are data, no formula is ever compiled by itself: the loop is
compiled once a machine and offby version, and a new formula runs at once.
"""

from __future__ import annotations

from offby.formula.primitives import PRIMITIVES

TILE = 512
OPERATIONS = {name: code for code, name in enumerate(PRIMITIVES)}
_OTHERS = (
    "load",
    "load_single",
    "store",
    "store_single",
    "check",
    "exact",
    "dot",
    "powers",
    "count",
    "worst",
    "fma",
    "product_low",
)
OPERATIONS.update({name: len(PRIMITIVES) + code for code, name in enumerate(_OTHERS)})

_HEAD = '''"""Written by offby: the compiled loop. Deleting it is safe."""
import math
from numba import njit
from offby.engine.accumulate import (
    add_carefully, add_split, carry, count_directly, count_keys, first_slots, keep_worst, key_of,
    place_of, split_sums)
from offby.engine.grouping import count_in_windows, merge_runs, sort_by_group
from offby.engine.memory import (
    any_above, any_unfit, copy, dot_of, load_float, powers_of, prefetch, read_singles, store_float,
    write_singles)
from offby.formula.bits import fma, select, widest_vectors
from offby.formula.kernels import *

TILE = 512


@njit(nogil=True, error_model="numpy", _nrt=False)
def execute(op, to, a, b, c):
    widest_vectors()
{operations}
    elif op == {fma}:
        scale, shift = load_float(b, 0), load_float(c, 0)  # registers that hold one number
        for i in range(TILE):
            store_float(to, i, fma(load_float(a, i), scale, shift))
    elif op == {product_low}:
        for i in range(TILE):
            x, y = load_float(a, i), load_float(b, i)
            store_float(to, i, fma(x, y, -(x * y)))


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def run(program, R, inputs, outputs, start, stop, offset, ids, limbs, special, anchors, sums,
        sizes, rows, columns, tables, starts, pairs, direct, windows, bases, levels, used, room,
        keys, slots, values):
    registers, width = R.ctypes.data, 8 * TILE
    full = False
    share = 8 * (1 + TILE // (8 * program.shape[0]))  # of the next tile, asked for by each step
    for base in range(start, stop, TILE):
        if full:
            stop = base
            break
        n = min(TILE, stop - base)
        for k in range(program.shape[0]):
            op, d, source = program[k, 0], program[k, 1], program[k, 2]
            to, a = registers + d * width, registers + source * width
            b, c = registers + program[k, 3] * width, registers + program[k, 4] * width
            if base + 2 * TILE <= stop:  # work hides the wait for memory
                for i in range(k * share, min((k + 1) * share, TILE), 8):
                    for j in range(inputs.shape[0]):
                        prefetch(inputs[j, 0] + (base + TILE + i) * inputs[j, 1], 0)
            if op < {load} or op >= {fma}:
                execute(op, to, a, b, c)
            elif op == {load}:
                address, step = inputs[source, 0], inputs[source, 1]
                unfit = copy(address + base * step, step // 8, n, TILE, to)
                if unfit and program[k, 3]:
                    return base
            elif op == {load_single}:
                address, step = inputs[source, 0], inputs[source, 1]
                unfit = read_singles(address + base * step, step // 4, n, TILE, to)
                if unfit and program[k, 3]:
                    return base
            elif op == {store}:
                copy(a, 1, n, n, outputs[d] + 8 * base)
            elif op == {store_single}:
                write_singles(a, n, outputs[d] + 4 * base)
            elif op == {check}:
                if any_unfit(a, TILE):
                    return base
            elif op == {exact}:
                high, low, fits = split_sums(a, n, anchors[d])
                if fits:
                    add_split(limbs[d], anchors[d], high, low)
                else:
                    add_carefully(a, n, limbs[d], special[d], anchors[d:d + 1], base, offset, ids)
            elif op == {dot}:
                sums[d] += dot_of(a, b, n)
            elif op == {powers}:
                second, third, fourth = powers_of(a, load_float(b, 0), load_float(c, 0), n)
                sums[d] += second
                sums[d + 1] += third
                sums[d + 2] += fourth
            elif op == {count}:
                m = n
                key_of(a, TILE, levels[d], keys)
                if bases[d]:
                    window = direct[windows[d]:windows[d + 1]]
                    place_of(keys, TILE, bases[d], window.size // 2, slots)
                    m = count_directly(slots, keys, n, window)
                if m:
                    first_slots(keys, m, slots)
                    for j in range(columns.shape[1]):
                        for i in range(m):
                            values[j, i] = R[columns[d, j], i]
                    first, last = starts[d], starts[d + 1]
                    used[d] += count_keys(keys, slots, m, values, tables[2 * first:2 * last],
                                          pairs[first:last])
                full |= used[d] > room[d]
            elif op == {worst}:
                if any_above(a, n, sizes[d, -1]):
                    keep_worst(a, n, base, offset, ids, sizes[d], rows[d])
    for k in range(limbs.shape[0]):
        carry(limbs[k])
    return stop


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def run_groups(program, R, inputs, bounds, offset, pilots, shifts, limbs, special, anchors, sums,
               sizes, rows, columns, none, pairs, direct, keys, slots):
    for g in range(bounds.size - 1):
        if bounds[g] == bounds[g + 1]:
            continue
        for k in range(shifts.shape[0]):
            for i in range(TILE):
                R[shifts[k, 0], i] = pilots[g, k, 0]
                R[shifts[k, 1], i] = pilots[g, k, 1]
        run(program, R, inputs, none, bounds[g], bounds[g + 1], offset, none, limbs[g],
            special[g], anchors, sums[g], sizes[g], rows[g], columns, none, none, pairs, direct,
            none, none, none, none, none, keys, slots, pairs)
    return 0


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def sort_rows(codes, inputs, outputs, cursors):
    return sort_by_group(codes, inputs, outputs, cursors)


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def count_keys_by_place(keys, counts, bounds, levels, fresh, starts, window, to_keys, to_counts,
                        to_bounds, left, left_starts):
    return count_in_windows(keys, counts, bounds, levels, fresh, starts, window, to_keys,
                            to_counts, to_bounds, left, left_starts)


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def merge_keys(keys, counts, bounds, levels, fresh, starts, budget, steps, to_keys, to_counts,
               to_bounds):
    return merge_runs(keys, counts, bounds, levels, fresh, starts, budget, steps, to_keys,
                      to_counts, to_bounds)
'''


def source(cache: bool) -> str:
    """The Python source of the loop, from the table of primitives."""
    lines = []
    for code, row in enumerate(PRIMITIVES.values()):
        form = row.loop.format("load_float(a, i)", "load_float(b, i)", "load_float(c, i)")
        lines.append(f"    {'if' if code == 0 else 'elif'} op == {code}:  # {row.name}")
        lines.append(f"        for i in range(TILE):\n            store_float(to, i, {form})")
    return _HEAD.format(operations="\n".join(lines), tile=TILE, cache=cache, **OPERATIONS)
