"""Bytes from a file or a pipe: looked at first, then read once through, decompressed."""

import atexit
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, final

import pyarrow as pa

from offby.errors import TableError

HEAD = 1 << 18  # bytes looked at to know the format and the header

_COPIED = 1 << 20  # bytes copied at a time
_CODECS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\x04\x22\x4d\x18": "lz4",
}


_NOBODY = nullcontext()


class Readable(Protocol):
    """Anything that gives its next bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """Give up to `size` bytes, none at the end."""


@final
@dataclass(frozen=True, eq=False)
class Stream:
    """An open stream of decompressed bytes, and how far its raw bytes have been read."""

    bytes: Any
    raw: Any
    size: int

    def progress(self) -> float | None:
        """Say which fraction of the raw bytes has been read, where that is known."""
        return min(self.raw.tell() / self.size, 1.0) if self.size else None


@final
class FileSource:
    """A file on disk, which can be opened again and again."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        with path.open("rb") as file:
            self._codec = _codec(file.read(4))

    @property
    def plain_path(self) -> Path | None:
        """Give the path of the bytes, unless they are compressed."""
        return None if self._codec else self.path

    def head(self) -> bytes:
        """Give the first bytes, decompressed."""
        with self.open() as stream:
            return read_fully(stream.bytes, HEAD)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the file at its first byte."""
        with pa.OSFile(str(self.path)) as raw:
            yield Stream(_decompressed(raw, self._codec), raw, raw.size())


@final
class PipeSource:
    """Standard input or a pipe, whose bytes come once."""

    plain_path = None

    def __init__(
        self, pipe: Readable, name: str, owner: AbstractContextManager[object] = _NOBODY
    ) -> None:
        self.name = name
        self._owner = owner  # closes the pipe when it has been read
        raw = Peekable(pipe)
        codec = _codec(raw.peek(4))
        self._peekable = Peekable(_decompressed(_as_arrow(raw), codec)) if codec else raw
        self._spent = False

    def head(self) -> bytes:
        """Give the first bytes, decompressed, and keep them for `open`."""
        return self._peekable.peek(HEAD)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open the pipe at its first byte, which works once."""
        if self._spent:
            raise TableError(
                f"{self.name} can be read only once; save it to a file to read it again"
            )
        self._spent = True
        stream = _as_arrow(self._peekable)
        with self._owner:
            yield Stream(stream, stream, 0)


Source: TypeAlias = FileSource | PipeSource


@final
class Peekable:
    """A stream whose next bytes can be looked at before they are read."""

    def __init__(self, stream: Readable) -> None:
        self.closed = False
        self._stream = stream
        self._seen = b""

    def peek(self, size: int) -> bytes:
        """Look at the next `size` bytes, or at all that are left."""
        self._seen += read_fully(self._stream, size - len(self._seen))
        return self._seen[:size]

    def read(self, size: int) -> bytes:
        """Take up to `size` bytes, the ones already seen first."""
        if not self._seen:
            return self._stream.read(size)
        taken, self._seen = self._seen[:size], self._seen[size:]
        return taken

    def close(self) -> None:
        """Say that no more is wanted; the stream below belongs to its owner."""
        self.closed = True


def read_fully(stream: Readable, size: int) -> bytes:
    """Read `size` bytes, fewer only where the stream ends."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def source_of(path: Path, name: str) -> Source:
    """Open a path as a file, or as a pipe where it is one."""
    if path.is_file():
        return FileSource(path, name)
    pipe = path.open("rb")
    return PipeSource(pipe, name, pipe)


def spooled(source: Source) -> Path:
    """Copy the bytes to a temporary file, which is removed at the latest at the program's end."""
    with source.open() as stream, tempfile.NamedTemporaryFile(delete=False) as file:
        atexit.register(Path(file.name).unlink, missing_ok=True)
        while part := stream.bytes.read(_COPIED):
            file.write(part)
    return Path(file.name)


def _codec(head: bytes) -> str | None:
    return next((codec for magic, codec in _CODECS.items() if head.startswith(magic)), None)


def _decompressed(raw: Any, codec: str | None) -> Any:
    return pa.CompressedInputStream(raw, codec) if codec else raw


def _as_arrow(stream: Peekable) -> Any:
    return pa.PythonFile(stream, mode="r")
