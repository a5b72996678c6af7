"""What large coefficients cost: l1 |b| + l2 b²/2 for each, and nothing for the intercept."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.errors import DataError

Kind = Literal["l1", "l2", "elasticnet"]
_KINDS = (None, "l1", "l2", "elasticnet")


@dataclass(frozen=True, eq=False)
class Penalty:
    """The weights of |b| and of b²/2, one for each number to be found: (size,)."""

    l1: Floats
    l2: Floats

    @property
    def none(self) -> bool:
        """Whether nothing is penalised."""
        return not (self.l1.any() or self.l2.any())

    @property
    def smooth(self) -> bool:
        """Whether it has a slope everywhere."""
        return not self.l1.any()

    def nothing(self) -> Penalty:
        """One that costs nothing, for the same places."""
        return Penalty(np.zeros_like(self.l1), np.zeros_like(self.l2))

    def of(self, places: NDArray[np.intp]) -> Penalty:
        """That of several numbers, each of which costs what the one at its place does here."""
        return Penalty(self.l1[places], self.l2[places])

    def value(self, at: Floats) -> float:
        """What `at` costs."""
        return float(self.l1 @ np.abs(at) + self.l2 @ at**2 / 2)

    def slope(self, at: Floats) -> Floats:
        """The derivative of the smooth part: (size,)."""
        return np.asarray(self.l2 * at)

    def rest(self, at: Floats, slope: Floats) -> Floats:
        """What a mean loss's slope at `at` leaves to gain: 0 at the minimum, (size,).

        It is the slope of the objective; at a number that is 0, what l1 does not hold back.

        >>> penalty = Penalty(np.ones(3), np.zeros(3))
        >>> penalty.rest(np.array([0.0, 0.0, 2.0]), np.array([-1.5, 0.9, -1.0]))
        array([-0.5,  0. ,  0. ])
        """
        whole = slope + self.slope(at)
        beyond = np.sign(whole) * np.maximum(np.abs(whole) - self.l1, 0.0)
        return np.where(at == 0, beyond, whole + self.l1 * np.sign(at))

    def conjugate(self, pull: Floats) -> Floats:
        """The largest of pull·b less what b costs, for each place: (size,).

        It is infinite where nothing bounds it; a pull of l1 or less costs nothing.

        >>> Penalty(np.array([1.0, 0.0]), np.array([2.0, 0.0])).conjugate(np.array([-3.0, 0.0]))
        array([1., 0.])
        """
        beyond = np.maximum(np.abs(pull) - self.l1, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(beyond > 0, beyond**2 / (2 * self.l2), 0.0)


def penalty_of(
    kind: Kind | None, alpha: float, l1_ratio: float, features: int, intercept: bool
) -> Penalty:
    """alpha times (l1_ratio |b| + (1 - l1_ratio) b²/2), as its name says; `DataError` if unknown.

    >>> penalty_of("elasticnet", 2.0, 0.25, 1, intercept=True).l2
    array([1.5, 0. ])
    """
    if kind not in _KINDS:
        raise DataError(f"penalty is {kind!r}; known are None, 'l1', 'l2' and 'elasticnet'")
    numbers = isinstance(alpha, Real) and isinstance(l1_ratio, Real)
    if not numbers or not 0 <= alpha < np.inf or not 0 <= l1_ratio <= 1:
        raise DataError(
            f"alpha is {alpha!r} and l1_ratio {l1_ratio!r}; expected a number of at least 0, and "
            "one from 0 to 1"
        )
    alpha = 0.0 if kind is None else alpha
    share = {"l1": 1.0, "elasticnet": l1_ratio}.get(kind or "", 0.0)
    places = np.append(np.ones(features), np.zeros(int(intercept)))
    return Penalty(alpha * share * places, alpha * (1 - share) * places)
