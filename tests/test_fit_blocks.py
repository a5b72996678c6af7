"""What passes over rows add up, against NumPy on the whole matrix, however the rows lie."""

import numpy as np
import pytest

from offby.fit.data.rows import Rows
from offby.fit.passes import blocks
from offby.fit.passes.blocks import Linear, over_rows

LAYOUTS = {
    "rows": lambda X: X,
    "columns": np.asfortranarray,
    "every third row": lambda X: np.repeat(X, 3, axis=0)[::3],
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "last row first": lambda X: X[::-1].copy()[::-1],
}


@pytest.fixture(params=[1, 3, 4, 64, 1001])
def X(request):
    return np.random.default_rng(request.param).normal(loc=50, size=(request.param, 11))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("intercept", [True, False])
def test_sums_are_those_of_the_whole_matrix(X, layout, intercept, monkeypatch):
    monkeypatch.setattr(blocks, "_MOST_ROWS", 300)  # so that there are several blocks
    rng = np.random.default_rng(1)
    y, weight = rng.normal(size=(2, len(X))) ** 2
    linear = Linear(np.full(11, 50.0), intercept)
    Z = np.hstack([X - 50, np.ones((len(X), 1))])[:, : linear.size]
    two = rng.normal(size=(2, linear.size))

    def of_block(block):
        values = block.weighted(block.score(two) * block.y)
        alike = np.all(block.times(values[1]) == block.times(values)[1])
        parts = [block.times(values), block.gram(block.weighted(block.y)), block.squares()]
        return np.concatenate([*map(np.ravel, parts), [block.total(), float(not alike)]])

    rows, size = Rows(LAYOUTS[layout](X), y, weight), linear.size
    found = over_rows(rows, linear, of_block, np.zeros(size * (3 + size) + 2))
    scores = weight * y * (two @ Z.T)
    parts = [scores @ Z, (Z.T * weight * y) @ Z, weight @ Z**2, [weight.sum(), 0]]
    np.testing.assert_allclose(found, np.concatenate([*map(np.ravel, parts)]), rtol=1e-9, atol=1e-9)
