"""How fast classification is, against scikit-learn's calls for the same numbers.

Run with `make bench`, or `python benchmarks/classify.py [--quick]`. Ratios are of one run.
"""

from __future__ import annotations

import sys
from functools import partial
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sklearn.metrics as sk
from timing import in_turns, keep, machine

import offby

QUICK = "--quick" in sys.argv
ROWS = 2_000_000 if QUICK else 20_000_000
WIDE_ROWS = 500_000 if QUICK else 5_000_000
CLASSES = 10
MEASURES = "log_loss,brier,accuracy,balanced_accuracy,precision,recall,specificity,f1,mcc,roc_auc,average_precision,ece"  # noqa: E501


def scores(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and the chances they came with."""
    generator = np.random.default_rng(0)
    chance = generator.beta(2, 5, size=rows)
    return (generator.uniform(size=rows) < chance).astype(np.int64), chance


def table(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes and a probability for each."""
    generator = np.random.default_rng(0)
    weights = generator.gamma(0.5, size=(rows, CLASSES))
    label = generator.integers(0, CLASSES, rows)
    weights[np.arange(rows), label] += 1
    return label, weights / weights.sum(1, keepdims=True)


def sklearn_binary(y_true: np.ndarray, chance: np.ndarray) -> None:
    """The same numbers, one call each, as people write it."""
    label = chance >= 0.5
    sk.log_loss(y_true, chance)
    sk.brier_score_loss(y_true, chance)
    sk.accuracy_score(y_true, label)
    sk.balanced_accuracy_score(y_true, label)
    sk.precision_score(y_true, label)
    sk.recall_score(y_true, label)
    sk.recall_score(y_true, label, pos_label=0)
    sk.f1_score(y_true, label)
    sk.matthews_corrcoef(y_true, label)
    sk.roc_auc_score(y_true, chance)
    sk.average_precision_score(y_true, chance)


def sklearn_multiclass(label: np.ndarray, chances: np.ndarray) -> None:
    """classification_report, log_loss and confusion_matrix."""
    predicted = chances.argmax(1)
    sk.classification_report(label, predicted)
    sk.log_loss(label, chances)
    sk.confusion_matrix(label, predicted)


def compared() -> list[str]:
    y_true, chance = scores(ROWS)
    label, chances = table(WIDE_ROWS)
    jobs = (
        ("binary, everything in one pass", f"{ROWS:,} rows",
         partial(offby.measure, y_true, chance, measures=MEASURES),
         partial(sklearn_binary, y_true, chance), "≥ 20 ×"),
        ("ROC AUC alone", f"{ROWS:,} rows",
         partial(offby.measure, y_true, chance, measures="roc_auc"),
         partial(sk.roc_auc_score, y_true, chance), "≥ 10 ×"),
        ("report, log loss, confusion matrix", f"{WIDE_ROWS:,} rows × {CLASSES} classes",
         partial(offby.measure, label, chances), partial(sklearn_multiclass, label, chances),
         "≥ 15 ×"),
    )  # fmt: skip
    lines = [
        "| what | on | offby s | scikit-learn s | ratio | target |",
        "|---|---|---|---|---|---|",
    ]
    for what, on, ours, peer, target in jobs:
        best = in_turns({"offby": ours, "peer": peer}, rounds=2)
        ratio = best["peer"] / best["offby"]
        lines.append(
            f"| {what} | {on} | {best['offby']:.3f} | {best['peer']:.2f} | {ratio:.1f} × "
            f"| {target} |"
        )
    lines += segmented(y_true, chance)
    bracket = offby.measure(y_true, chance, measures="roc_auc")["roc_auc"].bracket
    if bracket is not None:
        lines += ["", f"AUC's guaranteed bracket is ±{(bracket[1] - bracket[0]) / 2:.1e}."]
    return lines


def segmented(y_true: np.ndarray, chance: np.ndarray) -> list[str]:
    """What a thousand segments cost beside none: classes in memory and from a file, numbers too."""
    generator = np.random.default_rng(1)
    codes = generator.integers(0, 1000, y_true.size).astype(np.int32)
    names = pa.array([f"shop {k}" for k in range(1000)])
    shop = pa.DictionaryArray.from_arrays(pa.array(codes), names)
    price = generator.normal(size=y_true.size)
    with TemporaryDirectory() as folder:
        path = f"{folder}/scores.parquet"
        pq.write_table(pa.table({"y": y_true, "p": chance, "shop": shop}), path)
        by_file = partial(offby.measure, path, true="y", pred="p")
        jobs = (
            ("yes or no, in memory", partial(offby.measure, y_true, chance), {"shop": shop}),
            ("yes or no, Parquet", by_file, "shop"),
            ("numbers, in memory", partial(offby.measure, price, chance), {"shop": shop}),
        )
        lines = ["", "| 1,000 segments | none s | with them s | ratio | target |",
                 "|---|---|---|---|---|"]  # fmt: skip
        for what, plain, by in jobs:
            best = in_turns({"none": plain, "by": partial(plain, by=by)}, rounds=3)
            target = "≤ 3 ×" if "yes" in what else "–"
            lines.append(f"| {what}, {y_true.size:,} rows | {best['none']:.3f} | {best['by']:.3f} "
                         f"| {best['by'] / best['none']:.2f} × | {target} |")  # fmt: skip
    return lines


def main() -> None:
    lines = [f"Measured on {machine()}; best of several rounds, contenders taking turns.", ""]
    lines += compared()
    print("\n".join(lines))
    if not QUICK:
        keep("classify", lines)


if __name__ == "__main__":
    main()
