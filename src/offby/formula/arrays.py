"""A formula on whole arrays of NumPy, torch or JAX, each staying in its own library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from offby.formula.expression import Expression, walk
from offby.formula.primitives import PRIMITIVES
from offby.formula.words import p, r, y


def evaluate(root: Expression, values: Mapping[Expression, Any], xp: Any = np) -> Any:
    """`root` with `values` put in for its leaves; `xp` is the namespace that computes.

    Constants take the type of the values, so that float32 stays float32.
    """
    like = next(iter(values.values()), np.float64(0))
    done: dict[Expression, Any] = dict(values)
    for current in walk(root, values):
        if current.op == "constant":
            done[current] = number(xp, current.data, like)
        elif current is r:
            done[current] = done[p] - done[y]
        else:
            args = [done[arg] for arg in current.args]
            done[current] = PRIMITIVES[current.op].arrays(xp, *args)
    return done[root]


def number(xp: Any, value: float, like: Any) -> Any:
    """`value` as a number of the same library, type and place as `like`."""
    if xp is np:
        return np.float64(value)
    if xp.__name__ == "torch":
        return xp.tensor(value, dtype=like.dtype, device=like.device)
    return xp.asarray(value, dtype=like.dtype)
