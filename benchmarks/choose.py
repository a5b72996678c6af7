"""How often `offby choose` is right where the answer is known; the table goes to choose.md.

Each data set has predictions and noise of a known kind. The advice is right if it is one of the
losses that theory names. It is harmful if, for a line fitted under it, the judge's loss on fresh
noise exceeds that of the usual loss (MSE; for a judge that elicits another functional, its own)
by more than 2 %: the line is truly fitted, on as many fresh rows, and judged on many.

    nice -n 10 python benchmarks/choose.py [--sets 100] [--first 0]
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fresh import FIRST, number, share
from scipy import optimize
from simulated import Random, Simulated, exponential, gaussian, gross, lognormal, student
from timing import machine

from offby.choice import Study
from offby.choice.judge import judge
from offby.losses import Absolute, Huber, Loss, Pinball, Squared, from_text

SETS = number("--sets", 100)
ROWS, FRESH = 1000, 20_000
TRAINED = 200  # rows that the line is fitted on


@dataclass(frozen=True)
class Case(Simulated):
    """Right are losses; `usual` is the one that advice must not cost more than."""

    usual: str = "mse"
    rows: int = ROWS


def mildly_skewed(random: Random, mean: np.ndarray) -> np.ndarray:
    """Gamma noise of shape 8 (skewness 0.7) and mean 0."""
    return mean + (random.gamma(8.0, size=mean.size) - 8) / np.sqrt(8)


def one_sided(random: Random, mean: np.ndarray) -> np.ndarray:
    """Gaussian noise, one row in twenty far too high."""
    return mean + random.normal(size=mean.size) + 10 * (random.random(mean.size) < 0.05)


def growing(random: Random, mean: np.ndarray) -> np.ndarray:
    """Gaussian noise whose spread is a quarter of the mean."""
    return mean + random.normal(size=mean.size) * mean / 4


def negative_binomial(random: Random, mean: np.ndarray) -> np.ndarray:
    """Counts with variance mean + mean² / 3."""
    return random.negative_binomial(3, 3 / (3 + mean)).astype(float)


CASES = (
    Case("Gaussian, judged by MSE", gaussian, "mse", ("squared",)),
    Case("Gaussian, judged by MAE", gaussian, "mae", ("squared",)),
    Case("Student t, 3 df, judged by MSE", student, "mse", ("huber",)),
    Case("5 % gross errors, judged by MSE", gross, "mse", ("huber",)),
    Case("5 % gross errors, judged by MAE", gross, "mae", ("huber",), "mae"),
    Case("Laplace, judged by MSE", lambda g, m: m + g.laplace(size=m.size), "mse",
         ("huber", "absolute")),
    Case("exponential, judged by MSE", exponential, "mse", ("squared", "deviance")),
    Case("gamma noise, shape 8, judged by MSE", mildly_skewed, "mse", ("squared", "deviance")),
    Case("log-normal, judged by MSE", lognormal, "mse", ("squared", "deviance")),
    Case("exponential, judged by MAE", exponential, "mae", ("absolute",), "mae"),
    Case("exponential, 200 rows, judged by MSE", exponential, "mse",
         ("squared", "deviance"), rows=200),
    Case("gamma noise, shape 8, 200 rows, judged by MSE", mildly_skewed, "mse",
         ("squared", "deviance"), rows=200),
    Case("5 % gross errors on one side, judged by MSE", one_sided, "mse", ("squared", "deviance")),
    Case("5 % gross errors on one side, 200 rows, by MSE", one_sided, "mse",
         ("squared", "deviance"), rows=200),
    Case("Gaussian, spread grows with the mean, by MSE", growing, "mse",
         ("squared", "huber", "deviance")),
    Case("Student t, 3 df, judged by pinball:0.9", student, "pinball:0.9", ("pinball",),
         "pinball:0.9"),
    Case("Poisson counts, judged by MSE", lambda g, m: g.poisson(m).astype(float), "mse",
         ("deviance",)),
    Case("negative binomial counts, judged by MSE", negative_binomial, "mse", ("deviance",)),
    Case("gamma amounts, judged by MSE", lambda g, m: g.gamma(2, m / 2), "mse", ("deviance",)),
)  # fmt: skip
DEVIANCES = ("poisson", "gamma", "tweedie", "inverse_gaussian")


def fitted(loss: Loss, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Intercept and slope under a loss, from those of least squares."""
    columns = np.stack([np.ones(x.size), x])
    start = np.linalg.lstsq(columns.T, y, rcond=None)[0]
    if isinstance(loss, Squared):
        return start
    if isinstance(loss, Huber | Absolute | Pinball):  # reweighted, the kink rounded off
        return _reweighted(loss, columns, y, start)
    found = optimize.minimize(
        lambda b: np.mean(loss.value(y, np.maximum(b @ columns, 1e-3))), start,
        method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-8},
    )  # fmt: skip
    return found.x


