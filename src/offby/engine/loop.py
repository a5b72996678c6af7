"""The one compiled loop: it runs any program, tile by tile, on columns in memory.

A tile is 256 rows in registers that stay in the first-level cache. Each instruction is one simple
loop over the tile, which LLVM vectorises; instructions are the primitives of the formula table
plus the accumulators. As programs are data, no formula is ever compiled by itself: the loop is
compiled once a machine and offby version, and a new formula runs at once.
"""

from __future__ import annotations

from offby.formula.primitives import PRIMITIVES

TILE = 256
OPERATIONS = {name: code for code, name in enumerate(PRIMITIVES)}
_OTHERS = (
    "load",
    "store",
    "check",
    "exact",
    "dot",
    "spread",
    "count",
    "worst",
    "fma",
    "product_low",
)
OPERATIONS.update({name: len(PRIMITIVES) + code for code, name in enumerate(_OTHERS)})

_HEAD = '''"""Written by offby: the compiled loop. Deleting it is safe."""
import math
import numpy as np
from numba import njit
from offby.engine.accumulate import (
    add_exact, carry, count_directly, count_keys, first_slot, keep_worst, ordered_bits)
from offby.engine.memory import dot_of, load_float, prefetch, spread_of, store_float
from offby.formula.bits import fma, select, widest_vectors
from offby.formula.kernels import *

TILE = {tile}


@njit(nogil=True, error_model="numpy", _nrt=False)
def execute(op, d, a, b, c, R):
    widest_vectors()
{operations}
    elif op == {fma}:
        scale, shift = R[b, 0], R[c, 0]  # registers that hold one number
        for i in range(TILE):
            R[d, i] = fma(R[a, i], scale, shift)
    elif op == {product_low}:
        for i in range(TILE):
            R[d, i] = fma(R[a, i], R[b, i], -(R[a, i] * R[b, i]))


@njit(nogil=True, error_model="numpy", cache={cache}, _nrt=False)
def run(program, R, inputs, outputs, start, stop, offset, ids, limbs, special, anchors, sums,
        sizes, rows, columns, tables, pairs, direct, bases, levels, used, budget,
        keys, slots, values):
    widest_vectors()
    full = False
    for base in range(start, stop, TILE):
        if full:
            stop = base
            break
        n = min(TILE, stop - base)
        for k in range(program.shape[0]):
            op, d = program[k, 0], program[k, 1]
            a, b, c = program[k, 2], program[k, 3], program[k, 4]
            if op < {load} or op >= {fma}:
                execute(op, d, a, b, c, R)
            elif op == {load}:
                address, stride = inputs[a, 0], inputs[a, 1]
                bad = False
                for i in range(n):
                    value = load_float(address, (base + i) * stride)
                    bad |= not (abs(value) < math.inf)
                    R[d, i] = value
                for i in range(n, TILE):
                    R[d, i] = R[d, n - 1]
                if stride and base + 2 * TILE <= stop:  # work hides the wait for it
                    for i in range(0, TILE, 8):
                        prefetch(address, base + TILE + i)
                if bad and b:
                    return base
            elif op == {store}:
                for i in range(n):
                    store_float(outputs[d], base + i, R[a, i])
            elif op == {check}:
                bad = False
                for i in range(TILE):
                    bad |= not (abs(R[a, i]) < math.inf)
                if bad:
                    return base
            elif op == {exact}:
                add_exact(R[a], n, limbs[d], special[d], anchors[d:d + 1], base, offset, ids)
            elif op == {dot}:
                sums[d] += dot_of(R[a], R[b], n)
            elif op == {spread}:
                sums[d] += spread_of(R[a], R[b, 0], R[c, 0], n)
            elif op == {count}:
                m, level, shift = n, levels[d], bases[d]
                for i in range(TILE):
                    keys[i] = (ordered_bits(R[a, i]) >> level) - shift
                if direct.shape[1]:
                    m = count_directly(keys, n, direct[d])
                if m:
                    for i in range(m):
                        keys[i] += shift
                        slots[i] = first_slot(keys[i])
                    for j in range(columns.shape[1]):
                        for i in range(m):
                            values[j, i] = R[columns[d, j], i]
                    used[d] += count_keys(keys, slots, m, values, tables[d], pairs[d])
                full |= used[d] > budget
            elif op == {worst}:
                keep_worst(R[a], n, base, offset, ids, sizes[d], rows[d])
    for k in range(limbs.shape[0]):
        carry(limbs[k])
    return stop
'''


def source(cache: bool) -> str:
    """The Python source of the loop, from the table of primitives."""
    lines = []
    for code, row in enumerate(PRIMITIVES.values()):
        form = row.loop.format("R[a, i]", "R[b, i]", "R[c, i]")
        lines.append(f"    {'if' if code == 0 else 'elif'} op == {code}:  # {row.name}")
        lines.append(f"        for i in range(TILE):\n            R[d, i] = {form}")
    return _HEAD.format(operations="\n".join(lines), tile=TILE, cache=cache, **OPERATIONS)
