"""The answer in words; what an interval does not support is not said."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from offby.choice import Candidate, Estimate, Likeness, Study
from offby.drawing.numbers import between, number, percent
from offby.losses import Absolute, Squared

CANDIDATES = ("train with", "aims at", "off by", "rows saved", "verdict")
NOISES = ("noise", "nats a row", "behind the best")
_VERDICTS = {
    "own": "judge's own", "fewer": "fewer rows", "tied": "no real gain",
    "more": "more rows", "unknown": "cannot tell", "elsewhere": "aims elsewhere",
}  # fmt: skip
_FOURTH = 4.0  # the moment that the standard error of an MSE needs


def recommendation(study: Study) -> str:
    """The answer in one line."""
    mine, taken = study.candidates[0].name, study.advised
    if study.unsure:
        return f"{_keep(study)} {mine}: {study.unsure}."
    if taken is None:
        return f"{_keep(study)} {mine}: {_why_keep(study)}."
    saved = f"{_rows(taken.saving)} rows than {mine} {_ends(taken.saving)}"
    if taken.gap is None:
        same = "it aims at the mean, too, and a fit of the same shape"
        return f"Try {taken.name}: {same} needs {saved}."
    same = "asymmetry is not significant"
    return f"Train with {taken.name}: {same}, and its slopes need {saved}."


def _keep(study: Study) -> str:
    """Predictions do not tell what they were trained with, which mostly is the squared error."""
    return "Keep" if study.judge.functional == "mean" else "Train with"


def _why_keep(study: Study) -> str:
    aim = study.judge.words
    if not study.judge.central and study.judge.functional != "mean":
        return f"only it is sure to aim at {aim}"
    elsewhere = any(one.verdict == "elsewhere" for one in study.candidates)
    others = [one for one in study.candidates[1:] if one.verdict != "elsewhere"]
    if elsewhere and not others and _below_zero(study):
        return f"of the losses of the error alone only it is sure to aim at {aim}"
    if elsewhere and not others:
        return f"the noise is asymmetric, so only it is sure to aim at {aim}"
    return f"no other loss surely aims at {aim} and needs at least 5 % fewer rows"


def _below_zero(study: Study) -> int:
    """How many predictions keep losses of amounts from being weighed, where truths allow them."""
    if study.judge.functional != "mean" or study.target != "real" or study.y.min() < 0:
        return 0
    return int(np.count_nonzero(study.p <= 0))


def sentences(study: Study) -> tuple[str, ...]:
    """The answer, what the noise is like, and what follows for the aim: three at most."""
    found = [recommendation(study), _noise(study), _aim(study)]
    return tuple(text for text in found if text)


def _noise(study: Study) -> str:
    found, seen = study.noise, study.likenesses
    if found is None:
        same = "Too many errors are the same number for any density."
        return "" if study.unsure else same
    other = next(one for one in seen if one is not found)
    gap = other.behind
    if gap is None or not gap.negative:
        tied = [one.name for one in seen if one.tied and one is not found]
        return f"The errors look like {found.words} noise; not told apart from {_listed(tied)}."
    return (
        f"The errors look like {found.words} noise, likelier than the next, {other.name}, by "
        f"{number(-(gap.value or 0), 2)} nats a row ({_span(gap.turned)})."
    )


def _aim(study: Study) -> str:
    taken, usual = study.advised, (Squared(), Absolute())
    if taken is not None and taken.gap is not None:
        mine = study.candidates[0].name
        return (
            f"It aims {_with(taken.gap, 2)} off {study.judge.words}, which symmetric noise would "
            f"bring to 0; where that is in doubt, refit the intercept under {mine}."
        )
    power = study.evidence.get("variance_power")
    if taken is not None and power is not None and power.nonzero:
        return (
            f"The variance goes with the prediction to the power {_with(power)}; where your model "
            f"has no log link, as {taken.name} mostly has, train under both (--target) to be sure."
        )
    if below := _below_zero(study):
        are = "is" if below == 1 else "are"
        return (
            f"Of {study.p.size:,} predictions {below:,} {are} not above 0: "
            "poisson and its kin, which aim at the mean, too, could not be weighed."
        )
    missed = [one for one in study.candidates if one.gap is not None and one.gap.nonzero]
    worst = next((one for one in missed if one.loss in usual), None)
    if worst is None or worst.gap is None or worst.gap.value is None:
        return _worst(study.evidence["worst_share"]) if study.evidence else ""
    side = "higher" if worst.gap.value > 0 else "lower"
    gap = worst.gap if worst.gap.positive else worst.gap.turned
    return (
        f"Trained with {worst.name}, predictions would aim {number(gap.value, 3)} {side} than "
        f"{study.judge.words} ({_span(gap)})."
    )


def candidate(one: Candidate, study: Study) -> tuple[str, ...]:
    """A line of the table of losses."""
    told = _VERDICTS[one.verdict]
    if one is (study.advised or study.candidates[0]):
        told = "keep" if one.verdict == "own" and _keep(study) == "Keep" else "recommended"
        told = "to try" if one is study.advised and one.gap is None else told
    gap = "" if one.gap is None else _with(one.gap, 2)
    known = one.saving is not None and one.saving.value is not None and one.verdict != "elsewhere"
    saved = _saved(one.saving) if known else ""
    return one.name, _aimed_at(one, study), gap, saved, told


def _aimed_at(one: Candidate, study: Study) -> str:
    if one.verdict == "own":
        return study.judge.words
    named = {"mean": "the mean", "median": "the median", "huber": "in between"}
    return named.get(one.loss.functional, one.loss.functional)


def likeness(one: Likeness, study: Study) -> tuple[str, ...]:
    """A line of the table of noises."""
    first = f"{one.words} ←" if one is study.noise else one.words
    behind = one.behind
    if behind is None:
        return first, number(one.log_likelihood), "the best"
    return first, number(one.log_likelihood), _with(behind.turned)


def statements(study: Study) -> Iterator[tuple[str, str]]:
    """What each number of the evidence says, by its name."""
    found = study.evidence
    if not found:
        return
    tail = found["tail_index"]
    yield "tail_index", _tail(tail)
    yield "skewness", _skew(found["skewness"], tail)
    yield "octile_skewness", _side("Octile skewness", found["octile_skewness"])
    gap = found["mean_less_median"]
    yield "mean_less_median", _side("Mean less median of actual − predicted", gap)
    yield "worst_share", _worst(found["worst_share"])
    delta, mads = found["huber_delta"], found["huber_delta_in_mads"]
    beside = "" if mads.value is None else f", {number(mads.value, 2)} median absolute deviations"
    told = f"The efficient Huber threshold is {_with(delta)} in units of the truth{beside}."
    yield "huber_delta", told
    if found["variance_power"].value is not None:
        careful = study.advised is not None and study.advised.gap is not None
        yield "variance_power", _power(found["variance_power"], careful=careful)


def _tail(tail: Estimate) -> str:
    if tail.value is None or tail.low is None or tail.high is None:
        return f"The tail cannot be told: {tail.why}."
    if tail.high == float("inf"):
        least = "" if tail.low == tail.high else f": its index is at least {number(tail.low, 2)}"
        return f"No heavy tail is seen{least}."
    doubt = ", so an MSE has no sure interval" if tail.high < _FOURTH else ""
    return f"Large errors become rare as size^-{_with(tail)}{doubt}."


def _skew(skew: Estimate, tail: Estimate) -> str:
    if tail.value is not None and tail.value < 6:
        return f"Skewness is {number(skew.value, 2)}, which a tail this heavy leaves unsure."
    return _side("Skewness", skew)


def _side(what: str, found: Estimate) -> str:
    """A number with its sign, where that is sure."""
    if found.value is None:
        return f"{what} cannot be told: {found.why}."
    told = "" if found.nonzero else ", so no asymmetry is seen"
    return f"{what} is {_with(found)}{told}."


def _worst(share: Estimate) -> str:
    return f"The worst 1 % of rows own {percent(share.value or 0.0)} of the MSE {_ends(share)}."


def _power(power: Estimate, *, careful: bool) -> str:
    names = {0: "constant", 1: "Poisson", 2: "gamma", 3: "inverse Gaussian"}
    held = [name for order, name in names.items() if power.holds(order)]
    told = f": {_listed(held, 'or')}" if held else ""
    doubt = "; the saving assumes that it does not" if careful and power.nonzero else ""
    return f"The variance goes with the prediction to the power {_with(power)}{told}{doubt}."


def _rows(saving: Estimate | None) -> str:
    value = 0.0 if saving is None or saving.value is None else saving.value
    return f"{percent(abs(value))} {'fewer' if value >= 0 else 'more'}"


def _saved(saving: Estimate | None) -> str:
    """A share of the rows with its interval, in per cent and below zero where more are needed."""
    if saving is None or saving.value is None or saving.low is None or saving.high is None:
        return ""
    value, low, high = (f"{100 * end:.0f}" for end in (saving.value, saving.low, saving.high))
    return f"{value} % ({low} … {high})"


def _ends(share: Estimate | None) -> str:
    """An interval in per cent; of what is surely below zero, turned round with its value."""
    if share is None or share.low is None or share.high is None:
        return ""
    low, high = (-share.high, -share.low) if share.negative else (share.low, share.high)
    digits = 0 if high - low > 0.02 else 1
    low, high = (round(100 * end, digits) + 0.0 for end in (low, high))  # no -0
    return f"({low:.{digits}f} … {high:.{digits}f} %)"


def _span(found: Estimate, digits: int = 3) -> str:
    """An interval, with so many digits, or as many as tell its ends apart."""
    low, high = number(found.low, digits), number(found.high, digits)
    return between(found.low, found.high) if low == high else f"{low} … {high}"


def _with(found: Estimate, digits: int = 3) -> str:
    return f"{number(found.value, digits)} ({_span(found, digits)})"


def _listed(names: list[str], word: str = "and") -> str:
    return f"{', '.join(names[:-1])} {word} {names[-1]}" if len(names) > 1 else "".join(names)