def _reweighted(loss: Loss, columns: np.ndarray, y: np.ndarray, b: np.ndarray) -> np.ndarray:
    for _ in range(100):
        error = b @ columns - y
        error = np.where(np.abs(error) < 1e-4, np.copysign(1e-4, error), error)
        weight = loss.gradient(np.zeros(y.size), error) / error
        step = np.linalg.solve(
            (columns * weight) @ columns.T, (columns * weight) @ (y - b @ columns)
        )
        b = b + step
        if np.abs(step).max() < 1e-6:
            break
    return b


def cost(case: Case, loss: Loss, random: Random) -> float:
    """The judge's mean loss of a line fitted under another loss, on rows of its own."""
    x = random.uniform(1, 20, TRAINED)
    b = fitted(loss, x, case.truth(random, x))
    fresh = random.uniform(1, 20, FRESH)
    return float(
        np.mean(judge(case.judge).loss.value(case.truth(random, fresh), b[0] + b[1] * fresh))
    )


def kind(loss: Loss) -> str:
    """A deviance, or the loss's name."""
    return "deviance" if loss.name in DEVIANCES else loss.name


def run(case: Case) -> tuple[str, int, int]:
    """A line of the table, with how much advice was right and how much harmful."""
    given: Counter[str] = Counter()
    right = harmful = 0
    costs: dict[Loss, float] = {}
    for seed in range(FIRST, FIRST + SETS):
        random = np.random.default_rng([seed, len(case.name)])
        mean = random.uniform(1, 20, case.rows)
        study = Study(judge(case.judge), case.truth(random, mean), mean)
        advised = study.advised
        loss = study.judge.loss if advised is None else advised.loss
        given[kind(loss)] += 1
        right += kind(loss) in case.right
        harmful += loss != from_text(case.usual) and _excess(case, loss, costs) > 0.02
    most = ", ".join(f"{name} {count}" for name, count in given.most_common(3))
    told = f"| {case.name} | {most} | {share(right, SETS)} | {share(harmful, SETS)} |"
    print(told, flush=True)
    return told, right, harmful


def _excess(case: Case, loss: Loss, costs: dict[Loss, float]) -> float:
    """By how much advice exceeds the usual loss, on average over 20 fits that share their rows."""
    close = Huber(float(f"{loss.delta:.1g}")) if isinstance(loss, Huber) else loss
    usual = from_text(case.usual)
    for one in (close, usual):
        if one not in costs:
            fits = [cost(case, one, np.random.default_rng(k)) for k in range(20)]
            costs[one] = float(np.mean(fits))
    return costs[close] / costs[usual] - 1


def main() -> None:
    """Run all cases and write the table."""
    began = time.process_time()
    found = [run(case) for case in CASES]
    right, harmful = (share(sum(line[k] for line in found), SETS * len(CASES)) for k in (1, 2))
    seconds = time.process_time() - began
    text = "\n".join([
        "# Is the advice of `offby choose` right?", "",
        f"From predictions alone: {SETS} data sets a line, of {ROWS:,} rows where not told, each",
        "with the true means as predictions. Right: the advice is a loss that theory names.",
        f"Harmful: lines fitted under it on {TRAINED} fresh rows cost the judge over 2 % more than",
        "under the usual loss (MSE, or the judge's own where that elicits no mean). In brackets",
        f"95 % Wilson intervals; seeds from {FIRST:,} on.", "",
        "| noise and judge | advised | right | harmful |", "| --- | --- | --- | --- |",
        *(line[0] for line in found),
        f"| **all** |  | **{right}** | **{harmful}** |", "",
        "A deviance is poisson, gamma, tweedie or inverse_gaussian. "
        f"{seconds:.0f} s of processor time; {machine()}.", "",
    ])  # fmt: skip
    path = Path(__file__).with_name("choose.md")
    _, mark, trained = path.read_text(encoding="utf-8").partition("<!-- trained -->")
    path.write_text(text + mark + trained, encoding="utf-8")  # what choose_study.py wrote is kept
    print(text)


if __name__ == "__main__":
    main()
