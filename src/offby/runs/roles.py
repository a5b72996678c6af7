"""Which part of the data a name speaks of: training or validation."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["train", "val"]

TRAIN = frozenset(("train", "training", "learn", "tr", "trn"))
VAL = ("val", "valid", "validation", "eval", "evaluation", "dev", "holdout", "heldout", "test")
"""The names of validation data, the likeliest first: a test set is the last choice."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|\S")


def words(name: str) -> tuple[str, ...]:
    """The words of a metric's name, folded, each once.

    >>> words("valid_0/binary_logloss"), words("Loss/train"), words("valLoss")
    (('valid', '0', 'binary', 'logloss'), ('loss', 'train'), ('val', 'loss'))
    """
    split = re.split(r"[\s_./:|\-]+", name)
    found = (word.casefold() for part in split for word in _WORD.findall(part))
    return tuple(dict.fromkeys(found))


def role(name: str) -> Role | None:
    """Training or validation, where a word of the name says so.

    >>> role("Loss/train"), role("eval_loss"), role("loss")
    ('train', 'val', None)
    """
    found = words(name)
    if any(word in VAL for word in found):
        return "val"  # eval_train_loss is rare; train_test_gap belongs to neither
    return "train" if any(word in TRAIN for word in found) else None
