"""Fitted models as JSON: numbers and formulas, no code, so that loading one is safe.

Every float64 is written with the digits that bring it back; what JSON has no number for (NaN, inf)
is a text. A loss of one's own is written as its formula.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offby.engine.rows import Floats
from offby.errors import DataError, OffbyError
from offby.fit.fitted import Fit
from offby.fit.solvers.descent import Descent
from offby.fit.statistics.inference import Inference
from offby.formula.expression import constant, substitute, walk
from offby.losses import CATALOGUE, CategoricalLoss, Loss, SoftmaxCrossEntropy, from_text

FORMAT = "offby linear model"
VERSION = 1
_FACTS = ("link", "objective", "gap", "certificate", "converged", "escapes", "iterations", "rank",
          "rows", "scale")  # fmt: skip


def write(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write a model's content to a file, at once or not at all."""
    target = Path(path)
    text = json.dumps({"format": FORMAT, "version": VERSION, **content}, indent=1, allow_nan=False)
    partial = target.with_name(target.name + ".part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(target)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The content of a model's file; `DataError` for what is none."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; model.save(path) writes one") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is no JSON ({error}); a saved model was expected") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path} is no saved model of offby: it lacks 'format': {FORMAT!r}")
    if content.get("version") != VERSION:
        raise DataError(
            f"{path} has version {content.get('version')!r} of the format, and this offby reads "
            f"{VERSION}; update offby, or fit the model again"
        )
    return content


def fit_as_json(fit: Fit) -> dict[str, Any]:
    """A fit as JSON holds it."""
    inference = None
    if fit.inference is not None:
        covariance = _listed(fit.inference.covariance)
        inference = {"covariance": covariance, "degrees": fit.inference.degrees}
    return {
        "coefficients": _listed(fit.coefficients),
        "intercepts": _listed(fit.intercepts),
        "loss": text_of(fit.loss),
        **{name: _plain(getattr(fit, name)) for name in _FACTS},
        "history": {name: _listed(column) for name, column in fit.history.items()},
        "inference": inference,
        "explained": _plain(fit.explained),
    }


def fit_from_json(content: Mapping[str, Any]) -> Fit:
    """The fit again; `DataError` where something is missing or is not what it should be."""
    try:
        inference = content["inference"]
        if inference is not None:
            inference = Inference(_floats(inference["covariance"]), int(inference["degrees"]))
        return Fit(
            coefficients=_floats(content["coefficients"], 2),
            intercepts=_floats(content["intercepts"], 1),
            loss=loss_of(content["loss"]),
            history={name: _floats(column) for name, column in content["history"].items()},
            inference=inference,
            explained=content.get("explained"),
            **{name: content[name] for name in _FACTS},
        )
    except OffbyError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"the saved model is damaged: {type(error).__name__} {error}") from None


def text_of(loss: Any) -> str:
    """A text that `loss_of` makes the same loss of.

    >>> from offby.losses import Huber
    >>> text_of(Huber(1.345))
    'huber:1.345'
    """
    if isinstance(loss, CategoricalLoss):
        return loss.name
    if type(loss) in CATALOGUE or not isinstance(loss, Loss):
        return str(loss)
    values = {
        node: constant(loss.parameters[str(node.data)])
        for node in walk(loss.formula)
        if node.op == "parameter"
    }
    return repr(substitute(loss.formula, values))


def loss_of(text: str) -> Loss | CategoricalLoss:
    """The loss that a text stands for."""
    return SoftmaxCrossEntropy() if text == SoftmaxCrossEntropy.name else from_text(text)


def parameters_as_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """An estimator's parameters; a dict with keys of any kind becomes pairs."""
    return {name: _parameter(value) for name, value in parameters.items()}


def parameters_from_json(content: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters again."""
    return {name: _parameter_from(value) for name, value in content.items()}


def _parameter_from(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "descent" in value:
        return Descent(**value["descent"])
    return dict(value["pairs"])


def _parameter(value: Any) -> Any:
    if isinstance(value, Descent):
        return {"descent": asdict(value)}
    if isinstance(value, Loss):
        return text_of(value)
    if isinstance(value, tuple | list | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {"pairs": [[_plain(key), _plain(item)] for key, item in value.items()]}
    return _plain(value)


def classes_as_json(classes: NDArray[Any]) -> dict[str, Any]:
    """The classes, with the type that they had."""
    if classes.dtype.kind not in "OUbiuf":
        raise DataError(f"classes of type {classes.dtype} cannot be saved; make texts of them")
    return {"type": classes.dtype.str, "values": [_plain(value) for value in classes.tolist()]}


def classes_from_json(content: Mapping[str, Any]) -> NDArray[Any]:
    """The classes again, each as it was; `DataError` where they are not there."""
    try:
        return np.array(content["values"], dtype=np.dtype(content["type"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"the saved model is damaged: its classes are {content!r}") from error


def _plain(value: Any) -> Any:
    """Numbers of NumPy as Python's; what JSON cannot hold is refused."""
    number = value.item() if isinstance(value, np.generic) else value
    if number is not None and not isinstance(number, bool | int | float | str):
        raise DataError(f"{value!r} cannot be saved as JSON; it is no number, text, list or dict")
    return str(number) if isinstance(number, float) and not np.isfinite(number) else number


def _listed(values: Floats) -> Any:
    if values.ndim > 1:
        return [_listed(row) for row in values]
    return [_plain(value) for value in values.tolist()]


def _floats(values: Any, dimensions: int | None = None) -> Floats:
    found = np.array(values, dtype=np.float64)  # which reads "nan" and "inf" too
    if dimensions is not None and found.ndim != dimensions:
        raise ValueError(f"{dimensions} dimensions expected, {found.ndim} found")
    return found
