"""Compiled functions whose machine code is kept, so that the next start finds it made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kept(function: Function) -> Function:
    """Compile without the interpreter's lock, and keep the machine code where that is possible."""
    return _compiled(function)


def kept_bare(function: Function) -> Function:
    """The same where no array is made: no references are counted, so calls are cheap."""
    return _compiled(function, _nrt=False)


def kept_in_any_order(function: Function) -> Function:
    """The same where numbers are added up in any order: several at once."""
    return _compiled(function, _nrt=False, fastmath={"reassoc"})


def _compiled(function: Function, **options: Any) -> Function:
    chosen = {"nogil": True, "error_model": "numpy", **options}
    try:
        return cast(Function, njit(cache=True, **chosen)(function))
    except RuntimeError:  # no folder for it can be written
        return cast(Function, njit(**chosen)(function))
