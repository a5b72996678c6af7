"""What commands write to standard output, on terminals that may know fewer signs than we print."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from offby.report.answer import Answer

_PLAIN = {"±": "+-", "−": "-", "…": "...", "∞": "inf", "²": "^2", "•": "*", "×": "x", "─": "-",
          "│": "|", "┤": "|", "└": "+", "╌": ".", "┊": ":", "⠨": ":", "·": "-", "→": "->"} | {
    chr(sign): "*" for sign in range(0x2801, 0x2900) if sign != ord("⠨")}  # fmt: skip


def degrade_gracefully() -> None:
    """Write signs that the terminal's encoding lacks in plainer ones, instead of failing."""
    codecs.register_error("offby.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="offby.plain")


def knows_all_signs() -> bool:
    """Whether standard output can write any text as it is."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")


def print_json(content: Any) -> None:
    """Print JSON that any reader of JSON takes: no NaN, and no sign that the stream lacks."""
    import json

    print(json.dumps(content, indent=2, ensure_ascii=not knows_all_signs(), allow_nan=False))


def give(found: Answer, html: str | None, *, json: bool, saved: str | None = None) -> None:
    """Write the page of what was found, if so asked, and print it, as text or as JSON."""
    if html is not None:
        found.to_html(html)
    if json:
        print_json(found.to_dict())
    else:
        print_answer(found, [saved, html])


def print_answer(found: Answer, written: Iterable[str | None]) -> None:
    """Print what was found, in colours if the terminal has any, and which files were written."""
    from rich.console import Console

    console = Console(highlight=False)
    print(found.to_text(console.width, color=console.color_system is not None))
    say_written(written, console)


def say_written(paths: Iterable[str | None], console: Console) -> None:
    """Say which files were written, below an empty line."""
    lines = "".join(f"\nwrote {path}" for path in filter(None, paths))
    if lines:
        console.print(lines, style="dim", markup=False, soft_wrap=True)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in signs), error.end
