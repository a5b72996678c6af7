"""Which way a metric improves, and which numbers in a log are no metric at all."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, TypeAlias

from offby.runs.roles import words

Better: TypeAlias = Literal["lower", "higher"]

_HIGHER = frozenset((
    "acc", "accuracy", "auc", "auroc", "auprc", "aucpr", "prauc", "precision", "recall",
    "specificity", "sensitivity", "f1", "fbeta", "dice", "iou", "jaccard", "map", "ap", "ndcg",
    "mrr", "bleu", "rouge", "rougel", "meteor", "r2", "score", "reward", "rew", "return",
    "success", "kappa", "mcc", "matthews", "psnr", "ssim", "correct", "top1", "top5", "hit",
    "hits", "win", "likelihood", "loglikelihood", "elbo", "correlation", "pearson", "spearman",
    "gini", "concordance", "exact",
))  # fmt: skip
_LOWER = frozenset((
    "err", "nll", "perplexity", "ppl", "brier", "deviance", "distance", "regret", "negative",
))  # fmt: skip
_NEVER = frozenset((
    "lr", "runtime", "second", "seconds", "samples", "flos", "norm", "time", "epoch", "step",
    "steps", "iteration", "memory", "throughput", "tokens",
))  # fmt: skip


def better(name: str) -> Better:
    """Which way a metric of this name improves: accuracy and its kin rise, all else falls.

    >>> [better(name) for name in ("val_acc", "valid_1/auc", "dice_loss", "R2", "rmse")]
    ['higher', 'higher', 'lower', 'higher', 'lower']
    """
    found = words(name)
    bad = bool(_LOWER & set(found)) or found[-1].endswith(("loss", "error"))
    good = not bad and bool(_HIGHER & {*found, *map("".join, pairwise(found))})
    if found[0] == "neg":  # scikit-learn's neg_mean_squared_error rises
        good = bad
    return "higher" if good else "lower"


def watched(name: str) -> bool:
    """Whether a name is that of a metric, not of a rate of learning, a time or a size.

    >>> watched("success_rate"), watched("learning_rate"), watched("samples_per_second")
    (True, False, False)
    """
    found = words(name)
    return not _NEVER & set(found) and found[:2] != ("learning", "rate")
