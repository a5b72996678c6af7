"""One thread a matrix product: those of a fit are small, and passes have threads of their own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """While this holds, BLAS runs in the caller's thread.

    Its threads wait for one another at each product: on a busy machine that takes a hundred times
    as long as the product. Without threadpoolctl, which scikit-learn brings, nothing is changed.

    >>> with one_thread():
    ...     pass
    """
    controller = _controller()
    return nullcontext() if controller is None else controller.limit(limits=1, user_api="blas")


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  # has a BLAS of its own, which must be loaded to be found

    try:
        from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]
    except ImportError:
        return None
    return ThreadpoolController()
