"""How often the verdict of a training curve is wrong, and how often it sees what is there.

Simulations at a fixed seed; run with `python benchmarks/watch.py [--quick]` (some ten minutes),
which rewrites watch.md beside it. Truth is smooth; noise has 3 % of its lowest level.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import special

from offby.watch.diagnose import diagnose

QUICK = "--quick" in sys.argv
RUNS, WATCHED_RUNS = (40, 10) if QUICK else (600, 80)
NOISE, RISE = 0.03, 1.12
EVALUATIONS = (20, 40)
Curve = np.ndarray
Rule = Callable[[Curve], bool]


# --- curves ------------------------------------------------------------------------------------


def falls(evaluations: int, life: float) -> Curve:
    """An exponential fall from 2.3 towards 0.5; `life` is a part of the whole training."""
    return np.asarray(0.5 + 1.8 * np.exp(-np.arange(1, evaluations + 1) / (life * evaluations)))


def risen(curve: Curve, shape: Curve) -> Curve:
    """The curve times (1 + k shape), so that it ends 12 % above its lowest point."""
    low, high = 0.0, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        found = curve * (1 + middle * shape)
        low, high = (middle, high) if found[-1] < RISE * found.min() else (low, middle)
    return curve * (1 + low * shape)


def never_rise(n: int) -> dict[str, Curve]:
    return {
        "falls fast, then flat": falls(n, 0.05),
        "falls, then flat": falls(n, 0.1),
        "power law": 0.4 + 1.9 * np.arange(1, n + 1) ** -0.7,
        "flat all through": np.full(n, 0.5),
    }


def often_flat(n: int) -> dict[str, Curve]:
    """Those of them that err most, for what takes a verdict an evaluation."""
    worst = ("falls fast, then flat", "flat all through")
    return {name: never_rise(n)[name] for name in worst}


def rise(n: int) -> dict[str, Curve]:
    t = np.arange(1, n + 1) / n
    return {
        "falls, and rises all along": risen(falls(n, 0.12), t),
        "rises from half-way": risen(falls(n, 0.08), np.clip(t - 0.5, 0, None)),
        "rises ever faster": risen(falls(n, 0.12), np.clip(t - 0.4, 0, None) ** 2),
        "still falls as it rises late": risen(falls(n, 0.12), np.clip(t - 0.55, 0, None)),
    }


def independent(rng: np.random.Generator, curve: Curve) -> Curve:
    return curve + NOISE * curve.min() * rng.standard_normal(curve.size)


def correlated(rng: np.random.Generator, curve: Curve) -> Curve:
    noise = rng.standard_normal(curve.size)
    for i in range(1, noise.size):
        noise[i] = 0.5 * noise[i - 1] + np.sqrt(0.75) * noise[i]
    return curve + NOISE * curve.min() * noise


def shrinking(rng: np.random.Generator, curve: Curve, size: float = NOISE) -> Curve:
    return np.asarray(curve * np.exp(size * rng.standard_normal(curve.size)))


NOISES = {"independent": independent, "AR(0.5)": correlated, "shrinks with the loss": shrinking}


# --- the usual rules ---------------------------------------------------------------------------


def patience(v: Curve) -> bool:
    return v.size - 1 - int(np.argmin(v)) >= 5


def three_rises(v: Curve) -> bool:
    return v.size > 3 and bool((np.diff(v[-4:]) > 0).all())


def generalisation_loss(v: Curve) -> bool:
    """Prechelt's GL at 5 %."""
    return bool(v[-1] > 1.05 * v.min())


def up(v: Curve) -> bool:
    """Prechelt's UP: three strips of 5 evaluations, each ending higher than the one before."""
    ends = v[::-1][::5][:4][::-1]
    return ends.size == 4 and bool((np.diff(ends) > 0).all())


