"""Trees of numbers, texts and arrays as bytes: JSON, raw arrays and a checksum. No pickle."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any

import numpy as np

from offby.errors import DataError

_MAGIC = b"offby totals "
_VERSION = 2
_KINDS = {"i8": np.int64, "f8": np.float64}


def pack(tree: dict[str, Any]) -> bytes:
    """The tree as bytes; its arrays are int64 or float64."""
    arrays: list[bytes] = []
    header = json.dumps(_without_arrays(tree, arrays)).encode()
    body = zlib.compress(b"".join([len(header).to_bytes(8, "little"), header, *arrays]), 1)
    head = _MAGIC + _VERSION.to_bytes(2, "little")
    return head + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> dict[str, Any]:
    """The tree that `pack` wrote; raises `DataError` on anything else."""
    start = len(_MAGIC)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise DataError(f"a {type(data).__name__} arrived; expected the bytes of Totals.to_bytes()")
    data = bytes(data)
    if not data.startswith(_MAGIC):
        raise DataError(f"these bytes are not offby totals: they start with {data[:12]!r}")
    version = int.from_bytes(data[start : start + 2], "little")
    if version != _VERSION:
        raise DataError(
            f"these totals are of version {version}; this offby reads version {_VERSION}: use the "
            "offby that wrote them, or measure again"
        )
    checksum, body = data[start + 2 : start + 34], data[start + 34 :]
    if hashlib.sha256(body).digest() != checksum:
        raise DataError("these totals are damaged or cut short: their checksum does not fit")
    plain = zlib.decompress(body)
    length = int.from_bytes(plain[:8], "little")
    return _with_arrays(json.loads(plain[8 : 8 + length]), memoryview(plain)[8 + length :], [0])  # type: ignore[no-any-return]


def _without_arrays(value: Any, arrays: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value).astype(f"<{value.dtype.str[1:]}").tobytes())
        return {"array": value.dtype.str[1:], "shape": list(value.shape)}
    if isinstance(value, dict):
        return {key: _without_arrays(inner, arrays) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_arrays(inner, arrays) for inner in value]
    return value


def _with_arrays(value: Any, arrays: memoryview, at: list[int]) -> Any:
    if isinstance(value, dict) and "array" in value:
        kind, shape = np.dtype(f"<{value['array']}"), tuple(value["shape"])
        start, at[0] = at[0], at[0] + kind.itemsize * int(np.prod(shape, dtype=np.int64))
        found = np.frombuffer(arrays[start : at[0]], kind).reshape(shape)
        return found.astype(_KINDS[value["array"]])
    if isinstance(value, dict):
        return {key: _with_arrays(inner, arrays, at) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_arrays(inner, arrays, at) for inner in value]
    return value
