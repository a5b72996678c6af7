"""What a trial of losses says, in words; what an interval does not support is not said."""

from __future__ import annotations

from collections.abc import Iterator

from offby.choice import Estimate
from offby.choice.trained.candidate import Candidate
from offby.choice.trained.judged import HIGHER
from offby.choice.trained.paired import METHOD
from offby.choice.trained.reading import Read
from offby.choice.trained.scored import Scored
from offby.choice.trained.verdict import Verdict, Weighed
from offby.report.numbers import number, percent

_SHOWN_ROWS = 5
_WEIGHTED = ("class_weighted", "cost_weighted")


def recommendation(found: Weighed) -> str:
    """The answer in one line."""
    scored, told = found.trial.scored, found.verdict
    have, taken = scored.names[0], scored.names[told.taken]
    folds = f"{found.trial.folds} held-out folds"
    if told.basis == "folds":
        return f"Train with {taken}: on {folds} {_gains(scored, told.estimate, have)}."
    if told.basis == "noise":
        return (
            f"Train with {taken}: the errors are symmetric, and its slopes need "
            f"{percent(told.estimate.value or 0.0)} fewer rows than {have} "
            f"{_in_percent(told.estimate)}; the folds agree."
        )
    if told.basis == "unsure":
        return f"Keep {have}: {scored.judges[0]} is undefined or infinite on a fold."
    return f"Keep {have}: tied; on {folds} no loss to be trusted is surely better."


def sentences(found: Weighed, rows: Read) -> tuple[str, ...]:
    """The answer, what speaks against others or for thresholds, and how the worst rows matter."""
    second = _thresholds(found) if found.judge is None else _not_trusted(found)
    answer = recommendation(found)
    if not found.trial.finished:
        answer = f"{answer[:-1]} (stopped early: the folds that were finished)."
    return tuple(text for text in (answer, second, _sensitivity(found, rows)) if text)


def _gains(scored: Scored, gain: Estimate, have: str) -> str:
    judge = scored.judges[0]
    if scored.relative:
        part = percent(gain.value or 0.0)
        return f"its loss by {judge} is {part} lower than that of {have} {_in_percent(gain)}"
    way = "higher" if judge in HIGHER else "lower"
    return f"its {judge} is {_with(gain)} {way} than that of {have}"


def _not_trusted(found: Weighed) -> str:
    """A candidate with a surely lower loss that aims elsewhere, and what the noise says of it."""
    scored = found.trial.scored
    others = [k for k in range(1, len(scored.names))
              if scored.sure_gain(k).positive and not found.allowed(k)]  # fmt: skip
    if not others or found.judge is None or found.noise is None:
        return ""
    one = max(others, key=lambda k: scored.gain(k).value or 0.0)
    aim = aims(found.trial.candidates[one])
    return (
        f"{scored.names[one]} cost less on these folds, too, but aims at {aim}, and the errors "
        f"are not symmetric, so that {found.judge.words} lies elsewhere."
    )


def _thresholds(found: Weighed) -> str:
    """Whether moving the threshold of a plain model beats weighting its classes."""
    scored = found.trial.scored
    names = scored.names
    moved = next((k for k, one in enumerate(found.trial.candidates) if one.moved), None)
    weighted = [k for k, name in enumerate(names) if name.startswith(_WEIGHTED)]
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
    return f"With the worst 1 % of rows left out of the judging (rows {rows}{more}), {told}."


def heads(scored: Scored) -> tuple[str, ...]:
    """The heads of the table: train under A, judged by B."""
    return ("train with", *scored.judges, "gain", "verdict")


def line(found: Weighed, scored: Scored, told: Verdict, place: int) -> tuple[str, ...]:
    """A line of it."""
    values = [shown(scored, place, k) for k in range(len(scored.judges))]
    gain = scored.sure_gain(place) if place else Estimate(None)
    share = _signed(gain) if scored.relative else _with(gain) if gain.value is not None else ""
    return (scored.names[place], *values, share, said(found, scored, told, place))


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
    return "better" if gain.positive else "tied"


def value(scored: Scored, place: int, judge: int) -> float | None:
    """A candidate's mean measure, in the measure's own sense."""
    found = scored.mean(place, judge)
    return 1 - found if found is not None and scored.judges[judge] in HIGHER else found


def shown(scored: Scored, place: int, judge: int) -> str:
    """The same as text; a dash where it is undefined."""
    found = value(scored, place, judge)
    return "—" if found is None else number(found, 4)


def aims(one: Candidate) -> str:
    """What a candidate aims at."""
    known = {"mean": "the mean", "median": "the median"}
    return known.get(one.functional, f"what {one.name} is least at")


def statements(found: Weighed, left_out: tuple[str, ...]) -> Iterator[tuple[str, str, Estimate]]:
    """What else is known, by name, with the estimate behind it."""
    scored = found.trial.scored
    text = (
        f"Gains are over {scored.names[0]}, on {found.trial.folds} folds held out; their "
        f"{percent(scored.confidence)} intervals hold for all candidates at once."
    )
    yield "folds", text, Estimate(None, method=METHOD)
    for name, why in found.trial.skipped.items():
        yield f"skipped {name}", f"{name} was not tried: {why}.", Estimate(None, why=why)
    if left_out:
        text = f"Columns left out, as text of many kinds or times: {', '.join(left_out)}."
        yield "left_out", text, Estimate(None)
    if found.noise is not None and found.noise.evidence:
        lean = found.noise.evidence["octile_skewness"]
        seen = "so none is seen" if found.noise.symmetric else "or seen in a part of the rows"
        text = f"Asymmetry of the errors (octiles) is {_with(lean)}, {seen}."
        yield "octile_skewness", text, lean
    if found.verdict.basis == "noise":
        gain = scored.gain(found.verdict.taken)
        yield "gain", f"On the folds the gain is {_signed(gain)}.", gain


def _with(found: Estimate) -> str:
    return f"{number(found.value, 3)} ({number(found.low, 3)} … {number(found.high, 3)})"


def _signed(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return ""
    return f"{100 * found.value:+.2g} % ({100 * found.low:+.2g} … {100 * found.high:+.2g})"


def _in_percent(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"({100 * found.low:.2g} … {100 * found.high:.2g} %)"
