"""Compiled functions whose machine code is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kept(function: Function) -> Function:
    """Compile without the interpreter's lock, and keep the machine code where that is possible."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(Function, njit(cache=True, **options)(function))  # type: ignore[call-overload]
    except RuntimeError:  # no folder for it can be written
        return cast(Function, njit(**options)(function))  # type: ignore[call-overload]
