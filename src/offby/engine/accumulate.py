"""The accumulators of the compiled loop: exact sums, order statistics, the worst rows.

Exact sums. A float64 is an integer times a power of two, so a sum of float64s is one too. It is
kept in `limbs`: limb k counts units of 2^(16k - 1074), and holds any int64. Adding is then integer
addition: no order, chunking or thread count can change a bit, whatever the data.

The fast path splits x against two anchors 1.5*2^(52+e): adding the anchor rounds x to a multiple
of 2^e, and the bits of the sum, less the anchor's, *are* that multiple. Integer sums vectorise
freely. What is left after two anchors (83 bits and more below the largest value) must be zero; if
not, or where a value exceeds the anchor's reach, the tile goes through the careful path, one value
at a time. So the anchors decide speed only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from offby.engine.memory import load_float
from offby.formula.bits import bits_float, float_bits, inline, kernel, widest_vectors

LIMBS = 136
"""Limbs of one exact sum: 2^-1074 to 2^1024, and room for 2^60 of the largest values."""
POSITIVE, NEGATIVE, NAN, FIRST = range(4)
"""Columns of `special`: counts of +inf, -inf and NaN, and the first row that had any."""
_FRACTION = (1 << 52) - 1
_LOW = (1 << 32) - 1


@inline
def _anchor_bits(limb: int) -> int:
    return ((16 * limb + 1) << 52) | (1 << 51)


@kernel
def split_sums(x: int, n: int, anchor: int) -> tuple[int, int, bool]:
    """The integer sums of n float64s split at two anchors, and whether that lost nothing."""
    widest_vectors()
    high_bits, low_bits = _anchor_bits(anchor), _anchor_bits(anchor - 3)
    high_anchor, low_anchor = bits_float(high_bits), bits_float(low_bits)
    high = low = beyond = left = 0
    for i in range(n):
        value = load_float(x, i)
        rounded = value + high_anchor
        bits = float_bits(rounded)
        high += bits
        beyond |= bits ^ high_bits
        value -= rounded - high_anchor
        rounded = value + low_anchor
        low += float_bits(rounded)
        left |= float_bits(value - (rounded - low_anchor))
    fits = (beyond >> 52) == 0 and left == 0
    return high - n * high_bits, low - n * low_bits, fits


@inline
def add_split(limbs: Any, anchor: int, high: int, low: int) -> None:
    """Add what `split_sums` found."""
    _add_integer(limbs, anchor, high)
    _add_integer(limbs, anchor - 3, low)


@inline
def _add_integer(limbs: Any, limb: int, value: int) -> None:
    limbs[limb] += value & _LOW
    limbs[limb + 2] += value >> 32


@kernel
def add_carefully(
    x: int, n: int, limbs: Any, special: Any, anchor: Any, base: int, offset: int, ids: Any
) -> None:
    """Add n float64s one by one; `anchor[0]` becomes where they lay."""
    largest = 0
    for i in range(n):
        bits = float_bits(load_float(x, i))
        exponent = (bits >> 52) & 0x7FF
        if exponent == 0x7FF:
            _add_special(bits, special, _row_number(base + i, offset, ids))
            continue
        largest = max(largest, exponent)
        fraction = bits & _FRACTION
        if exponent:
            fraction |= _FRACTION + 1
            exponent -= 1
        limb, shift = exponent >> 4, exponent & 15
        low = (fraction & _LOW) << shift
        rest = ((fraction >> 32) << shift) + (low >> 32)
        sign = 1 - 2 * ((bits >> 63) & 1)
        limbs[limb] += sign * (low & _LOW)
        limbs[limb + 2] += sign * (rest & _LOW)
        limbs[limb + 4] += sign * (rest >> 32)
    anchor[0] = min(max((largest + 18) >> 4, 3), 127)  # two bits of head room


@kernel
def _add_special(bits: int, special: Any, row: int) -> None:
    if bits & _FRACTION:
        special[NAN] += 1
    elif bits < 0:
        special[NEGATIVE] += 1
    else:
        special[POSITIVE] += 1
    if special[FIRST] < 0 or row < special[FIRST]:
        special[FIRST] = row


@inline
def _row_number(i: int, offset: int, ids: Any) -> int:
    """The number of the i-th row in the stream: looked up where some rows were left out."""
    return ids[i] if ids.size else offset + i


@kernel
def carry(limbs: Any) -> None:
    """Move what exceeds 32 bits up, so that the limbs can take another 2^31 additions."""
    for k in range(LIMBS - 2):
        limbs[k + 2] += limbs[k] >> 32
        limbs[k] &= _LOW


@kernel
def key_of(x: int, n: int, level: int, keys: Any) -> None:
    """Write integers that sort as n float64s do, coarsened."""
    widest_vectors()
    for i in range(n):
        bits = float_bits(load_float(x, i))
        keys[i] = (bits ^ ((bits >> 63) & 0x7FFFFFFFFFFFFFFF)) >> level


@kernel
def place_of(keys: Any, n: int, base: int, half: int, places: Any) -> None:
    """Write each key's place in a window: those from `base` on, then those of their negatives."""
    widest_vectors()
    for i in range(n):
        key = keys[i]
        negative = key >> 63
        place = (key ^ negative) - base
        inside = (place >= 0) & (place < half)
        places[i] = place + (negative & half) if inside else -1


