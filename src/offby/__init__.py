"""How far off is your model, and what to do about it.

Names are loaded when they are first used, so that `import offby` and `offby --help` cost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from offby import losses
    from offby.classification.task import Task
    from offby.errors import (
        DataError,
        FormulaError,
        MeasureError,
        OffbyError,
        RunError,
        TableError,
    )
    from offby.fit.classifier import LinearClassifier
    from offby.fit.quantile_regressor import QuantileRegressor
    from offby.fit.regressor import LinearRegressor
    from offby.fit.solvers.descent import Descent
    from offby.formula.aggregates import Covariance, Mean, Quantile, Variance
    from offby.formula.words import (
        bd0,
        exp,
        expm1,
        log,
        log1p,
        logcosh,
        maximum,
        minimum,
        p,
        r,
        sigmoid,
        sign,
        softplus,
        sqrt,
        tanh,
        w,
        where,
        xlogy,
        y,
        z,
    )
    from offby.losses import loss
    from offby.measures.measure import Measure
    from offby.measures.measurement import Measurement
    from offby.report.choice import Choice
    from offby.report.comparison import Comparison
    from offby.report.finding import Finding
    from offby.report.report import Report
    from offby.runs.run import Run
    from offby.verbs.choose import choose
    from offby.verbs.classified import ClassTotals
    from offby.verbs.compare import compare
    from offby.verbs.measure import measure
    from offby.verbs.totals import Totals
    from offby.verbs.watch import watched
    from offby.watch.diagnose import diagnose
    from offby.watch.verdict import Verdict

__version__ = "0.1.0"

_HOMES = {
    "classification.task": ("Task",),
    "errors": (
        "DataError", "FormulaError", "MeasureError", "OffbyError", "RunError", "TableError",
    ),
    "fit.classifier": ("LinearClassifier",),
    "fit.solvers.descent": ("Descent",),
    "fit.quantile_regressor": ("QuantileRegressor",),
    "fit.regressor": ("LinearRegressor",),
    "formula.aggregates": ("Covariance", "Mean", "Quantile", "Variance"),
    "formula.words": (
        "bd0", "exp", "expm1", "log", "log1p", "logcosh", "maximum", "minimum", "p", "r",
        "sigmoid", "sign", "softplus", "sqrt", "tanh", "w", "where", "xlogy", "y", "z",
    ),
    "losses": ("loss",),
    "measures.measure": ("Measure",),
    "measures.measurement": ("Measurement",),
    "report.choice": ("Choice",),
    "report.comparison": ("Comparison",),
    "report.finding": ("Finding",),
    "report.report": ("Report",),
    "runs.run": ("Run",),
    "verbs.classified": ("ClassTotals",),
    "verbs.choose": ("choose",),
    "verbs.compare": ("compare",),
    "verbs.measure": ("measure",),
    "verbs.totals": ("Totals",),
    "verbs.watch": ("watched",),
    "watch.diagnose": ("diagnose",),
    "watch.verdict": ("Verdict",),
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Choice",
    "ClassTotals",
    "Comparison",
    "Covariance",
    "DataError",
    "Descent",
    "Finding",
    "FormulaError",
    "LinearClassifier",
    "LinearRegressor",
    "Mean",
    "Measure",
    "MeasureError",
    "Measurement",
    "OffbyError",
    "Quantile",
    "QuantileRegressor",
    "Report",
    "Run",
    "RunError",
    "TableError",
    "Task",
    "Totals",
    "Variance",
    "Verdict",
    "bd0",
    "choose",
    "compare",
    "diagnose",
    "exp",
    "expm1",
    "log",
    "log1p",
    "logcosh",
    "loss",
    "losses",
    "maximum",
    "measure",
    "minimum",
    "p",
    "r",
    "sigmoid",
    "sign",
    "softplus",
    "sqrt",
    "tanh",
    "w",
    "watched",
    "where",
    "xlogy",
    "y",
    "z",
]


def __getattr__(name: str) -> Any:
    if name == "losses":
        return import_module("offby.losses")
    if name not in _HOME:
        raise AttributeError(f"module 'offby' has no attribute {name!r}")
    value = getattr(import_module(f"offby.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
