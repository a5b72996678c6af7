"""What a loss is: one formula, a few facts, and everything that follows from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from offby.engine.evaluate import compute
from offby.errors import FormulaError
from offby.formula.derive import gradient, hessian
from offby.formula.expression import Expression, constant, node, number_text, substitute, walk
from offby.formula.latex import latex
from offby.formula.words import maximum, p, r, where, y, z
from offby.losses import tensors
from offby.losses.average import exact_mean
from offby.losses.constant import best_constant
from offby.losses.trainable import Trainable

FLOOR = constant(1e-6)
"""The least |r|, in units of y, by which a curvature is divided."""
LEAST_CURVATURE = constant(1e-12)
"""The least curvature of any loss: what a bounded loss has left far from zero."""


@dataclass(eq=False)
class ParameterSpec:
    """What is known of a loss's parameter; its name comes from the class it stands in."""

    default: float
    units: str
    above: float
    below: float
    name: str = "?"

    def __str__(self) -> str:
        return self.name

    def check(self, loss: str, value: Any) -> float:
        """The value as a number within the bounds; raises `FormulaError`."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not self.above < number < self.below:
            raise FormulaError(
                f"{loss}: {self.name} is {value!r}; it must be a number above {self.above:g}"
                + (f" and below {self.below:g}" if np.isfinite(self.below) else "")
            )
        return number


def Parameter(  # noqa: N802  # stands in class bodies as a declaration
    default: float, units: str = "1", above: float = -np.inf, below: float = np.inf
) -> Any:
    """A number the loss takes, with its default, its units and the open range it must lie in."""
    return node("parameter", (), ParameterSpec(default, units, above, below))


@dataclass(frozen=True)
class Noise:
    """The noise under which minimising the loss is maximum likelihood.

    The density is exp(-loss) / exp(log_normaliser); for deviances, exp(-loss/2) / exp(...), where
    the normaliser may depend on y.
    """

    name: str
    log_normaliser: Callable[..., Any]


class Loss(Trainable):
    """How wrong one prediction is: a formula l(y, p), and what is derived from it.

    Subclasses state facts; nothing is overridden twice. Instances are immutable values.
    """

    formula: ClassVar[Any]
    name: ClassVar[str] = ""
    functional: ClassVar[str] = ""
    """What it elicits: the constant that minimises its mean."""
    noise: ClassVar[Noise | None] = None
    units: ClassVar[str] = "1"
    scale: ClassVar[str] = "identity"
    """The scale of the prediction: identity, log, logit or margin (its sign is the answer)."""
    domain: ClassVar[Expression | None] = None
    """Where it is defined, as a condition on y and p; None is everywhere."""
    surrogate: ClassVar[Any] = None
    """The curvature's formula, where the rule for distance losses does not apply."""
    parameter_specs: ClassVar[tuple[ParameterSpec, ...]] = ()

    def __init_subclass__(cls) -> None:
        specs = []
        for name, value in list(vars(cls).items()):
            if isinstance(value, Expression) and value.op == "parameter":
                value.data.name = name
                specs.append(value.data)
        cls.parameter_specs = tuple(specs) or cls.parameter_specs
        cls.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(
                    spec.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=spec.default
                )
                for spec in cls.parameter_specs
            ]
        )

    def __init__(self, *values: float, **named: float) -> None:
        try:
            bound = type(self).__signature__.bind(*values, **named)  # type: ignore[attr-defined]
        except TypeError as error:
            known = ", ".join(str(spec) for spec in self.parameter_specs) or "none"
            raise FormulaError(f"{type(self).__name__}: {error}; its parameters: {known}") from None
        bound.apply_defaults()
        checked = {
            spec.name: spec.check(type(self).__name__, bound.arguments[spec.name])
            for spec in self.parameter_specs
        }
        self.__dict__["parameters"] = checked
        self.__dict__.update(checked)

    parameters: Mapping[str, float]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"losses are immutable; make a new {type(self).__name__}")

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Loss)
            and (self.name, self.parameters) == (other.name, other.parameters)
            and self.expression is other.expression
        )

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.parameters.items()), self.expression))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={number_text(x)}" for name, x in self.parameters.items())
        return f"{type(self).__name__}({inside})"

    def __str__(self) -> str:
        inside = ":".join(map(number_text, self.parameters.values()))
        return f"{self.name}:{inside}" if inside else self.name

    def bound(self, formula: Any) -> Expression:
        """A formula of this loss with its parameters put in, and z written as the p it is."""
        spec_values: dict[Expression, Expression] = {z: p}
        for current in walk(formula):
            if current.op == "parameter":
                spec_values[current] = constant(self.parameters[str(current.data)])
        return substitute(formula, spec_values)

    def as_run(self, formula: Any) -> Expression:
        """A formula of this loss as rows are put through it."""
        return self.bound(formula)

    @cached_property
    def expression(self) -> Expression:
        """The loss as a formula of y and p, with its parameters put in."""
        return self.as_run(self.formula)

    @cached_property
    def _gradient(self) -> Expression:
        return self.as_run(gradient(self.formula))

    @cached_property
    def _hessian(self) -> Expression:
        return self.as_run(hessian(self.formula))

    @cached_property
    def _curvature(self) -> Expression:
        if self.surrogate is not None:
            return self.as_run(self.surrogate)
        rule = hessian if _not_only_error(self.formula) else _majoriser
        return self.as_run(maximum(rule(self.formula), LEAST_CURVATURE))

    def derived(self) -> tuple[Expression, Expression]:
        """The gradient and the curvature, as formulas of y and p."""
        return self._gradient, self._curvature

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each prediction; arrays broadcast, tensors stay tensors."""
        return self._elementwise(self.expression, y_true, y_pred)

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        """The derivative towards each prediction, with sign(0) = 0 at a kink."""
        return self._elementwise(self._gradient, y_true, y_pred)

    def hessian(self, y_true: Any, y_pred: Any) -> Any:
        """The true second derivative towards each prediction (no distributions at kinks)."""
        return self._elementwise(self._hessian, y_true, y_pred)

    def curvature(self, y_true: Any, y_pred: Any) -> Any:
        """A positive stand-in for the hessian, for trainers that divide by it.

        For distance losses it majorises: psi(r)/r, with |r| at least `FLOOR` (in units of y), so
        that a Newton step never goes uphill. Deviances use the expected hessian, 2/V(p), and
        losses of logits their hessian, at least `LEAST_CURVATURE`, as boosting libraries do.
        """
        return self._elementwise(self._curvature, y_true, y_pred)

    def mean(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The weighted mean sum(w l) / sum(w); for arrays correctly rounded, whatever the order."""
        library = tensors.library_of(y_true, y_pred)
        if library:
            return tensors.mean(self.value(y_true, y_pred), sample_weight)
        arrays = align(np.asarray(y_true), np.asarray(y_pred))
        return exact_mean(self.expression, *arrays, sample_weight)

    def best_constant(self, y_true: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The constant prediction that minimises the mean loss over a sample."""
        return best_constant(self, y_true, sample_weight)

    def latex(self) -> str:
        """The formula as LaTeX, with parameters as symbols."""
        return latex(self.formula)

    def _elementwise(self, formula: Expression, y_true: Any, y_pred: Any) -> Any:
        library = tensors.library_of(y_true, y_pred)
        if library:
            return tensors.evaluate(library, formula, *align(y_true, y_pred))
        first, second = align(np.asarray(y_true), np.asarray(y_pred))
        (found,) = compute([formula], {y: first, p: second, z: second})
        return found if found.ndim else float(found)

    def with_parameters(self, **named: float) -> Self:
        """The same loss with some parameters changed."""
        return type(self)(**{**self.parameters, **named})


def align(first: Any, second: Any) -> tuple[Any, Any]:
    """The two, with (n, 1) beside (n,) made (n,): never n by n."""
    one, other = tuple(np.shape(first)), tuple(np.shape(second))
    if one == (*other, 1) and len(other) == 1:
        return first[:, 0], second
    if other == (*one, 1) and len(one) == 1:
        return first, second[:, 0]
    return first, second


def _not_only_error(formula: Expression) -> bool:
    return any(leaf is y or leaf is p or leaf is z for leaf in walk(formula))


def _majoriser(formula: Expression) -> Expression:
    """psi(m)/m, where m is r kept at least `FLOOR` away from zero."""
    away = where(r < 0, -1, 1) * maximum(abs(r), FLOOR)
    return substitute(gradient(formula), {r: away}) / away
