"""`offby measures`: the names that can be asked for."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def measures(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the measures and their formulas.

    Parameters
    ----------
    json
        Print JSON.
    """
    from offby.measures.names import known_names, resolve

    found = resolve(known_names())
    if json:
        from json import dumps

        facts = {m.name: {"formula": repr(m.formula), "better": m.better, "units": m.units}
                 for m in found}  # fmt: skip
        print(dumps(facts, indent=2, ensure_ascii=False))
        return 0
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title in ("measure", "units", "better", "formula"):
        table.add_column(title, overflow="fold", no_wrap=title == "measure")
    for measure in found:
        table.add_row(measure.name, measure.units, measure.better, repr(measure.formula))
    console = Console(highlight=False, markup=False)
    console.print(table)
    console.print("\nr is y_pred - y_true; a number after a colon is a parameter of your choice.")
    return 0
