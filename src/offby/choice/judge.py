"""What a judge elicits: the forecast that makes the measure best, so what to aim at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from offby.errors import MeasureError, OffbyError
from offby.formula.aggregates import aggregates_of
from offby.formula.expression import Expression, walk
from offby.formula.words import p, r
from offby.losses import CATALOGUE, Absolute, Huber, Loss, Squared, from_text
from offby.losses import loss as custom
from offby.measures.measure import Measure
from offby.measures.names import resolve

SHORT = {"squared": "mse", "absolute": "mae", "absolute_percentage": "mape", "squared_log": "msle"}
_HINT = "judge by a mean of losses, such as mae, rmse or pinball:0.9"


@dataclass(frozen=True)
class Judge:
    """A measure, the loss of which it is the mean (or falls and rises with it), what that elicits.

    >>> judge("rmse").functional, judge("wape").loss, judge("d2_pinball:0.9").words
    ('mean', Absolute(), 'the 0.9 quantile')
    """

    name: str
    loss: Loss
    functional: str

    @property
    def central(self) -> bool:
        """Whether, of symmetric noise, it elicits the centre, as other losses do."""
        return isinstance(self.loss, Squared | Absolute | Huber)

    @property
    def words(self) -> str:
        """What it elicits, in words."""
        first = next(iter(self.loss.parameters.values()), None)
        if self.functional in ("quantile", "expectile"):
            return f"the {first:g} {self.functional}"
        if self.functional in ("mean", "median"):
            return f"the {self.functional}"
        return "its own optimum"


def short(loss: Loss) -> str:
    """A loss by the name it is asked for by.

    >>> short(Squared()), short(Huber(2.0))
    ('mse', 'huber:2')
    """
    return SHORT.get(str(loss), str(loss))


def judge(asked: str | Measure | Loss) -> Judge:
    """Read a judge; raises `MeasureError` where no loss goes with it."""
    found = resolve(asked)
    if len(found) != 1:
        raise MeasureError(f"{len(found)} judges arrived; choose is judged by one")
    (measure,) = found
    if measure.better == "zero":
        raise MeasureError(f"{measure.name} is zero for many predictions, good and bad; {_HINT}")
    terms = list(dict.fromkeys(_terms(measure.formula)))
    if len(terms) != 1:
        raise MeasureError(
            f"{measure.name} is no mean of losses, so no loss is known that it elicits; {_HINT}"
        )
    known = _known(measure, terms[0])
    functional = known.functional or "its own"
    if functional == "quantile" and known.parameters["tau"] == 0.5:
        return Judge(measure.name, Absolute(), "median")
    if functional == "expectile" and known.parameters["tau"] == 0.5:
        return Judge(measure.name, Squared(), "mean")
    return Judge(measure.name, known, functional)


def _terms(formula: Expression) -> Iterator[Expression]:
    """What of a measure speaks of predictions; a variance of the error is as its square."""
    for part in aggregates_of(formula):
        if not any(leaf is p or leaf is r for leaf in walk(part)):
            continue
        if part.op == "mean":
            yield part.args[0]
        elif part.op == "variance" and part.args[0] is r:
            yield r**2
        elif part.op != "least_pinball":
            yield part


def _known(measure: Measure, term: Expression) -> Loss:
    """The loss of the catalogue whose formula this is, or a loss made of it."""
    for text in (measure.name, measure.name.removeprefix("d2_")):
        try:
            named = from_text(text)
        except OffbyError:
            continue
        if named.expression is term:
            return named
    usual = (kind() for kind in CATALOGUE)
    found = next((one for one in usual if one.expression is term), None)
    if found is not None:
        return found
    if term.op in ("quantile", "top_share", "largest", "covariance", "variance"):
        raise MeasureError(
            f"{measure.name} is no mean of losses, so no loss is known that it elicits; {_HINT}"
        )
    return custom(repr(term))
