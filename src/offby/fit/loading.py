"""A saved model, ready to predict."""

from __future__ import annotations

import os
from typing import Any

from offby.errors import DataError
from offby.fit.classifier import LinearClassifier
from offby.fit.model import LinearModel
from offby.fit.quantile_regressor import QuantileRegressor
from offby.fit.regressor import LinearRegressor
from offby.fit.saved import read

_KINDS: dict[str, type[LinearModel | QuantileRegressor]] = {
    kind.__name__: kind for kind in (LinearRegressor, LinearClassifier, QuantileRegressor)
}


def load(path: str | os.PathLike[str]) -> Any:
    """The model that `model.save(path)` wrote: its predictions are the same to the last bit.

    Raises `DataError` for a file that is no saved model, or a damaged one.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.json"
    >>> LinearRegressor().fit([[1.0], [2.0], [4.0]], [2.0, 4.0, 8.0]).save(path)
    >>> load(path).predict([[3.0]])
    array([6.])
    """
    content = read(path)
    kind = _KINDS.get(content.get("estimator", ""))
    if kind is None:
        raise DataError(f"{path} holds a {content.get('estimator')!r}, which this offby has not")
    return kind.from_json(content)
