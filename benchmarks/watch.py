"""How often the verdict of a training curve is wrong, and how often it sees what is there.

Simulations at a fixed seed that nothing was chosen by; run with
`python benchmarks/watch.py [--quick]` (some ten minutes), which rewrites watch.md beside it. Truth
is smooth; noise has 3 % of its lowest level.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import special

from offby.watch.diagnose import diagnose
from offby.watch.verdict import Estimate

QUICK = "--quick" in sys.argv
RUNS, WATCHED_RUNS, SEED = (40, 10, 9) if QUICK else (700, 400, 90_417_233)
NOISE, RISE = 0.03, 1.12
EVALUATIONS = (20, 40)
Curve = np.ndarray
Rule = Callable[[Curve], bool]
Noise = Callable[[np.random.Generator, Curve], Curve]


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


def correlated(correlation: float) -> Noise:
    def noisy(rng: np.random.Generator, curve: Curve) -> Curve:
        noise = rng.standard_normal(curve.size)
        for i in range(1, noise.size):
            noise[i] = correlation * noise[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
        return np.asarray(curve + NOISE * curve.min() * noise)

    return noisy


def shrinking(rng: np.random.Generator, curve: Curve, size: float = NOISE) -> Curve:
    return np.asarray(curve * np.exp(size * rng.standard_normal(curve.size)))


NOISES: dict[str, Noise] = {
    "independent": independent, "AR(0.5)": correlated(0.5), "shrinks with the loss": shrinking,
}  # fmt: skip
BEYOND = {**NOISES, "AR(0.8), no gate": correlated(0.8)}


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


def at_the_end(curve: Curve, noise: Noise) -> dict[str, float]:
    """How often each rule says "overfitting" of whole runs; what offby says of the best epoch."""
    rng = np.random.default_rng(SEED)
    return means(said_at_the_end(noise(rng, curve), curve) for _ in range(RUNS))


def said_at_the_end(v: Curve, curve: Curve) -> dict[str, float]:
    found, truly = diagnose(None, v), int(np.argmin(curve)) + 1
    assert found.best_interval is not None
    assert found.best_epoch is not None
    assert found.best_expected is not None
    assert found.cost is not None
    at = int(found.best_epoch) - 1
    low, high = found.best_interval
    return {name: rule(v) for name, rule in RULES.items()} | {
        "offby": found.verdict == "overfitting",
        "covered": low <= truly <= high,
        "width": high - low,
        "chosen": curve[at] / curve.min() - 1,
        "argmin": curve[np.argmin(v)] / curve.min() - 1,
        "logged": v[at] / curve[at] - 1,
        "lowest": v.min() / curve[np.argmin(v)] - 1,
        "expected": found.best_expected.value / curve[at] - 1,
        "expected covers": holds(found.best_expected, curve[at]),
        "cost covers": holds(found.cost, curve[-1] - curve[at]),
    }


def holds(estimate: Estimate, truly: float) -> bool:
    return estimate.low <= truly <= estimate.high


def means(rows: Iterator[dict[str, float]]) -> dict[str, float]:
    all_rows = list(rows)
    return {name: float(np.mean([row[name] for row in all_rows])) for name in all_rows[0]}


def while_watching(curve: Curve, noise: Noise) -> dict[str, float]:
    """How often each rule says "overfitting" at any evaluation from the sixth on."""
    rng = np.random.default_rng(SEED + 1)
    return means(said_ever(noise(rng, curve)) for _ in range(WATCHED_RUNS))


def said_ever(v: Curve) -> dict[str, float]:
    looks = [v[:n] for n in range(6, v.size + 1)]
    offby = any(diagnose(None, seen, live=True).verdict == "overfitting" for seen in looks)
    return {name: any(map(rule, looks)) for name, rule in RULES.items()} | {"offby": offby}


def rows(
    curves: Callable[[int], dict[str, Curve]],
    judge: Callable[..., dict[str, float]],
    noises: dict[str, Noise],
) -> list[tuple[str, dict[str, float]]]:
    found = []
    for n in EVALUATIONS:
        for name, curve in curves(n).items():
            for kind, noise in noises.items():
                found.append((f"{n} | {name} | {kind}", judge(curve, noise)))
                print(found[-1][0], {k: round(v, 4) for k, v in found[-1][1].items()}, flush=True)
    return found


def shares(found: list[tuple[str, dict[str, float]]], runs: int) -> list[str]:
    head = [f"| n | curve | noise | **offby** (95 %) | {' | '.join(RULES)} |",
            "|---" * (len(RULES) + 4) + "|"]  # fmt: skip
    return head + [
        f"| {where} | **{100 * row['offby']:.1f}** ({wilson(row['offby'], runs)}) | "
        + " | ".join(f"{100 * row[name]:.0f}" for name in RULES) + " |"
        for where, row in found
    ]  # fmt: skip


def wilson(share: float, runs: int) -> str:
    """Wilson's interval of a share, in %."""
    z = 1.96
    middle = (share + z**2 / (2 * runs)) / (1 + z**2 / runs)
    reach = z * np.sqrt(share * (1 - share) / runs + (z / (2 * runs)) ** 2) / (1 + z**2 / runs)
    return f"{100 * max(middle - reach, 0.0):.1f}–{100 * (middle + reach):.1f}"


def epochs(found: list[tuple[str, dict[str, float]]]) -> list[str]:
    head = ["| n | curve | noise | covered % | mean width | worse than the best: chosen % | "
            "raw argmin % |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    return head + [
        f"| {where} | {100 * row['covered']:.1f} | {row['width']:.1f} | {100 * row['chosen']:.2f} "
        f"| {100 * row['argmin']:.2f} |"
        for where, row in found
    ]


