"""`offby measures`: the names that can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from offby.cli import streams

if TYPE_CHECKING:
    from offby.measures.measure import Measure

_TITLES = {
    "regression": "Numbers",
    "binary": "Classes, with the probability of the positive one",
    "multiclass": "Classes, with a probability for each, or labels alone",
}
_NOTES = (
    "r is y_pred - y_true, q the probability given to the class that came; a number after a colon "
    "is a parameter of your choice.",
    "precision, recall, specificity, npv, jaccard, f1 and fbeta:2 take a class or an average after "
    "a colon: recall:cat, f1:macro, fbeta:2:weighted.",
)


def measures(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the measures and their formulas.

    Parameters
    ----------
    json
        Print JSON.
    """
    groups = _groups()
    if json:
        facts = {kind: {m.name: _facts(m) for m in found} for kind, found in groups.items()}
        streams.print_json(facts)
        return 0
    _print(groups)
    return 0


def _groups() -> dict[str, tuple[Measure, ...]]:
    """The measures that each task knows."""
    from offby.classification.catalogue import known_names, resolve
    from offby.classification.task import Task

    binary = Task("binary", scores=True, positive="1", costs=(1.0, 5.0))
    several = Task("multiclass", scores=True, costs=(1.0, 5.0))
    return {task.kind: resolve(known_names(task), task) for task in (Task(), binary, several)}


def _facts(measure: Measure) -> dict[str, Any]:
    return {"formula": _formula(measure), "better": measure.better, "units": measure.units}


def _formula(measure: Measure) -> str:
    """The formula, or where it is read from counts."""
    counted = {"scores": "from rows by score and class", "sureness": "from rows by sureness",
               "confusion": "from the confusion matrix",
               "against_rest": "from rows by score, each class against the rest",
               "class_skill": "1 - mean loss / that of the classes' frequencies"}  # fmt: skip
    return counted.get(measure.formula.op, repr(measure.formula))


def _print(groups: dict[str, tuple[Measure, ...]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    for kind, found in groups.items():
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for title in ("measure", "units", "better", "formula"):
            table.add_column(title, overflow="fold", no_wrap=title == "measure")
        for measure in found:
            table.add_row(measure.name, measure.units, measure.better, _formula(measure))
        console.print(f"{_TITLES[kind]}\n")
        console.print(table)
        console.print()
    console.print("\n".join(_NOTES))
