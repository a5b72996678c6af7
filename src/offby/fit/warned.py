"""What a user should know before believing the coefficients."""

from __future__ import annotations

from offby.fit.fitted import Fit
from offby.fit.linear import Settings
from offby.fit.protocol import told
from offby.fit.solvers.descent import descent_of
from offby.fit.solvers.solve import LAST_RESORT
from offby.fit.statistics.summary import counted


def warn_of(name: str, fit: Fit, settings: Settings) -> None:
    """Say what the user should know before believing the coefficients."""
    if settings.alpha and settings.penalty is None:
        told(f"{name}: alpha={settings.alpha!r} has no effect, since penalty is None")
    if fit.escapes:
        told(
            f"{name}: the loss falls without end as the coefficients grow, so it has no minimum "
            "(the classes are separated, or a group has one outcome only). These coefficients are "
            f"those under an l2 penalty of {LAST_RESORT:g} on columns of size 1; choose your own: "
            "penalty='l2' and alpha",
            "ConvergenceWarning",
        )
    elif not fit.converged:
        gap = "unknown" if fit.gap is None else f"at most {fit.gap:.3g}"
        told(
            f"{name}: stopped after {counted(fit.iterations)}; how far the objective "
            f"{fit.objective:.6g} is above its minimum is {gap}. {_advice(fit, settings)}",
            "ConvergenceWarning",
        )
    elif fit.blurred:
        told(
            f"{name}: columns lie so far from 0, for their spread, that coefficients in their "
            "units tell predictions to fewer than 8 digits. The objective and its gap are those of "
            "columns less their means: subtract these, then predictions are as good"
        )
    elif fit.rank < (size := _size(fit, settings)) and not settings.alpha:
        told(
            f"{name}: {size - fit.rank} of {size} coefficients (with the intercept) are not "
            "determined by the rows: columns are constant or combinations of others. Predictions "
            "for such rows are; of the many best coefficients these are one choice"
        )


def _advice(fit: Fit, settings: Settings) -> str:
    if fit.scale is not None and fit.gap is not None and fit.gap <= settings.tol * fit.objective:
        return (
            "At this scale that is near enough, but the scale has not settled: few rows make it go "
            "to and fro. Give the loss's parameter in units of y, without scale"
        )
    if descent_of(settings.solver) is not None and fit.iterations < settings.max_iter:
        return (
            "The last rounds gained nothing: steps that follow few rows go to and fro about a "
            "minimum. A smaller rate leads nearer, solver 'auto' to the end"
        )
    return "Raise max_iter or tol, or scale the columns"


def _size(fit: Fit, settings: Settings) -> int:
    """How many numbers were searched for: contrasts, where there are several classes."""
    outputs, features = fit.coefficients.shape
    return int(max(outputs - 1, 1) * (features + bool(settings.fit_intercept)))
