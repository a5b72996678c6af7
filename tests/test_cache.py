"""The compiled loop's cache survives what a machine does to it."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

PROGRAM = "from offby.losses import Squared; print(Squared().value([1.0], [3.0]))"
COMPILING = "compiling its loop"


def run(folder):
    """What a process with this cache folder answers, and what it says meanwhile."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env={**os.environ, "OFFBY_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder that two processes filled at once, and what they said."""
    folder = tmp_path_factory.mktemp("cache") / "not" / "there" / "yet"
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(run, [folder, folder]))
    return folder, answers


def test_two_processes_may_compile_at_once(filled):
    _, answers = filled
    assert [answer for answer, _ in answers] == ["[4.]", "[4.]"]
    assert any(COMPILING in said for _, said in answers)
    assert all(said.count("\n") <= 1 for _, said in answers)


def test_the_next_process_compiles_nothing(filled):
    assert run(filled[0]) == ("[4.]", "")


def test_the_folder_is_private(filled):
    assert filled[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".nbc", lambda data: data[: len(data) // 2]),
        (".nbi", lambda data: b"\xff" * len(data)),
        (".py", lambda data: data[: len(data) // 2]),
    ],
    ids=["code cut short", "index overwritten", "source cut short"],
)
def test_a_damaged_file_is_made_again(filled, tmp_path, suffix, damage):
    folder = tmp_path / "cache"
    shutil.copytree(filled[0], folder)
    (file,) = [path for path in folder.rglob(f"*{suffix}") if path.is_file()]
    file.write_bytes(damage(file.read_bytes()))
    answer, said = run(folder)
    assert answer == "[4.]"
    assert COMPILING in said
    assert run(folder) == ("[4.]", "")


def test_where_nothing_can_be_written_the_loop_is_kept_in_memory(tmp_path):
    file = tmp_path / "a file"
    file.write_text("not a folder")
    answer, said = run(file / "cache")
    assert answer == "[4.]"
    assert "no cache folder can be written" in said
    assert file.read_text() == "not a folder"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="modes of files are POSIX")
def test_a_folder_that_others_may_write_to_is_not_trusted(filled, tmp_path):
    folder = tmp_path / "shared"
    shutil.copytree(filled[0], folder)
    folder.chmod(0o777)
    answer, said = run(folder)
    assert answer == "[4.]"
    assert "no cache folder can be written" in said
