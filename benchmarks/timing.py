"""Paired timing: contenders take turns, so that a machine's drift hits all of them alike."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

TABLES = Path(__file__).parent / "README.md"


def in_turns(
    contenders: dict[str, Callable[[], object]],
    rounds: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """The best seconds of each contender over some rounds, after one that is not counted."""
    best = dict.fromkeys(contenders, float("inf"))
    for round_number in range(rounds + 1):
        for name, work in contenders.items():
            start = clock()
            work()
            seconds = clock() - start
            if round_number:
                best[name] = min(best[name], seconds)
    return best


def machine() -> str:
    """The machine in words, without its name."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def keep(section: str, lines: list[str]) -> None:
    """Replace a section of benchmarks/README.md, or add it."""
    text = TABLES.read_text() if TABLES.exists() else "# Benchmarks\n"
    body = f"## {section}\n\n" + "\n".join(lines) + "\n"
    head, found, rest = text.partition(f"## {section}\n")
    if found:
        _, mark, after = rest.partition("\n## ")
        text = head + body + (f"\n## {after}" if mark else "")
    else:
        text = f"{text.rstrip()}\n\n{body}"
    TABLES.write_text(text)
