"""TensorBoard's event files, byte by byte: TFRecord frames around protocol buffers.

A record is its length (8 bytes), a checksum of that (4), the event, and a checksum of the event
(4): masked CRC-32C, little end first (TensorFlow, `lib/io/record_writer.h`). An event holds its
wall time (field 1), step (2) and summary (5); a summary holds values (1), each with a tag (1) and a
number (2, or a tensor in 8); see TensorBoard's `event.proto`, `summary.proto`, `tensor.proto`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from offby.formula.kept import kept

Bytes = npt.NDArray[np.uint8]

HEAD, FOOT = 12, 4  # bytes of a record before and behind its event
FIXED64, SUBMESSAGE, FIXED32 = 1, 2, 5  # wire types; 0 is a varint
DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64 = 1, 2, 3, 9
LEAST_VALUE = 8
"""No value with a tag takes fewer bytes, so a block has room for all of its values."""


def crc_table() -> npt.NDArray[np.uint32]:
    """The table of CRC-32C (Castagnoli), reflected polynomial 0x82F63B78.

    >>> hex(int(crc_table()[1]))
    '0xf26b8303'
    """
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ ((table & np.uint32(1)) * np.uint32(0x82F63B78))
    return table


@kept
def masked_crc(data: Bytes, start: int, stop: int, table: npt.NDArray[np.uint32]) -> Any:
    """The checksum that a record stores of bytes start to stop."""
    crc = np.uint32(0xFFFFFFFF)
    for i in range(start, stop):
        crc = table[(crc ^ data[i]) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
    whole = np.int64(crc ^ np.uint32(0xFFFFFFFF))
    return (((whole >> 15) | (whole << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@kept
def little(data: Bytes, start: int, count: int) -> Any:
    """The whole number in `count` bytes, little end first."""
    number = np.int64(0)
    for i in range(count):
        number |= np.int64(data[start + i]) << np.int64(8 * i)
    return number


@kept
def varint(data: Bytes, at: int, stop: int) -> tuple[Any, int]:
    """A number of seven bits a byte, and where it ends; beyond `stop` where it does not end."""
    number, shift = np.int64(0), np.int64(0)
    while at < stop and shift < 70:
        byte = np.int64(data[at])
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    return number, stop + 1


@kept
def field(data: Bytes, at: int, stop: int) -> tuple[Any, Any, Any, Any]:
    """The next field: its number, its wire type, its first byte, and where it ends.

    Of a varint the first byte is where it stands. A damaged field ends beyond `stop`.
    """
    key, at = varint(data, at, stop)
    wire, start, end = key & 7, at, stop + 1
    if at > stop:
        return 0, 0, stop, stop + 1
    if wire == 0:
        _, end = varint(data, at, stop)
    elif wire == FIXED64:
        end = at + 8
    elif wire == FIXED32:
        end = at + 4
    elif wire == SUBMESSAGE:
        length, start = varint(data, at, stop)
        end = start + length if 0 <= length <= stop - start else stop + 1
    return key >> 3, wire, start, end


@kept
def scalar(data: Bytes, at: int, stop: int, out: npt.NDArray[np.float64]) -> bool:
    """Whether a tensor is one number without a shape, which goes to out[0]."""
    kind, found = 0, False
    integer, real = np.empty(1, np.int64), out[:1]
    while at < stop:
        number, _, start, end = field(data, at, stop)
        if end > stop:
            return False
        size = end - start
        if number == 1:
            kind, _ = varint(data, start, end)
        elif number == 2 and size > 0:
            return False
        elif number in (4, 5, 6) and size in (4, 8):
            integer[0] = little(data, start, size)
            found = True
            if kind == DT_FLOAT and size == 4:
                real[0] = integer.view(np.float32)[0]
            elif kind == DT_DOUBLE and size == 8:
                real[0] = integer.view(np.float64)[0]
            else:
                real[0] = integer[0]
        elif number in (7, 10):
            whole, _ = varint(data, start, end)
            real[0], found = whole, True
        at = end
    return found and kind in (DT_FLOAT, DT_DOUBLE, DT_INT32, DT_INT64)
