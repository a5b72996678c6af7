"""Fitting a few numbers to a loss: Newton steps that are halved until they lead downhill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats

Slopes = Callable[[Floats], tuple[Floats, Floats, Floats]]
"""From a shift of each row's prediction to its loss, gradient and curvature."""
# no matrix products here: on so few rows the threads of BLAS cost a hundred times what they save
_STEPS = 30
_HALVINGS = 4
_ENOUGH = 1e-5  # of the loss: a step that takes off less is the last


class Moves(Protocol):
    """The ways in which predictions may be moved together."""

    @property
    def count(self) -> int:
        """How many numbers there are to fit."""
        ...

    def shift(self, numbers: Floats) -> Floats:
        """The shift of each row."""
        ...

    def newton(self, steep: Floats, bent: Floats) -> Floats:
        """The step that ends where the parabola with these slopes is lowest."""
        ...


@dataclass(frozen=True, eq=False)
class Line:
    """A shift by c_0 a_0 + c_1 a_1 + ...: `columns` holds the a, one a row."""

    columns: Floats

    @property
    def count(self) -> int:
        """How many numbers there are to fit."""
        return int(self.columns.shape[0])

    def shift(self, numbers: Floats) -> Floats:
        """The shift of each row."""
        return np.asarray(np.einsum("i,ik->k", numbers, self.columns), np.float64)

    def newton(self, steep: Floats, bent: Floats) -> Floats:
        """The step that ends where the parabola with these slopes is lowest."""
        pull = np.einsum("ik,k->i", self.columns, steep)
        square = np.einsum("ik,k,jk->ij", self.columns, bent, self.columns)
        if not (np.isfinite(square).all() and np.isfinite(pull).all()):
            return np.zeros(self.count)  # the loss is at the edge of where it is defined
        return np.asarray(np.linalg.lstsq(square, -pull, rcond=1e-12)[0], np.float64)


@dataclass(frozen=True, eq=False)
class Levels:
    """A shift of its own for each group of rows."""

    group: NDArray[np.int64]

    @property
    def count(self) -> int:
        """How many numbers there are to fit."""
        return int(self.group.max()) + 1

    def shift(self, numbers: Floats) -> Floats:
        """The shift of each row."""
        return np.asarray(numbers[self.group])

    def newton(self, steep: Floats, bent: Floats) -> Floats:
        """The step that ends where the parabola with these slopes is lowest."""
        total = np.bincount(self.group, bent, self.count)
        pull = np.bincount(self.group, steep, self.count)
        return np.where(total > 0, -pull / np.where(total > 0, total, 1.0), 0.0)


def descend(slopes: Slopes, moves: Moves, weight: Floats) -> Floats:
    """The numbers that make the weighted loss least, from 0 on.

    >>> truth = np.array([1.0, 2.0, 6.0])
    >>> slopes = lambda shift: ((shift - truth) ** 2, 2 * (shift - truth), np.full(3, 2.0))
    >>> descend(slopes, Line(np.ones((1, 3))), np.ones(3)).tolist()
    [3.0]
    """
    numbers = np.zeros(moves.count)
    losses, steep, bent = slopes(moves.shift(numbers))
    height = float(np.sum(weight * losses))
    for _ in range(_STEPS):
        step = moves.newton(weight * steep, weight * bent)
        for _ in range(_HALVINGS):
            losses, *ahead = slopes(moves.shift(numbers + step))
            lower = float(np.sum(weight * losses))
            if lower < height:
                break
            step = step / 4
        else:
            break
        numbers, (steep, bent), gained = numbers + step, ahead, height - lower
        height = lower
        if gained <= _ENOUGH * abs(height):
            break
    return numbers
