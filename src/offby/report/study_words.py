"""What a trial of losses says, in words; what an interval does not support is not said."""

from __future__ import annotations

from collections.abc import Iterator

from offby.choice import Estimate, Study
from offby.choice.judge import short
from offby.choice.trained.candidate import Candidate
from offby.choice.trained.judged import HIGHER
from offby.choice.trained.paired import METHOD
from offby.choice.trained.reading import Read
from offby.choice.trained.scored import Scored
from offby.choice.trained.verdict import Verdict, Weighed
from offby.drawing.numbers import number, percent
from offby.losses import CATALOGUE

WEIGHTED = ("class_weighted", "cost_weighted")
_SHOWN_ROWS = 5
_LEAST_SHOWN = 0.005  # per cent, below which a gain is shown as none
_TIED = 0.05  # of the cost: an interval about zero that reaches further tells nothing


def recommendation(found: Weighed) -> str:
    """The answer in one line."""
    scored, told = found.trial.scored, found.verdict
    have, taken = scored.names[0], scored.names[told.taken]
    folds = f"{found.trial.folds} held-out folds"
    if told.basis == "folds":
        return f"Train with {taken}: on {folds} {_gains(found, told.estimate)}."
    if told.basis == "noise":
        return (
            f"Train with {taken}: the errors are symmetric, and its slopes need "
            f"{percent(told.estimate.value or 0.0)} fewer rows than {have} "
            f"{_in_percent(told.estimate)}; the folds agree."
        )
    if told.basis == "unsure":
        return f"Keep {have}: {scored.judges[0]} is undefined or infinite on a fold."
    judge = found.judge
    which = f"no loss that aims at {judge.words}" if judge and _others(found) else "no other loss"
    return f"Keep {have}: on {folds} {which} is surely better."


def sentences(found: Weighed, rows: Read) -> tuple[str, ...]:
    """The answer, what speaks against others or for thresholds, and how the worst rows matter."""
    second = _thresholds(found) if found.judge is None else _not_trusted(found)
    answer = recommendation(found)
    if not found.trial.finished:
        answer = f"{answer[:-1]} (stopped early: the folds that were finished)."
    return tuple(text for text in (answer, second, _sensitivity(found, rows)) if text)


def _gains(found: Weighed, gain: Estimate) -> str:
    scored = found.trial.scored
    judge, have = scored.judges[0], scored.names[0]
    if scored.relative:
        part, name = percent(gain.value or 0.0), measures(found)[0]
        asked = "" if name == judge else f" for {judge}"
        return f"it costs {part} less than {have} {_in_percent(gain)}, judged by {name}{asked}"
    way = "higher" if judge in HIGHER else "lower"
    return f"its {judge} is {_with(gain)} {way} than that of {have}"


def _others(found: Weighed) -> list[int]:
    """Candidates with a surely lower loss that aim elsewhere."""
    scored = found.trial.scored
    return [k for k in range(1, len(scored.names))
            if scored.sure_gain(k).positive and not found.allowed(k)]  # fmt: skip


def _not_trusted(found: Weighed) -> str:
    """The best of those that aim elsewhere, and what the noise says of it."""
    scored, others = found.trial.scored, _others(found)
    if not others or found.judge is None or found.noise is None:
        return ""
    one = max(others, key=lambda k: scored.gain(k).value or 0.0)
    aim = aims(found.trial.candidates[one])
    return (
        f"{scored.names[one]} cost less on these folds, but aims at {aim}, and the errors are not "
        f"symmetric, so that {found.judge.words} lies elsewhere."
    )


def _thresholds(found: Weighed) -> str:
    """Whether moving the threshold of a plain model beats weighting its classes."""
    scored = found.trial.scored
    names = scored.names
    moved = next((k for k, one in enumerate(found.trial.candidates) if one.moved), None)
    weighted = [k for k, name in enumerate(names) if name.startswith(WEIGHTED)]
    if moved is None or not weighted:
        return ""
    best = min(weighted, key=lambda k: scored.mean(k) or float("inf"))
    gain = scored.gain(moved, than=best)
    if gain.value is None:
        return ""
    told = "is tied with" if not gain.nonzero else "beats" if gain.positive else "is worse than"
    return (
        f"Moving the threshold of a plain model {told} {names[best]}: the gain in "
        f"{scored.judges[0]} is {_with(gain)}."
    )


def _sensitivity(found: Weighed, read: Read) -> str:
    """What the answer would be without the rows that cost most."""
    names, other = found.trial.scored.names, found.without_worst
    worst = found.trial.worst[:_SHOWN_ROWS]
    rows = ", ".join(str(row + 1) for row in (worst if read.kept is None else read.kept[worst]))
    more = ", …" if found.trial.worst.size > _SHOWN_ROWS else ""
    same = other.taken == found.verdict.taken
    told = "the answer is the same" if same else f"it would be {names[other.taken]}"
    which = "row" if found.trial.worst.size == 1 else "rows"
    return f"Judged without the worst 1 % of rows ({which} {rows}{more}), {told}."


def measures(found: Weighed) -> tuple[str, ...]:
    """What the costs are means of: where the judge is a function of a mean, that mean's loss.

    So under RMSE, R² and the like stands MSE.
    """
    first, *others = found.trial.scored.judges
    known = found.judge is not None and isinstance(found.judge.loss, CATALOGUE)
    return (short(found.judge.loss) if found.judge and known else first, *others)


