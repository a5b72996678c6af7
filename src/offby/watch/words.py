"""One sentence of advice for each verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offby.watch.verdict import Verdict


def advice(found: Verdict) -> str:
    """What to do, and what that rests on."""
    said = _SENTENCES[found.verdict](found)
    return said[0].upper() + said[1:] + "."


def number(value: float) -> str:
    """Three digits, but all digits of an epoch.

    >>> number(1234.0), number(0.012345)
    ('1234', '0.0123')
    """
    return str(int(value)) if value == int(value) else f"{value:.3g}"


def _kept(found: Verdict) -> str:
    if found.best_epoch is None:
        return "there is no checkpoint to keep"
    checkpoint = f"the best checkpoint so far is that of {found.axis} {number(found.best_epoch)}"
    return checkpoint + _expected(found)


def _expected(found: Verdict) -> str:
    """Not what was logged there, which was chosen for being good."""
    return "" if found.best_expected is None else f" (expect {number(found.best_expected.value)})"


def _since(found: Verdict) -> str:
    assert found.best_epoch is not None
    worse = f" by {number(found.cost.value)}" if found.cost else ""
    return f"{worse} so far since {found.axis} {number(found.best_epoch)}"


def _gain(found: Verdict) -> str:
    if found.gain is None or found.gain_until is None:
        return ""
    low, high = number(found.gain.low), number(found.gain.high)
    return f"; until {found.axis} {number(found.gain_until)} it would likely gain {low} to {high}"


def _diverged(found: Verdict) -> str:
    what = f"the log ends with {found.ended}" if found.ended else "the loss is worse than ever"
    return f"{what}; {_kept(found)}: lower the learning rate or clip gradients, and resume there"


def _cannot_tell(found: Verdict) -> str:
    have = "1 evaluation is" if found.evaluations == 1 else f"{found.evaluations} evaluations are"
    return f"{have} too few; about {found.needed:,} are needed; {_kept(found)}"


def _overfitting(found: Verdict) -> str:
    if found.overconfident:
        return (f"the validation loss has become worse{_since(found)}, but accuracy has not "
                "suffered: the model is overconfident, not useless; calibrate it, or choose the "
                "checkpoint by accuracy")  # fmt: skip
    return (f"validation has become worse{_since(found)}; stop and keep that checkpoint"
            f"{_expected(found)}, unless you look for a second descent, of which there is no sign "
            "so far")  # fmt: skip


def _never_generalised(found: Verdict) -> str:
    return (f"training improves, but validation so far has not; {_kept(found)} (that may be right "
            "for a model that was trained before); look for wrong labels, a split unlike the "
            "training data or too little data: on small regular tasks models may generalise "
            "late (grokking)")  # fmt: skip


def _unstable(found: Verdict) -> str:
    if found.train_rose:
        what = "training" if found.watched == "train" else "training and validation"
        return f"{what} became worse{_since(found)}; lower the learning rate and resume there"
    return f"the curve jumps about by much of its level; lower the learning rate; {_kept(found)}"


def _plateau(found: Verdict) -> str:
    return (f"nothing that matters has changed over the last third{_gain(found)}; stop, or change "
            f"something; {_kept(found)}")  # fmt: skip


def _still_improving(found: Verdict) -> str:
    again = " again, past a rise that was no end" if found.fell_again else ""
    return f"it still improves{again}{_gain(found)}; go on; {_kept(found)}"


def _undetermined(found: Verdict) -> str:
    return (f"neither change nor standstill is sure; evaluate more often or with less noise (about "
            f"{found.needed:,} evaluations would tell); {_kept(found)}")  # fmt: skip


_SENTENCES = {
    "diverged": _diverged,
    "cannot tell": _cannot_tell,
    "overfitting": _overfitting,
    "never generalised": _never_generalised,
    "unstable": _unstable,
    "plateau": _plateau,
    "still improving": _still_improving,
    "undetermined": _undetermined,
}
