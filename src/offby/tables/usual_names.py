"""What columns of truths and predictions are usually called."""

import re
from collections.abc import Container, Sequence
from typing import TypeAlias

Pair: TypeAlias = tuple[str, str]

TRUE = frozenset(("y_true", "ytrue", "true", "truth", "ground_truth", "actual", "actuals"))
TRUE |= {"observed", "observation", "target", "targets"}
PRED = frozenset(("y_pred", "ypred", "pred", "preds", "predicted", "prediction", "predictions"))
PRED |= {"y_hat", "yhat", "forecast", "forecasts", "fitted", "estimate", "estimated"}
WEAK_TRUE = frozenset(("y", "label", "labels", "outcome", "response"))
WEAK_PRED = frozenset(("score", "scores", "output", "p"))
CLASS = frozenset(("class", "classes", "y_class", "true_class", "true_label"))
PROBABILITY = frozenset(("p", "prob", "probs", "proba", "probability", "probabilities"))
PROBABILITY |= {"y_prob", "y_proba", "y_score", "pred_prob", "pred_proba", "predicted_probability"}

PRED_MARK = re.compile(
    r"^(pred|predicted|prediction|forecast|fitted|estimated)_"
    r"|_(pred|predicted|prediction|forecast|fitted|estimate|hat)$"
)
PROBABILITY_MARK = re.compile(
    r"^(p|prob|proba|probability|score)_|_(p|prob|proba|probability|score)$"
)
_TRUE_MARK = re.compile(r"^(true|actual|observed)_|_(true|actual|observed)$")


def plain(name: str) -> str:
    """Fold case, and write spaces, dots and hyphens as underscores.

    >>> plain("Y-True ")
    'y_true'
    """
    return re.sub(r"[\s.\-]+", "_", name.strip().casefold())


def usual(columns: Sequence[str], true: Container[str], pred: Container[str]) -> list[Pair]:
    """Pair each column that has one of the names of truth with each that has one of the other."""
    trues = [name for name in columns if plain(name) in true]
    preds = [name for name in columns if plain(name) in pred]
    return [(a, b) for a in trues for b in preds if a != b]


def mates(columns: Sequence[str], mark: re.Pattern[str]) -> list[Pair]:
    """Pair `price_true` with `price_pred`, and `price` where no truth is marked as one.

    >>> mates(["price", "rooms", "predicted_price"], PRED_MARK)
    [('price', 'predicted_price')]
    """
    preds: dict[str, list[str]] = {}
    for name in columns:
        if (stem := _pred_stem(name, mark)) is not None:
            preds.setdefault(stem, []).append(name)
    pairs = [(a, b) for a in columns for b in preds.get(_true_stem(a), ()) if a != b]
    marked = {b for a, b in pairs if _TRUE_MARK.search(plain(a))}
    return [(a, b) for a, b in pairs if b not in marked or _TRUE_MARK.search(plain(a))]


def are_mates(true: str, pred: str, mark: re.Pattern[str]) -> bool:
    """Say whether a prediction is named after a truth.

    >>> are_mates("price", "price_hat", PRED_MARK), are_mates("late", "p_late", PROBABILITY_MARK)
    (True, True)
    """
    return true != pred and _pred_stem(pred, mark) == _true_stem(true)


def _true_stem(name: str) -> str:
    return _TRUE_MARK.sub("", plain(name), count=1)


def _pred_stem(name: str, mark: re.Pattern[str]) -> str | None:
    stem, count = mark.subn("", plain(name), count=1)
    return stem if count else None