def heads(found: Weighed) -> tuple[str, ...]:
    """The heads of the table: train under A, judged by B; what follows from the judge, first."""
    first, *others = measures(found)
    return ("train with", first, "gain", "verdict", *others)


def line(found: Weighed, scored: Scored, told: Verdict, place: int) -> tuple[str, ...]:
    """A line of it."""
    first, *others = [shown(scored, place, k) for k in range(len(scored.judges))]
    gain = scored.sure_gain(place) if place else Estimate(None)
    share = _span(gain) if scored.relative else _with(gain) if gain.value is not None else ""
    return (scored.names[place], first, share, said(found, scored, told, place), *others)


def said(found: Weighed, scored: Scored, told: Verdict, place: int) -> str:
    """The verdict on one candidate."""
    if place == told.taken:
        return "recommended" if place else "keep"
    gain = scored.sure_gain(place) if place else Estimate(None)
    if not place:
        return "what you have"
    if gain.value is None:
        return "undefined"
    if gain.negative:
        return "worse"
    if not found.allowed(place):
        return "aims elsewhere"
    if gain.positive:
        return "better"
    return "tied" if _near(scored, gain) else "cannot tell"


def _near(scored: Scored, gain: Estimate) -> bool:
    """Whether even the ends of an interval about zero are small beside what the first one costs."""
    low, high = gain.low or 0.0, gain.high or 0.0
    whole = 1.0 if scored.relative else scored.mean(0) or 1.0
    return max(-low, high) <= _TIED * whole


def value(scored: Scored, place: int, judge: int) -> float | None:
    """A candidate's mean measure, in the measure's own sense."""
    found = scored.mean(place, judge)
    return 1 - found if found is not None and scored.judges[judge] in HIGHER else found


def shown(scored: Scored, place: int, judge: int) -> str:
    """The same as text; a dash where it is undefined."""
    found = value(scored, place, judge)
    return "—" if found is None else number(found, 4 if scored.relative else 3)


def aims(one: Candidate) -> str:
    """What a candidate aims at."""
    known = {"mean": "the mean", "median": "the median"}
    return known.get(one.functional, f"what {one.name} is least at")


def statements(found: Weighed, left_out: tuple[str, ...]) -> Iterator[tuple[str, str, Estimate]]:
    """What else is known, by name, with the estimate behind it."""
    scored = found.trial.scored
    what = "the cost beside that of" if scored.relative else "over"
    text = (
        f"A gain is {what} {scored.names[0]} on the same rows, averaged over {found.trial.folds} "
        f"folds held out; the {percent(scored.confidence)} intervals hold for all losses at once."
    )
    yield "folds", text, Estimate(None, method=METHOD)
    for one in found.held_out:
        if ":auto" in one.name:
            text = f"{one.name} is {one.loss} here, chosen by {scored.judges[0]} on inner folds."
            yield f"chosen {one.name}", text, Estimate(None)
    for why, names in _skipped(found).items():
        were = "was" if len(names) == 1 else "were"
        text = f"{' and '.join(names)} {were} not tried: {why}."
        yield f"skipped {', '.join(names)}", text, Estimate(None, why=why)
    if left_out:
        text = f"Columns left out, as text of many kinds or times: {', '.join(left_out)}."
        yield "left_out", text, Estimate(None)
    if found.noise is not None and found.noise.evidence:
        lean = found.noise.evidence["octile_skewness"]
        text = f"Octile skewness of the errors is {_with(lean)}{_leaning(found.noise)}"
        yield "octile_skewness", text, lean
    if found.verdict.basis == "noise":
        gain = scored.gain(found.verdict.taken)
        yield "gain", f"On the folds the gain is {_span(gain)}.", gain


def _skipped(found: Weighed) -> dict[str, list[str]]:
    """The candidates that were not tried, by the reason."""
    reasons: dict[str, list[str]] = {}
    for name, why in found.trial.skipped.items():
        reasons.setdefault(why, []).append(name)
    return reasons


def _leaning(noise: Study) -> str:
    """What follows from how the errors lean, and from where their centres are."""
    if noise.symmetric:
        return ": no asymmetry is seen."
    if noise.evidence["octile_skewness"].nonzero:
        return ": they are not symmetric."
    return ", but mean and centre differ for some predictions: they are not symmetric."


def _with(found: Estimate) -> str:
    shown = [number(end, 3) for end in (found.value, found.low, found.high)]
    return shown[0] if len(set(shown)) == 1 else f"{shown[0]} ({shown[1]} … {shown[2]})"


def signed(share: float) -> str:
    """A share in per cent with its sign, two digits of it.

    >>> signed(0.0341), signed(-2.5), signed(1e-9)
    ('+3.4 %', '-250 %', '0 %')
    """
    return f"{_points(share)} %"


def _points(share: float) -> str:
    value = 100 * share
    if abs(value) < _LEAST_SHOWN:
        return "0"
    return ("+" if value > 0 else "") + number(value, 2)


def _span(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return ""
    value, low, high = (_points(end) for end in (found.value, found.low, found.high))
    return f"{value} %" if value == low == high else f"{value} % ({low} … {high})"


def _in_percent(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"({number(100 * found.low, 2)} … {number(100 * found.high, 2)} %)"
