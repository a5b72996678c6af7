"""Formulas on whole arrays, element by element, through the compiled loop."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from offby.engine.compiled import run_loop
from offby.engine.loop import TILE
from offby.engine.program import Builder, Program, aligned
from offby.formula.expression import Expression

Floats = NDArray[np.float64]
Result = TypeVar("Result")
_WORTH_A_THREAD = 1 << 17
_SLICES_A_THREAD = 8
_POOL = "offby-worker"


def threads() -> int:
    """How many threads a pass uses: the processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads(), thread_name_prefix=_POOL)


def in_slices(rows: int, work: Callable[[int, int], Result]) -> list[Result]:
    """`work(start, stop)` over slices of whole tiles, in threads; results in row order.

    There are more slices than threads, so that a thread that was held up does less.
    """
    parts = max(1, min(_SLICES_A_THREAD * threads(), rows // _WORTH_A_THREAD))
    if parts < threads():
        parts = 1
    size = max(-(-rows // (parts * TILE)) * TILE, 1)
    return at_once(
        [partial(work, start, min(start + size, rows)) for start in range(0, rows, size)]
    )


def at_once(jobs: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of the jobs, done in the pool's threads where that is of use."""
    inside = threading.current_thread().name.startswith(_POOL)  # waiting for itself, for ever
    if len(jobs) <= 1 or inside:
        return [job() for job in jobs]
    running = [_pool(os.getpid()).submit(job) for job in jobs]
    wait(running)  # also where one fails: none must go on behind the caller's back
    return [done.result() for done in running]


class _Task(NamedTuple):
    """Formulas, the words they are given, which of these are of float32, and what is written."""

    roots: tuple[Expression, ...]
    inputs: tuple[Expression, ...]
    singles: tuple[int, ...] = ()
    store: str = "store"


@lru_cache(maxsize=512)
def _program(task: _Task) -> Program:
    builder = Builder(task.inputs)
    for place, root in enumerate(task.roots):
        builder.act(task.store, place, builder.value(root))
    return builder.finish().reading(task.singles)


@lru_cache(maxsize=64)
def _prepared(task: _Task, thread: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What the loop is given before and after the columns; a thread uses its own again and again.

    To make that anew costs more than a few thousand rows do.
    """
    arguments = loop_arguments(_program(task), *_NO_COLUMNS, 0, 0)
    return arguments[:2], arguments[6:]


def compute(
    roots: Sequence[Expression],
    values: Mapping[Expression, ArrayLike],
    dtype: type = np.float64,
) -> list[NDArray[Any]]:
    """Each formula at each element of `values`, which broadcast against each other.

    Columns of float32 are read as they lie; all is computed in float64, and rounded to `dtype`,
    float64 or float32, as it is written.

    >>> from offby.formula import r, p, y
    >>> compute([r**2, abs(r)], {y: [1, 2], p: 3.0})
    [array([4., 1.]), array([2., 1.])]
    """
    arrays = [_as_floats(value) for value in values.values()]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    flat = [_flat(array, shape) for array in arrays]
    outputs: list[NDArray[Any]] = [np.empty(shape, dtype) for _ in roots]
    task = _Task(
        tuple(roots),
        tuple(values),
        singles_of(flat),
        "store_single" if np.dtype(dtype) == np.float32 else "store",
    )
    inputs = addresses_of(flat)
    addresses = np.array([out.ctypes.data for out in outputs], np.int64)
    rows = math.prod(shape)

    def work(start: int, stop: int) -> None:
        program, room = _prepared(task, threading.get_ident())
        run_loop(*program, inputs, addresses, start, stop, *room)

    in_slices(rows, work)
    return outputs


def _as_floats(value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    return array if array.dtype == np.float32 else np.asarray(array, np.float64)


def _flat(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The elements in order, or the single one that stands for all."""
    if array.size == 1:
        return array.reshape(1)
    if array.shape == shape and array.ndim == 1 and _in_steps(array):
        return array  # a column of a matrix is read as it lies
    return np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1)


def _in_steps(array: NDArray[Any]) -> bool:
    """Whether from one number to the next it is forwards, and by whole numbers."""
    return array.strides[0] >= 0 and array.strides[0] % array.itemsize == 0


def singles_of(columns: Iterable[NDArray[Any]]) -> tuple[int, ...]:
    """The places of those of float32."""
    return tuple(place for place, column in enumerate(columns) if column.itemsize == 4)


def addresses_of(columns: Iterable[NDArray[Any]]) -> NDArray[np.int64]:
    """Where columns begin, and how many bytes from one number to the next: 0 if it is alone."""
    each = [[x.ctypes.data, x.strides[0] if x.size != 1 else 0] for x in columns]
    return np.array(each, np.int64).reshape(-1, 2)


_NO_COLUMNS = np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
_NONE = {
    "offset": 0,
    "ids": np.zeros(0, np.int64),
    "limbs": np.zeros((0, 0), np.int64),
    "special": np.zeros((0, 4), np.int64),
    "anchors": np.zeros(0, np.int64),
    "sums": np.zeros(0),
    "sizes": np.zeros((0, 0)),
    "rows": np.zeros((0, 0), np.int64),
    "tables": np.zeros(0, np.int64),
    "starts": np.zeros(1, np.int64),
    "pairs": np.zeros((0, 0)),
    "direct": np.zeros(0, np.int32),
    "windows": np.zeros(1, np.int64),
    "bases": np.zeros(0, np.int64),
    "levels": np.zeros(0, np.int64),
    "used": np.zeros(0, np.int64),
    "room": np.zeros(0, np.int64),
}


def loop_arguments(
    program: Program,
    inputs: NDArray[np.int64],
    outputs: NDArray[np.int64],
    start: int,
    stop: int,
    registers: Floats | None = None,
    **accumulators: Any,
) -> tuple[Any, ...]:
    """The loop's arguments in its order; accumulators that are not named are empty."""
    a = {**_NONE, **accumulators}
    return (
        program.code,
        program.fresh_registers() if registers is None else registers,
        inputs,
        outputs,
        start,
        stop,
        *(
            a[name]
            for name in ("offset", "ids", "limbs", "special", "anchors", "sums", "sizes", "rows")
        ),
        program.columns,
        *(
            a[name]
            for name in (
                "tables",
                "starts",
                "pairs",
                "direct",
                "windows",
                "bases",
                "levels",
                "used",
                "room",
            )
        ),
        *aligned((2, TILE)).view(np.int64),
        np.empty((program.columns.shape[1], TILE)),
    )
