"""Standard output and error on terminals that know fewer signs than we print."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {"±": "+-", "−": "-", "…": "...", "∞": "inf", "²": "^2", "•": "*", "×": "x", "─": "-"}


def degrade_gracefully() -> None:
    """Write signs that the terminal's encoding lacks in plainer ones, instead of failing."""
    codecs.register_error("offby.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="offby.plain")


def knows_all_signs() -> bool:
    """Whether standard output can write any text as it is."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in signs), error.end
