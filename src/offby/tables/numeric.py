"""Which columns of a table hold numbers: by their types, or by the first rows."""

from collections.abc import Sequence
from typing import Any

from offby.errors import DataError
from offby.tables.floats import Place
from offby.tables.table import Table
from offby.tables.text import parse_numbers

_NUMBERS = ("number", "boolean")


def numeric_columns(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns that hold numbers or booleans.

    Columns of CSV have no type: they are numeric if all of the first rows are. Of what can be read
    only once those are the rows in the bytes that were looked at.

    >>> from offby.tables import open_table
    >>> table = open_table({"rooms": [2, 3], "town": ["Bath", "York"], "sold": [True, False]})
    >>> numeric_columns(table, table.columns)
    ('rooms', 'sold')
    """
    kinds = {name: table.kind(name) for name in names}
    unknown = [name for name in names if kinds[name] == "unknown"]
    first = next(iter(table.peek(unknown)), None) if unknown else None
    words = {} if first is None else first.labels
    return tuple(
        name
        for name in names
        if kinds[name] in _NUMBERS or (name in words and _are_numbers(words[name], name))
    )


def _are_numbers(words: Any, name: str) -> bool:
    try:
        parse_numbers(words, Place("", name))
    except DataError:
        return False
    return True
