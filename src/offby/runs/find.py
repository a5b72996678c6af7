"""Which runs a file or a folder holds, in whatever format."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from offby.errors import RunError
from offby.runs import catboost, csv_log, database, document, huggingface, jsonl, mlruns
from offby.runs import tensorboard as events
from offby.runs.curves import RunLog
from offby.runs.part import RefusedPart, refused
from offby.runs.reader import RunReader
from offby.runs.roles import role, words
from offby.runs.run import FILES

_HEAD = 1 << 14  # bytes looked at to tell what a file is
_USUAL = frozenset(("metrics", "log", "logs", "history", "training", "results", "progress"))
"""File names that say nothing: such a run is named after its folder."""
_READS = (
    "TensorBoard event files, trainer_state.json, metrics.csv and other CSV with columns such as "
    "epoch,loss,val_loss, JSONL, results of boosting as JSON, catboost_info, MLflow (mlflow.db, "
    "mlruns) and trackio"
)


def find_runs(path: str | Path, known: Iterable[RunReader] = ()) -> list[RunReader]:
    """Find the runs in a file or, searched through, in a folder; nothing is read yet.

    A folder with several event files is one run; so are `train` and `validation` beside each
    other. Pass the runs that were found before as `known` to get them back as they are, and new
    ones beside them. Names are unique, in natural order. Raises RunError where there is no run.

    >>> find_runs("nowhere")
    Traceback (most recent call last):
    ...
    offby.errors.RunError: there is no 'nowhere'; expected a file or a folder of training logs
    """
    root = Path(path)
    if not _exists(root):
        raise RunError(f"there is no {str(path)!r}; expected a file or a folder of training logs")
    if root.is_file() and not root.stat().st_size:
        raise RunError(f"{str(path)!r} is empty; expected a training log")
    found = list(_in_folder(root, root) if root.is_dir() else _in_file(root, root.parent))
    if not found:
        raise RunError(f"no training log was found in {str(path)!r}; offby reads {_READS}")
    before = {(run.name, run.path, run.format): run for run in known}
    named = sorted(_named(found), key=lambda run: _natural(run.name))
    return [before.get((run.name, run.path, run.format), run) for run in named]


def read_run(path: str | Path) -> RunLog:
    """Read the one run in a file or a folder; raises RunError where there are several."""
    found = find_runs(path)
    if len(found) > 1:
        names = ", ".join(run.name for run in found[:5])
        raise RunError(
            f"{str(path)!r} holds {len(found)} runs ({names}{', …' if len(found) > 5 else ''}); "
            "expected one: name its own file or folder, or use find_runs"
        )
    return found[0].read()


def _exists(root: Path) -> bool:
    try:
        return root.exists()
    except PermissionError:
        raise RunError(f"{str(root)!r} may not be read: permission denied") from None


def _in_folder(folder: Path, root: Path) -> Iterator[RunReader]:
    """The runs of a folder and of those in it; what belongs to a run is not looked at again."""
    if refused(folder):
        yield RunReader(_name(folder, root), folder, "unread", lambda: [(folder, "")], RefusedPart)
        return
    if mlruns.is_run(folder) or catboost.is_run(folder):
        yield from _whole(folder, root)
        return
    claimed, taken = _claimed(folder, _name(folder, root))
    yield from claimed
    for entry in sorted(_entries(folder), key=lambda entry: _natural(entry.name)):
        path = Path(entry.path)
        if path in taken or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(path, root)
        elif entry.is_file():
            yield from _in_file(path, root)


def _whole(folder: Path, root: Path) -> Iterator[RunReader]:
    """A folder that is one run and nothing else."""
    if catboost.is_run(folder):
        files = partial(catboost.files, folder)
        yield RunReader(_name(folder, root), folder, "catboost", files, csv_log.CsvPart)
        return
    told = mlruns.facts(folder)
    if told.get("lifecycle_stage") != "deleted":
        name = _within(folder.parent.parent, root) + told.get("run_name", folder.name)
        files, part = partial(mlruns.files, folder), partial(mlruns.open_metric, folder)
        yield RunReader(name, folder, "mlflow", files, part)


def _claimed(folder: Path, name: str) -> tuple[list[RunReader], set[Path]]:
    """The runs that several files of a folder make together, and the paths that they take."""
    found, taken = [], {folder / huggingface.STATE}
    if states := huggingface.states(folder):
        own = [(folder, "")]
        found.append(RunReader(name, folder, "huggingface", lambda: own, huggingface.TrainerPart))
        taken |= {state.parent for state in states}
    if event_files := _event_files(folder):
        files = partial(_event_files, folder)
        found.append(RunReader(name, folder, "tensorboard", files, events.EventsPart))
        taken |= {path for file, _ in event_files for path in (file, file.parent)}
    if written := _run_files(folder):
        files = partial(_run_files, folder)
        found.append(RunReader(name, folder, "offby", files, jsonl.JsonlPart))
        taken |= {file for file, _ in written}
    return found, taken


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []  # a folder that may not be read holds no run of ours


def _in_file(file: Path, root: Path) -> Iterator[RunReader]:
    name, suffix = _name(file, root), file.suffix.casefold()
    unread = not os.access(file, os.R_OK)  # told by its name alone
    whole = [(file, "")]
    if events.MARK in file.name:
        yield RunReader(name, file, "tensorboard", lambda: whole, events.EventsPart)
    elif suffix in database.SUFFIXES:
        yield from _in_database(file, root)
    elif suffix in jsonl.SUFFIXES and (unread or jsonl.recognised(_head(file))):
        yield RunReader(name, file, "jsonl", lambda: whole, jsonl.JsonlPart)
    elif suffix in csv_log.SUFFIXES and (unread or csv_log.recognised(_head(file))):
        yield RunReader(name, file, "csv", lambda: whole, csv_log.CsvPart)
    elif suffix == ".json" and (unread or document.recognised(_head(file))):
        yield RunReader(name, file, "json", lambda: whole, document.DocumentPart)


def _in_database(file: Path, root: Path) -> Iterator[RunReader]:
    kinds = {"mlflow": database.MlflowDatabasePart, "trackio": database.TrackioPart}
    for run in database.stored_runs(file):
        kind = kinds[run.schema]
        name = _within(file.parent, root) + run.name
        key = file.with_name(f"{file.name}#{run.key}")
        yield RunReader(name, key, run.schema, lambda: [(file, "")], partial(kind, key=run.key))


def _event_files(folder: Path) -> list[tuple[Path, str]]:
    """The event files of a folder, and those of folders in it that are a part of the data."""
    own = [(path, "") for path in _events_in(folder)]
    parts = [Path(entry.path) for entry in _entries(folder) if _is_part(entry)]
    inner = [(path, f"{part.name}/") for part in sorted(parts) for path in _events_in(part)]
    both = len({role(prefix) for _, prefix in inner}) == 2
    return own + inner if own or both else []  # a run may be called `test`


def _events_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{events.MARK}*") if path.is_file())


def _is_part(entry: os.DirEntry[str]) -> bool:
    """Whether a folder is named `train`, or as `add_scalars` names those of its curves."""
    return role(words(entry.name)[-1]) is not None and entry.is_dir(follow_symlinks=False)


def _run_files(folder: Path) -> list[tuple[Path, str]]:
    """What `Run` wrote: a file a process."""
    found = sorted(folder.glob(FILES), key=lambda path: _natural(path.name))
    return [(path, "") for path in found]


def _head(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_HEAD).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""


def _name(path: Path, root: Path) -> str:
    relative = path.relative_to(root)
    return relative.as_posix() if relative.parts else path.resolve().name


def _within(store: Path, root: Path) -> str:
    """What the names of runs in a store of many begin with."""
    return f"{_name(store, root)}/" if root in store.parents else ""


def _natural(name: str) -> list[tuple[int, str]]:
    """A key that puts version_2 before version_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _named(runs: list[RunReader]) -> list[RunReader]:
    """Names without suffixes and the files' usual names, where that leaves no two alike."""
    short = [_short(run) for run in runs]
    seen = Counter(short)
    names = [run.name if seen[name] > 1 else name for run, name in zip(runs, short, strict=True)]
    seen = Counter(names)
    names = [f"{name} ({run.format})" if seen[name] > 1 else name
             for run, name in zip(runs, names, strict=True)]  # fmt: skip
    turn: Counter[str] = Counter()
    for i, name in enumerate(names):
        turn[name] += 1
        names[i] = name if turn[name] == 1 else f"{name} #{turn[name]}"
    return [replace(run, name=name) for run, name in zip(runs, names, strict=True)]


def _short(run: RunReader) -> str:
    name = PurePosixPath(run.name)
    if not run.path.is_file():
        return run.name
    if not (name.stem.casefold() in _USUAL or events.MARK in name.name):
        return str(name.with_suffix(""))
    return str(name.parent) if name.parent.parts else run.path.resolve().parent.name
