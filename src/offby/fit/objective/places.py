"""What is searched for where several classes have coefficients of their own.

Adding the same to the coefficients of all classes changes no chance. So what is searched for are
contrasts of the classes, in a basis T (K, K - 1) of unit vectors orthogonal to (1, …, 1): there
nothing is undetermined, and an l2 penalty is the same as on the coefficients of all K classes. An
l1 penalty is not: it asks of each class which of its own coefficients are 0. Under one these
themselves are searched for, and of the intercepts, which nothing penalises, the contrasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from offby.engine.rows import Floats
from offby.fit.passes.blocks import Linear


def contrasts_of(classes: int) -> Floats:
    """Orthonormal columns that each add up to 0: (K, K - 1).

    >>> bool(np.allclose(contrasts_of(3).sum(axis=0), 0))
    True
    """
    return np.asarray(linalg.helmert(classes).T)


@dataclass(frozen=True, eq=False)
class Places:
    """The numbers to be found: each goes with one column of the rows, and has a share in classes.

    `columns` are those columns, (size,), the intercept's last; `shares` (K · columns, size) leads
    to the coefficients of the first class, the second …, and its own columns are unit vectors.
    """

    columns: NDArray[np.intp]
    shares: sparse.csr_array
    classes: int

    @classmethod
    def of(cls, classes: int, linear: Linear, *, one_by_one: bool) -> Places:
        """Contrasts of the classes; `one_by_one` the coefficients themselves.

        >>> linear = Linear(np.zeros(4), intercept=True)
        >>> [Places.of(3, linear, one_by_one=how).size for how in (False, True)]
        [10, 14]
        """
        contrasts, columns = contrasts_of(classes), np.arange(linear.size)
        groups = [(contrasts, columns)]
        if one_by_one:
            coefficients, rest = np.split(columns, [linear.features])
            groups = [(np.eye(classes), coefficients), (contrasts, rest)]
        one = np.eye(linear.size)
        shares = [sparse.kron(share, one[:, some]) for share, some in groups]
        places = [np.tile(some, share.shape[1]) for share, some in groups]
        return cls(np.concatenate(places), sparse.csr_array(sparse.hstack(shares)), classes)

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.columns.size

    def by_class(self, at: Floats) -> Floats:
        """The coefficients of each class, intercept last: (K, columns)."""
        return np.asarray(self.shares @ at).reshape(self.classes, -1)

    def slope(self, by_class: Floats) -> Floats:
        """What is the slope in coefficients (K, columns), in these numbers: (size,)."""
        return np.asarray(self.shares.T @ by_class.ravel())

    def bend(self, by_class: Floats) -> Floats:
        """What is the bend between coefficients (K, columns, K, columns): (size, size)."""
        flat = by_class.reshape(self.shares.shape[0], -1)
        return np.asarray((self.shares.T @ flat) @ self.shares)