def luck(found: list[tuple[str, dict[str, float]]]) -> list[str]:
    head = ["| n | curve | noise | lowest logged, off by % | logged at the chosen, off by % | "
            "expected there, off by % | its 90 % interval covers | the cost's, 80 %, covers |",
            "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    return head + [
        f"| {where} | {100 * row['lowest']:.1f} | {100 * row['logged']:.1f} "
        f"| {100 * row['expected']:.1f} | {100 * row['expected covers']:.0f} "
        f"| {100 * row['cost covers']:.0f} |"
        for where, row in found
    ]


def verdicts() -> list[str]:
    """What is said of curves that are slow, over or flat."""
    lines = [f"| n | curve | {' | '.join(f'noise {100 * size:g} %' for size in SIZES)} |",
             "|---" * (2 + len(SIZES)) + "|"]  # fmt: skip
    for n in (20, 40, 100):
        t = np.arange(1, n + 1)
        curves = {"falls 0.3 % an evaluation": 2.3 * 0.997**t,
                  "falls 0.03 % an evaluation": 2.3 * 0.9997**t,
                  "0.3 + 1 / t": 0.3 + 1 / t, "over: life of a tenth": falls(n, 0.1),
                  "flat": np.full(n, 0.5)}  # fmt: skip
        lines += [f"| {n} | {name} | {' | '.join(said_of(curve, size) for size in SIZES)} |"
                  for name, curve in curves.items()]  # fmt: skip
    return lines


SIZES = (0.0003, 0.003, 0.03, 0.15)


def said_of(curve: Curve, size: float) -> str:
    rng, runs = np.random.default_rng(SEED + 2), RUNS // 20
    found = Counter(diagnose(None, shrinking(rng, curve, size)).verdict for _ in range(runs))
    return ", ".join(f"{name} {100 * count // runs}" for name, count in found.most_common())


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
    rng = np.random.default_rng(SEED + 3)
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
    """Time of the process, of curves each of which is new; the first has compiled everything."""
    lines = ["| evaluations | validation, ms: median, 95 % | with training, ms: median, 95 % |",
             "|---|---|---|"]  # fmt: skip
    for n in (20, 200, 1000, 1_000_000):
        both = [times(n, with_train) for with_train in (False, True)]
        cells = [f"{np.median(each):.0f}, {np.quantile(each, 0.95):.0f}" for each in both]
        lines.append(f"| {n:,} | {' | '.join(cells)} |")
    many = sum(times(200, with_train=True, count=RUNS)) / 1000
    return [
        *lines,
        "",
        f"{RUNS:,} runs of 200 evaluations, with training: {many:.0f} s of process time.",
    ]


def times(n: int, with_train: bool, count: int = 60) -> list[float]:
    rng, found = np.random.default_rng(SEED + 4), []
    for _ in range(1 + (5 if n > 1000 else count)):
        v = shrinking(rng, risen(falls(n, rng.uniform(0.04, 0.3)), np.arange(n) / n))
        train = shrinking(rng, falls(n, 0.3), 0.01) if with_train else None
        start = time.process_time()
        diagnose(train, v)
        found.append(1000 * (time.process_time() - start))
    return found[1:]


def main() -> None:
    false, power = rows(never_rise, at_the_end, BEYOND), rows(rise, at_the_end, NOISES)
    watched = rows(often_flat, while_watching, BEYOND)
    least = [case for case in false if "flat all" not in case[0] and "no gate" not in case[0]]
    Path(__file__).with_suffix(".md").write_text("\n".join([
        "# Verdicts on training curves: error rates by simulation",
        "",
        f"By `python benchmarks/watch.py`: {RUNS:,} runs a row ({WATCHED_RUNS} where every "
        "evaluation is looked at), noise of 3 % of the lowest level, at a seed by which nothing "
        "was chosen. Intervals are Wilson's, at 95 %.",
        "",
        "## False “overfitting” at the end, % of runs (gate: ≤ 5)",
        "",
        "AR(0.8) is more than 20 evaluations can tell from a rise: what held it at 5 % would miss "
        "most rises. It has no gate, and is shown.",
        "", *shares(false, RUNS),
        "",
        "## False “overfitting” ever, looking at each evaluation, % of runs (gate: ≤ 10)", "",
        *shares(watched, WATCHED_RUNS),
        "",
        "## Power: “overfitting” at the end of a 12 % rise, % of runs",
        "",
        "The end lies 12 % above the lowest point. Gate: ≥ 65 at n = 20, ≥ 90 at n = 40, under "
        "independent noise. The rules in the other columns buy theirs with the false alarms above.",
        "", *shares(power, RUNS),
        "",
        "## The best epoch: 90 % interval (gate: covers ≥ 88), and the checkpoint chosen", "",
        *epochs(power + least),
        "",
        "## What is expected of the best checkpoint",
        "",
        "The lowest value of a log was lucky; so, less, was that at the checkpoint that is chosen. "
        "Means over all runs, against the truth at the same epoch.",
        "", *luck(power + least),
        "",
        f"## Curves that are slow, over or flat: what is said, % of {RUNS // 20} runs",
        "", *verdicts(),
        "",
        f"## The gain of training as long again: 80 % interval, {RUNS // 10} runs a row",
        "", *forecasts(),
        "",
        "## Time of one verdict, with its bootstrap: process time",
        "", *speed(), "",
    ]))  # fmt: skip


if __name__ == "__main__":
    main()
