"""The same formulas on torch tensors and JAX arrays, with our own derivatives under autograd.

Going through autograd by hand would meet `where` with an infinite slope in the branch not taken,
and turn gradients into NaN; the derived gradient has no such trap, and is itself a formula whose
derivative is derived again.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import numpy as np

from offby.formula.arrays import evaluate as on_arrays
from offby.formula.derive import PREDICTION, TRUTH, derivative
from offby.formula.expression import Expression
from offby.formula.words import p, y, z


def library_of(*values: Any) -> str | None:
    """torch or jax, where one of the values is theirs, None otherwise."""
    torch = sys.modules.get("torch")
    if torch is not None and any(isinstance(value, torch.Tensor) for value in values):
        return "torch"
    jax = sys.modules.get("jax")
    if jax is not None and any(isinstance(value, jax.Array) for value in values):
        return "jax"
    return None


def evaluate(library: str, formula: Expression, y_true: Any, y_pred: Any) -> Any:
    """The formula on tensors; gradients of any order flow to both arguments."""
    if library == "jax":
        import jax.numpy as jnp

        return _jax_function(formula)(jnp.asarray(y_true), jnp.asarray(y_pred))
    import torch

    like = y_pred if isinstance(y_pred, torch.Tensor) else y_true
    if not like.is_floating_point():
        like = like.double()
    truth = torch.as_tensor(y_true, dtype=like.dtype, device=like.device)
    prediction = torch.as_tensor(y_pred, dtype=like.dtype, device=like.device)
    both: Any = torch.broadcast_tensors  # which has no types
    return _torch_function(formula).apply(*both(truth, prediction))


def namespace(library: str | None) -> Any:
    """The module whose functions compute on arrays of the library; NumPy for None."""
    if library == "jax":
        import jax.numpy as jnp

        return jnp
    return sys.modules["torch"] if library else np


def floats(xp: Any, values: Any) -> Any:
    """The values as an array of floating-point numbers; NumPy's are float64."""
    if xp is np:
        return np.asarray(values, dtype=np.float64)
    array = xp.as_tensor(values) if xp.__name__ == "torch" else xp.asarray(values)
    return array / 1  # which makes floats of integers, and leaves floats what they are


def beside(xp: Any, values: Any, like: Any) -> Any:
    """The values in the type and the place of `like`."""
    place = {"device": like.device} if xp.__name__ == "torch" else {}
    return xp.asarray(values, dtype=like.dtype, **place)


def one_hot(xp: Any, places: Any, like: Any) -> Any:
    """1 in the column of each place and 0 in the others; NaN where there is no such column."""
    at = {"device": like.device} if xp.__name__ == "torch" else {}
    hot = xp.asarray(places, **at)[..., None] == xp.arange(like.shape[-1], **at)
    found = hot * beside(xp, 1.0, like)
    return xp.where(hot.any(-1)[..., None], found, float("nan"))


def mean(values: Any, sample_weight: Any) -> Any:
    """The weighted mean, in the tensors' own library."""
    if sample_weight is None:
        return values.mean()
    return (values * sample_weight).sum() / sample_weight.sum()


@lru_cache(maxsize=256)
def _torch_function(formula: Expression) -> Any:
    import torch

    class Derived(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, y_true: Any, y_pred: Any) -> Any:
            context.save_for_backward(y_true, y_pred)
            found = on_arrays(formula, {y: y_true, p: y_pred, z: y_pred}, torch)
            return found.broadcast_to(y_pred.shape).clone()

        @staticmethod
        def backward(context: Any, upstream: Any) -> Any:
            y_true, y_pred = context.saved_tensors
            needs = zip((TRUTH, PREDICTION), context.needs_input_grad, strict=True)
            slopes = [derivative(formula, towards) if need else None for towards, need in needs]
            return tuple(
                None if slope is None else upstream * _torch_function(slope).apply(y_true, y_pred)
                for slope in slopes
            )

    return Derived


@lru_cache(maxsize=256)
def _jax_function(formula: Expression) -> Any:
    import jax
    import jax.numpy as jnp

    @jax.custom_jvp
    def function(y_true: Any, y_pred: Any) -> Any:
        found = on_arrays(formula, {y: y_true, p: y_pred, z: y_pred}, jnp)
        return jnp.broadcast_to(found, jnp.broadcast_shapes(y_true.shape, y_pred.shape))

    @function.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        slopes = (derivative(formula, TRUTH), derivative(formula, PREDICTION))
        moved = [
            _jax_function(slope)(*primals) * tangent
            for slope, tangent in zip(slopes, tangents, strict=True)
        ]
        return function(*primals), moved[0] + moved[1]

    return function
