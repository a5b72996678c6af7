"""The templates of pages; names in them are escaped, and one that is missing is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_HERE = "offby.drawing"


def template(name: str, room: str = _HERE) -> Template:
    """A template of a room, which may build on those of this one."""
    return _environment(room).get_template(name)


@cache
def _environment(room: str) -> Environment:
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    rooms = dict.fromkeys([room, _HERE])
    return Environment(
        loader=ChoiceLoader([PackageLoader(each, ".") for each in rooms]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
