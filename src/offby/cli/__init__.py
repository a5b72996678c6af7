"""The command line: arguments in, text out; nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from offby import __version__
from offby.cli import streams

app = App(
    name="offby",
    help="How far off is your model, and what to do about it.",
    version=__version__,
    help_epilogue="Start with: offby measure predictions.csv",
)
app.command(
    "offby.cli.measure:measure",
    name="measure",
    help="Measure how far off predictions are, and how sure that is.",
)
app.command(
    "offby.cli.compare:compare",
    name="compare",
    help="Compare models on the same rows: which is better, and may that be chance?",
)
app.command(
    "offby.cli.choose:choose",
    name="choose",
    help="Choose the loss to train with, given what predictions are judged by.",
)
app.command(
    "offby.cli.fit:fit",
    name="fit",
    help="Fit a linear model under any loss, with a proof of how near its minimum it is.",
)
app.command(
    "offby.cli.predict:predict",
    name="predict",
    help="Write a saved model's predictions beside the columns of a table.",
)
app.command(
    "offby.cli.watch:watch",
    name="watch",
    help="Watch training runs: still learning, memorising, or broken?",
)
app.command(
    "offby.cli.measures:measures",
    name="measures",
    help="List the measures that can be asked for, with their formulas.",
)
app.register_install_completion_command()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors are one line on standard error and exit code 2."""
    streams.degrade_gracefully()
    try:
        code = app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        _refuse(f"{_one_line(error).rstrip('.')}; see offby --help")
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:
        _leave(141)
    except OSError as error:
        _refuse(f"cannot open {error.filename or 'a file'}: {error.strerror or error}")
    except ValueError as error:
        from offby.errors import OffbyError

        if not isinstance(error, OffbyError):
            raise
        _refuse(_one_line(error))
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _refuse(text: str) -> None:
    print(f"offby: {text}", file=sys.stderr)
    sys.exit(2)


def _leave(code: int) -> None:
    """Leave without a word, and without Python's complaint about a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
