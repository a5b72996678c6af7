"""How fast exact quantile regression is, against public peers on the same rows.

Functions for `benchmarks/fit.py`; by itself, `python benchmarks/fit_quantile.py [--quick]`. Ratios
are of one run. A peer that is not installed is left out, and the table names those that ran.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from timing import in_turns, keep, machine

from offby.fit.quantiles.exact import quantile_fit
from offby.fit.quantiles.path import quantile_path

QUICK = "--quick" in sys.argv
COLUMNS = 10
ROWS = 100_000 if QUICK else 1_000_000
FEW_ROWS = 2_000 if QUICK else 10_000
TAUS = np.arange(1, 100) / 100
Coefficients = tuple[np.ndarray, float]


def table(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and a target with heavy tails, wider where the first feature is large."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(rows, COLUMNS))
    noise = generator.standard_t(3, size=rows) * np.exp(0.3 * X[:, 0])
    return X, 1 + X.sum(axis=1) + noise


def offby(X: np.ndarray, y: np.ndarray) -> Coefficients:
    found = quantile_fit(X, y, 0.5)
    return found.coef, found.intercept


def pinball_qr(method: str, X: np.ndarray, y: np.ndarray) -> Coefficients:
    """pinball-qr: quantreg's Fortran ("fn"), and its preprocessing for many rows ("pfn")."""
    from pinball import QuantileRegressor

    model = QuantileRegressor(tau=0.5, method=method).fit(X, y)
    return np.ravel(model.coef_), float(model.intercept_)


def scikit_learn(X: np.ndarray, y: np.ndarray) -> Coefficients:
    from sklearn.linear_model import QuantileRegressor

    model = QuantileRegressor(quantile=0.5, alpha=0, solver="highs").fit(X, y)
    return model.coef_, float(model.intercept_)


def statsmodels(X: np.ndarray, y: np.ndarray) -> Coefficients:
    from statsmodels.regression.quantile_regression import QuantReg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of steps it says it needed more of
        found = QuantReg(y, np.column_stack([np.ones(len(X)), X])).fit(q=0.5)
    return found.params[1:], float(found.params[0])


MANY = {
    "pinball-qr pfn": ("pinball-qr", partial(pinball_qr, "pfn")),
    "pinball-qr fn": ("pinball-qr", partial(pinball_qr, "fn")),
    "statsmodels": ("statsmodels", statsmodels),
}
FEW = {**MANY, "scikit-learn highs": ("scikit-learn", scikit_learn)}
TARGETS = {("pinball-qr pfn", ROWS): "≥ 3 ×", ("scikit-learn highs", FEW_ROWS): "≥ 300 ×"}


def installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def loss(X: np.ndarray, y: np.ndarray, found: Coefficients) -> float:
    return float(np.mean(np.abs(y - X @ found[0] - found[1])) / 2)


def medians(rows: int, peers: dict[str, tuple[str, Callable[..., Any]]], rounds: int) -> list[str]:
    """A row for each peer: seconds, ratio, and how far its loss is above the least one."""
    X, y = table(rows)
    ran = {name: work for name, (package, work) in peers.items() if installed(package)}
    best = in_turns(
        {name: partial(work, X, y) for name, work in {"offby": offby, **ran}.items()}, rounds
    )
    least = quantile_fit(X, y, 0.5)
    lines = [f"| offby | {rows:,} | {best['offby']:.4f} | | {least.relative_gap:.0e} (proved) | |"]
    for name, work in ran.items():
        above = loss(X, y, work(X, y)) / least.objective - 1
        ratio = best[name] / best["offby"]
        lines.append(
            f"| {name} | {rows:,} | {best[name]:.4f} | {ratio:.1f} × | {max(above, 0):.0e} "
            f"| {TARGETS.get((name, rows), '')} |"
        )
    return lines


def paths(rows: int) -> str:
    """99 quantiles against one."""
    X, y = table(rows)
    many = partial(quantile_path, X, y, TAUS)
    best = in_turns({"one": partial(offby, X, y), "many": many}, rounds=1 if QUICK else 2)
    gap = many().relative_gap
    return (
        f"{TAUS.size} quantiles of {rows:,} rows: {best['many']:.2f} s, "
        f"{best['many'] / best['one']:.1f} × one (target ≤ 10 ×); largest relative gap {gap:.0e}."
    )


def compared() -> list[str]:
    """The whole section."""
    lines = [
        f"Median regression, {COLUMNS} columns and an intercept; the gap is loss / least − 1:",
        "",
        "| what | rows | s | times offby | relative gap | target |",
        "|---|---|---|---|---|---|",
        *medians(ROWS, MANY, rounds=3),
        *medians(FEW_ROWS, FEW, rounds=2),
        "",
    ]
    return [*lines, paths(FEW_ROWS), "", paths(ROWS)]


def main() -> None:
    lines = [f"Measured on {machine()}; best of several rounds, contenders taking turns.", ""]
    lines += compared()
    print("\n".join(lines))
    if not QUICK:
        keep("fit: quantiles", lines)


if __name__ == "__main__":
    main()
