"""`offby watch`: the logs of training runs to curves and a verdict, once or as they grow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from cyclopts import Parameter

from offby.cli import streams
from offby.cli.progress import counted

if TYPE_CHECKING:
    from rich.console import Console

    from offby.report.watched import WatchedRun
    from offby.verbs.watch import Watcher


def watch(
    *paths: str,
    train: str | None = None,
    val: str | None = None,
    better: Literal["lower", "higher"] | None = None,
    follow: bool | None = None,
    every: float = 1.0,
    fail_if: Annotated[list[str] | None, Parameter(negative=(), consume_multiple=False)] = None,
    confidence: float = 0.95,
    json: Annotated[bool, Parameter(negative=())] = False,
    html: str | None = None,
    serve: Annotated[list[int] | None, Parameter(negative=(), consume_multiple=True)] = None,
    host: str = "127.0.0.1",
) -> int:
    """Watch training runs: still learning, memorising, or broken?

    Parameters
    ----------
    paths
        Training logs, or folders of them: TensorBoard, Hugging Face, Lightning, Keras, XGBoost,
        LightGBM, CatBoost, MLflow, trackio, JSONL, CSV.
    train
        Name of the training curve, where it cannot be told.
    val
        Name of the validation curve, where it cannot be told.
    better
        Which way the curve improves, where its name does not say.
    follow
        Go on as the logs grow, until Ctrl-C; so by default on a terminal.
    every
        With --follow: seconds between looks.
    fail_if
        Exit with code 1 if the verdict on a run is this: overfitting, diverged …; may be repeated.
    confidence
        That no verdict of overfitting is a false alarm.
    json
        Print JSON.
    html
        Write a page that opens offline to this file.
    serve
        Serve a page that follows the runs, until Ctrl-C, on this port (8642 if none is given).
    host
        With --serve: the address to listen on; by default this machine's own programs only.
    """
    from rich.console import Console

    from offby.report.watched_runs import WatchedRuns
    from offby.verbs.watch import Watcher

    console = Console(highlight=False)
    one_look = json or html is not None or bool(fail_if)
    _check(one_look, bool(follow) or serve is not None, every)
    going_on = serve is not None or (
        console.is_terminal and not one_look if follow is None else follow
    )
    watcher = Watcher(
        paths, train=train, val=val, better=better, confidence=confidence, live=going_on
    )
    with counted("watching") as advance:
        runs = watcher.look(advance)
    unwanted = _unwanted(fail_if or [], runs)
    if not going_on:
        streams.give(WatchedRuns(tuple(runs), watcher.unread), html, json=json)
        return 1 if unwanted else 0
    with suppress(KeyboardInterrupt):
        if serve is None:
            _follow(watcher, runs, console, every)
        else:
            _serve(watcher, serve, host, every)
    return 0


def _check(one_look: bool, going_on: bool, every: float) -> None:
    from offby.errors import RunError

    if one_look and going_on:
        raise RunError(
            "--json, --html and --fail-if are of one look; expected none of them with --follow or "
            "--serve"
        )
    if not every > 0:
        raise RunError(f"--every is {every:g}; expected seconds, more than 0")


def _unwanted(asked: list[str], runs: list[WatchedRun]) -> list[WatchedRun]:
    """The runs whose verdict is one of those asked for; raises `RunError` for no verdict."""
    from offby.errors import RunError
    from offby.watch.judge import Label

    wanted = [part.strip().replace("-", " ") for one in asked for part in one.split(",")]
    for label in wanted:
        if label not in get_args(Label):
            known = ", ".join(get_args(Label))
            raise RunError(f"--fail-if {label!r} is no verdict; expected one of: {known}")
    return [run for run in runs if run.verdict.verdict in wanted]


def _serve(watcher: Watcher, port: list[int], host: str, every: float) -> None:
    from offby.serve.board import Board
    from offby.serve.server import serve

    board = Board(watcher)
    board.look()
    serve(board, port[0] if port else None, host, every=every, ready=_say_where)


def _say_where(address: str) -> None:
    print(f"watching on {address} (stop with Ctrl-C)", flush=True)


def _follow(watcher: Watcher, runs: list[WatchedRun], console: Console, every: float) -> None:
    """Draw anew as the logs grow; where nothing can be drawn over, print a line an evaluation."""
    if not console.is_terminal or console.is_dumb_terminal:
        for line in _lines(watcher, runs, every):
            print(line, flush=True)
        return
    from rich.live import Live

    from offby.report.watch_text import picture

    drawn: object = None
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            now = runs, watcher.unread, console.size
            if now != drawn:  # far terminals are not sent what they show already
                seen = picture(runs, watcher.unread, console, chosen=watcher.newest, fitting=True)
                live.update(seen, refresh=True)
                drawn = now
            time.sleep(every)
            runs = watcher.look()


def _lines(watcher: Watcher, runs: list[WatchedRun], every: float) -> Iterator[str]:
    from offby.report.watch_text import line, waiting

    told: dict[str, int] = {}
    if not runs:
        yield waiting(watcher.unread)
    while True:
        for run in runs:
            if told.get(run.name) != len(run.judged):
                told[run.name] = len(run.judged)
                yield line(run)
        time.sleep(every)
        runs = watcher.look()
