"""The installed command on real pipes and terminals: narrow ones, plain ones, closed ones."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OFFBY = str(Path(sys.executable).with_name("offby"))
HOUSES = [OFFBY, "measure", "examples/houses.csv"]
FIRST_LINE = "off by 13,333 on average (MAE), 14,142 RMSE, on 3 rows"


def environment(**changes):
    hidden = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "TTY_COMPATIBLE", "CI")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "TERM": "xterm-256color", **changes}


def on_a_pipe(*command, **changes):
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changes), capture_output=True, check=False
    )


def on_a_terminal(*command, columns=80, **changes):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    env = environment(COLUMNS=str(columns), **changes)
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        read = []
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not chunk:
                break
            read.append(chunk)
        os.close(ours)
    assert process.returncode == 0, read
    return b"".join(read).decode()


@pytest.mark.parametrize(
    "plain",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "latin-1", "C locale"],
)
def test_terminals_that_know_few_signs(plain):
    text = on_a_pipe(*HOUSES, "--require", "mae < 1", **plain)
    assert text.returncode == 1
    assert text.stderr == b""
    assert text.stdout.decode("latin-1").startswith(FIRST_LINE)
    assert b"4,252 ... 41,811" in text.stdout
    assert b"?" not in text.stdout
    json = on_a_pipe(*HOUSES, "--json", **plain)
    assert b"(R\\u00b2)" in json.stdout
    refused = on_a_pipe(OFFBY, "measure", "häuser.csv", **plain)
    assert refused.returncode == 2
    assert refused.stderr.startswith(b"offby: there is no file h")
    assert refused.stderr.count(b"\n") == 1


@pytest.mark.parametrize("more", [[], ["--json"], ["--help"]])
def test_a_reader_that_closes_early(more):
    command = f'"$0" measure {" ".join(more)} examples/houses.csv | true'
    ran = on_a_pipe("bash", "-o", "pipefail", "-c", command, OFFBY)
    assert ran.stderr == b""
    assert ran.returncode in (0, 1, 141)  # 0 if it wrote first; 1 is rich's, for help


def test_head():
    ran = on_a_pipe("bash", "-c", '"$0" measure examples/houses.csv | head -1', OFFBY)
    assert ran.stdout.decode() == f"{FIRST_LINE}\n"
    assert ran.stderr == b""


def test_standard_input_is_a_pipe():
    ran = on_a_pipe("bash", "-c", 'cat examples/houses.csv | "$0" measure -', OFFBY)
    assert ran.stdout.decode().startswith(FIRST_LINE)


def test_a_terminal_has_colors():
    colored = on_a_terminal(*HOUSES, "--require", "mae < 1e9")
    assert f"\x1b[1m{FIRST_LINE}\x1b[0m" in colored
    assert "\x1b[32mpassed: " in colored


def test_a_narrow_terminal_without_colors():
    text = on_a_terminal(*HOUSES, "--require", "mae < 1e9", columns=40, NO_COLOR="1")
    assert "\x1b[3" not in text.replace("\x1b[3m", "")  # no color; bold and dim are none
    shown = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text).replace("\r\n", "\n")
    lines = [line.rpartition("\r")[2] for line in shown.split("\n")]  # the bar was written over
    assert max(map(len, lines)) <= 40
    assert "off by 13,333 on average (MAE), 14,142 " in lines


def test_a_dumb_terminal_gets_plain_text():
    text = on_a_terminal(*HOUSES, TERM="dumb")
    assert text.startswith(f"{FIRST_LINE}\r\n")
    assert "\x1b" not in text


def test_the_exit_code_reaches_the_shell():
    refused = on_a_pipe(OFFBY, "measure", "nope.csv")
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.count(b"\n") == 1
