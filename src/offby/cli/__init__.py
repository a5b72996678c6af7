"""The command line: arguments in, text out; nothing else."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError

from offby import __version__

app = App(
    name="offby",
    help="How far off is your model, and what to do about it.",
    version=__version__,
    help_epilogue="Start with: offby measure predictions.csv",
)
app.command("offby.cli.measure:measure", name="measure")
app.register_install_completion_command()


def main() -> None:
    """Run the command line; errors are one line on standard error and exit code 2."""
    try:
        code = app(exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _refuse(" ".join(str(error).split()) + "; see offby --help")
    except KeyboardInterrupt:
        _leave(130)
    except BrokenPipeError:
        _leave(141)
    except ValueError as error:
        from offby.errors import OffbyError

        if not isinstance(error, OffbyError):
            raise
        _refuse(" ".join(str(error).split()))
    else:
        sys.exit(code if isinstance(code, int) else 0)


def _refuse(text: str) -> None:
    print(f"offby: {text}", file=sys.stderr)
    sys.exit(2)


def _leave(code: int) -> None:
    """Leave without a word, and without Python's complaint about a closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
