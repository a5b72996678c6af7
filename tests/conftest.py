"""Settings that all tests share, and the command line as a function."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from command import Offby, offby_in_process

# A slow machine is no failing test; the same examples every time, so that a failure comes again.
settings.register_profile("offby", deadline=None, derandomize=True)
settings.load_profile("offby")


@pytest.fixture
def offby_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Offby:
    """`offby` as a function of its arguments, run from the repository's root."""
    monkeypatch.chdir(Path(__file__).parents[1])
    return offby_in_process(capsys, monkeypatch)
