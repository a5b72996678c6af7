"""The examples in the documents; `python tests/examples_in_docs.py` writes their output anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", EXAMPLES / "README.md", *ROOT.glob("docs/*.md")]
)
_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line it begins in."""

    document: Path
    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Of a console: every `$ ` command with the output that stands below it."""
        found = [part.partition("\n") for part in re.split(r"^\$ ", self.text, flags=re.M)[1:]]
        return [(command, shown) for command, _, shown in found]


def blocks(document: Path) -> Iterator[Block]:
    """All fenced blocks of a document."""
    text = document.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(document, found["language"], found["text"], line)


def output_of(command: str) -> str:
    """What a command of a console block prints, in the folder of examples and 80 columns."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"PATH": path, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8", "TERM": "dumb"}
    kept = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
    ran = subprocess.run(
        ["bash", "-c", command], cwd=EXAMPLES, env={**kept, **settings}, capture_output=True,
        text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    once = "offby: compiling its "  # on a machine where nothing has run yet
    errors = [line for line in ran.stderr.splitlines() if not line.startswith(once)]
    return ran.stdout + "".join(f"{line}\n" for line in errors)


def rewritten(document: Path) -> str:
    """The document with what its commands print now."""

    def shown(found: re.Match[str]) -> str:
        if found["language"] != "console":
            return found[0]
        block = Block(document, "console", found["text"], 0)
        told = [f"$ {command}\n{output_of(command)}" for command, _ in block.commands]
        return "```console\n" + "\n".join(told) + "```"

    return _FENCE.sub(shown, document.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for each in DOCUMENTS:
        each.write_text(rewritten(each), encoding="utf-8")
