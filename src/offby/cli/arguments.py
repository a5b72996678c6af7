"""Numbers in arguments."""

from __future__ import annotations


def costs_of(costs: str | None) -> list[float] | None:
    """`1,5`: of a false positive and a false negative; or rows of a matrix apart by semicolons."""
    from offby.errors import MeasureError

    if costs is None:
        return None
    try:
        rows = [[float(part) for part in row.split(",")] for row in costs.split(";")]
    except ValueError:
        raise MeasureError(
            f"--costs {costs!r} cannot be read; write numbers, such as 1,5"
        ) from None
    return rows[0] if len(rows) == 1 else rows  # type: ignore[return-value]


def edges_of(told: list[str]) -> dict[str, list[float]]:
    """`age=18,30,50`, each a column."""
    from offby.errors import MeasureError

    found = {}
    for text in told:
        name, _, numbers = text.rpartition("=")
        try:
            found[name] = [float(part) for part in numbers.split(",")]
        except ValueError:
            raise MeasureError(
                f"--edges {text!r} cannot be read; write a column and numbers, such as age=18,30,50"
            ) from None
    return found