@kernel
def first_slots(keys: Any, n: int, slots: Any) -> None:
    """Where to look for each key; folded, as the keys of round numbers have a pattern."""
    widest_vectors()
    for i in range(n):
        key = keys[i]
        mixed = (key ^ (key >> 29)) * -7046029254386353131  # 2^64 over the golden ratio
        slots[i] = mixed ^ (mixed >> 32)


@kernel
def count_directly(places: Any, keys: Any, n: int, direct: Any) -> int:
    """Count what lies in the window by its place; the keys of others are moved to the front.

    Returns how many others there are.
    """
    others, size = 0, np.uint64(direct.size)
    for i in range(n):
        place = np.uint64(places[i])  # below the window it is huge; and Numba adds no wraparound
        if place < size:
            direct[place] += 1
        else:
            keys[others] = keys[i]
            others += 1
    return others


@kernel
def count_keys(keys: Any, slots: Any, n: int, columns: Any, table: Any, sums: Any) -> int:
    """Count n keys, already shifted to the table's level, and add their `columns`.

    A slot of the table is a key and its count, side by side for the cache; `slots` is where to look
    first. `sums` holds a (sum, correction) pair a column. Returns how many keys are new. Call only
    where there is room for n more.
    """
    mask, new, one, two = np.uint64(table.size - 1), 0, np.uint64(1), np.uint64(2)
    for i in range(n):
        key, at = keys[i], (two * np.uint64(slots[i])) & mask
        if table[at] != key or table[at + one] == 0:
            while table[at] != key and table[at + one]:
                at = (at + two) & mask
            if table[at + one] == 0:
                table[at] = key
                new += 1
        table[at + one] += 1
        slot = at >> one
        for j in range(columns.shape[0]):
            value, total = columns[j, i], sums[slot, 2 * j]
            larger = total + value
            back = larger - total
            sums[slot, 2 * j] = larger
            sums[slot, 2 * j + 1] += (total - (larger - back)) + (value - back)
    return new


@kernel
def keep_worst(x: int, n: int, base: int, offset: int, ids: Any, sizes: Any, rows: Any) -> None:
    """Insert n float64s into `sizes`, the largest first; the earlier row wins a tie."""
    last = sizes.size - 1
    for i in range(n):
        value = load_float(x, i)
        if value > sizes[last]:
            k = last
            while k > 0 and sizes[k - 1] < value:
                sizes[k], rows[k] = sizes[k - 1], rows[k - 1]
                k -= 1
            sizes[k], rows[k] = value, _row_number(base + i, offset, ids)