def mann_kendall(v: Curve) -> bool:
    """A rising trend over the last half, at 5 %, one-sided."""
    v = v[v.size // 2 :]
    n = v.size
    score = np.sum(np.sign(v[None, :] - v[:, None])[np.triu_indices(n, 1)])
    deviation = np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return bool(special.ndtr(-(score - 1) / deviation) <= 0.05)


def two_sigma(v: Curve) -> bool:
    """The last above the best by two standard deviations, these from second differences."""
    sigma = np.median(np.abs(np.diff(v, 2))) / (0.6745 * np.sqrt(6))
    return bool(v[-1] > v.min() + 2 * sigma)


RULES: dict[str, Rule] = {
    "patience 5": patience,
    "three rises": three_rises,
    "GL 5 %": generalisation_loss,
    "UP 3 × 5": up,
    "Mann–Kendall": mann_kendall,
    "best + 2σ": two_sigma,
}


# --- the tables --------------------------------------------------------------------------------


def at_the_end(curve: Curve, noise: Callable[..., Curve]) -> dict[str, float]:
    """How often each rule says "overfitting" of whole runs; what offby says of the best epoch."""
    rng = np.random.default_rng(1)
    said: dict[str, list[float]] = {name: [] for name in (*RULES, "offby", "covered", "width",
                                                          "chosen", "argmin")}  # fmt: skip
    truly = int(np.argmin(curve)) + 1
    for _ in range(RUNS):
        v = noise(rng, curve)
        found = diagnose(None, v)
        assert found.best_interval is not None
        assert found.best_epoch is not None
        for name, rule in RULES.items():
            said[name].append(rule(v))
        said["offby"].append(found.verdict == "overfitting")
        low, high = found.best_interval
        said["covered"].append(low <= truly <= high)
        said["width"].append(high - low)
        said["chosen"].append(curve[int(found.best_epoch) - 1] / curve.min() - 1)
        said["argmin"].append(curve[np.argmin(v)] / curve.min() - 1)
    return {name: float(np.mean(values)) for name, values in said.items()}


def while_watching(curve: Curve, noise: Callable[..., Curve]) -> dict[str, float]:
    """How often each rule says "overfitting" at any evaluation from the sixth on."""
    rng = np.random.default_rng(2)
    looks = range(6, curve.size + 1)
    said: dict[str, list[bool]] = {name: [] for name in (*RULES, "offby")}
    for _ in range(WATCHED_RUNS):
        v = noise(rng, curve)
        for name, rule in RULES.items():
            said[name].append(any(rule(v[:n]) for n in looks))
        said["offby"].append(
            any(diagnose(None, v[:n], live=True).verdict == "overfitting" for n in looks)
        )
    return {name: float(np.mean(values)) for name, values in said.items()}


def rows(
    curves: Callable[[int], dict[str, Curve]], judge: Callable[..., dict[str, float]]
) -> list[tuple[str, dict[str, float]]]:
    found = []
    for n in EVALUATIONS:
        for name, curve in curves(n).items():
            for kind, noise in NOISES.items():
                found.append((f"{n} | {name} | {kind}", judge(curve, noise)))
                print(found[-1][0], {k: round(v, 4) for k, v in found[-1][1].items()}, flush=True)
    return found


def shares(found: list[tuple[str, dict[str, float]]]) -> list[str]:
    names = ("offby", *RULES)
    head = [f"| n | curve | noise | **{names[0]}** | {' | '.join(names[1:])} |",
            "|---" * (len(names) + 3) + "|"]  # fmt: skip
    return head + [
        f"| {where} | **{100 * row['offby']:.1f}** | "
        + " | ".join(f"{100 * row[name]:.0f}" for name in RULES) + " |"
        for where, row in found
    ]  # fmt: skip


def epochs(found: list[tuple[str, dict[str, float]]]) -> list[str]:
    head = ["| n | curve | noise | covered % | mean width | worse than the best: chosen % | "
            "raw argmin % |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    return head + [
        f"| {where} | {100 * row['covered']:.1f} | {row['width']:.1f} | {100 * row['chosen']:.2f} "
        f"| {100 * row['argmin']:.2f} |"
        for where, row in found
    ]


def forecasts() -> list[str]:
    """What as long again gains, of laws whose future is known."""
    laws: dict[str, Callable[[Curve], Curve]] = {
        "exponential, life half of the training": lambda u: 0.5 + 1.8 * np.exp(-u / 0.5),
        "exponential, life all of the training": lambda u: 0.5 + 1.8 * np.exp(-u),
        "exponential, all but over": lambda u: 0.5 + 1.8 * np.exp(-u / 0.15),
        "power −0.7": lambda u: 0.4 + 0.3 * u**-0.7,
        "power −0.3": lambda u: 0.1 + 0.6 * u**-0.3,
        "both": lambda u: 0.4 + 0.2 * u**-0.5 + 0.8 * np.exp(-u / 0.2),
    }
    lines = ["| n | law | noise % | covered % | true gain | median forecast | mean width |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    for n in (20, 60):
        for name, law in laws.items():
            for size in (0.03, 0.005):
                lines.append(f"| {n} | {name} | {100 * size:g} | {forecast(law, n, size)} |")
    return lines


def forecast(law: Callable[[Curve], Curve], n: int, size: float) -> str:
    rng = np.random.default_rng(4)
    truly = float(law(np.array([1.0]))[0] - law(np.array([2.0]))[0])
    found = []
    for _ in range(RUNS // 10):
        gain = diagnose(None, shrinking(rng, law(np.arange(1, n + 1) / n), size)).gain
        if gain is not None:  # else the verdict is one that forecasts nothing
            found.append((gain.low <= truly <= gain.high, gain.value, gain.high - gain.low))
    held, middle, width = np.array(found, float).T
    return (f"{100 * held.mean():.0f} | {truly:.4f} | {np.median(middle):.4f} | "
            f"{width.mean():.4f}")  # fmt: skip


def speed() -> list[str]:
    lines = ["| evaluations | validation alone, ms | with training, ms |", "|---|---|---|"]
    for n in (20, 200, 1000, 1_000_000):
        curve = risen(falls(n, 0.12), np.arange(n) / n)
        v = shrinking(np.random.default_rng(3), curve)
        times = [best_of(train, v) for train in (None, falls(n, 0.3))]
        lines.append(f"| {n:,} | {times[0]:.0f} | {times[1]:.0f} |")
    return lines


def best_of(train: Curve | None, v: Curve) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        diagnose(train, v)
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def main() -> None:
    false, power = rows(never_rise, at_the_end), rows(rise, at_the_end)
    watched = rows(often_flat, while_watching)
    least = [case for case in false if "flat all through" not in case[0]]
    Path(__file__).with_suffix(".md").write_text("\n".join([
        "# Verdicts on training curves: error rates by simulation",
        "",
        f"By `python benchmarks/watch.py`: {RUNS:,} runs a row ({WATCHED_RUNS} where every "
        "evaluation is looked at), fixed seed, noise of 3 % of the lowest level. A share near 5 % "
        f"of {RUNS:,} runs has a standard error of {100 * np.sqrt(0.05 * 0.95 / RUNS):.1f} %, one "
        f"near 10 % of {WATCHED_RUNS} of {100 * np.sqrt(0.1 * 0.9 / WATCHED_RUNS):.1f} %.",
        "",
        "## False “overfitting” at the end, % of runs (gate: ≤ 5)", "", *shares(false),
        "",
        "## False “overfitting” ever, looking at each evaluation, % of runs (gate: ≤ 10)", "",
        *shares(watched),
        "",
        "## Power: “overfitting” at the end of a 12 % rise, % of runs",
        "",
        "The end lies 12 % above the lowest point. Gate: ≥ 65 at n = 20, ≥ 90 at n = 40, under "
        "independent noise. The rules in the other columns buy theirs with the false alarms above.",
        "", *shares(power),
        "",
        "## The best epoch: 90 % interval (gate: covers ≥ 88), and the checkpoint chosen", "",
        *epochs(power + least),
        "",
        f"## The gain of training as long again: 80 % interval, {RUNS // 10} runs a row",
        "", *forecasts(), "",
        "## Time of one verdict, best of 5, with its bootstrap", "", *speed(), "",
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
