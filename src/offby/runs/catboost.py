"""CatBoost's folder of a training: `catboost_info` with a table of errors for each part."""

from __future__ import annotations

from pathlib import Path

_ERRORS = "_error.tsv"


def is_run(folder: Path) -> bool:
    """Whether a folder is what CatBoost leaves of one training."""
    return (folder / f"learn{_ERRORS}").is_file()


def files(folder: Path) -> list[tuple[Path, str]]:
    """Its tables, each with the part of the data that its metrics are about.

    The event files beside them hold the same numbers in single precision.
    """
    found = sorted(folder.glob(f"*{_ERRORS}"))
    return [(path, f"{path.name.removesuffix(_ERRORS)}/") for path in found]
