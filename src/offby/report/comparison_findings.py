"""What differences mean, in plain words; every statement names its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from offby.drawing.numbers import number, percent, rows
from offby.measures.measurement import Measurement
from offby.pairs.difference import Difference
from offby.report.comparison_words import label, listed, percents
from offby.report.finding import Finding
from offby.report.findings import FEW, weights

_SENTENCES = 6  # pairs that are told one by one
Pair = tuple[str, str]


@dataclass(frozen=True)
class Compared:
    """What findings are drawn from."""

    rows: int
    dropped: int
    effective_rows: float
    confidence: float
    deciding: str
    measures: Mapping[str, Mapping[str, Measurement]]
    differences: Mapping[str, Mapping[Pair, Difference]]
    nearer: Mapping[Pair, Measurement]
    task: str = "regression"
    moments: int | None = None  # different times, where rows are a series

    @property
    def pairs(self) -> list[Pair]:
        """The pairs of models."""
        return list(self.nearer)


def findings(compared: Compared) -> tuple[Finding, ...]:
    """Everything worth saying, the most useful first."""
    if not compared.rows:
        return (Finding("empty", "there are no rows to compare models on"),)
    parts = (_identical, _disagreement, _skill, _nearer, _alone, _tied, _infinite, _unknown,
             _cautions, _together, weights, _trust, _dropped)  # fmt: skip
    return tuple(finding for part in parts for finding in part(compared))


def _identical(compared: Compared) -> Iterator[Finding]:
    for pair, found in compared.nearer.items():
        if found.value == 0.5 and found.standard_error == 0:
            text = f"{pair[0]} and {pair[1]} do equally well on every row; are they the same?"
            yield Finding("identical", text, {"models": list(pair)})


def _disagreement(compared: Compared) -> Iterator[Finding]:
    """Measures that call different models the better one."""
    for pair in compared.pairs:
        said = {name: of[pair].verdict for name, of in compared.differences.items()}
        better = [name for name, verdict in said.items() if verdict == "better"]
        worse = [name for name, verdict in said.items() if verdict == "worse"]
        if better and worse:
            text = (
                f"the measures disagree: {pair[0]} is better than {pair[1]} by "
                f"{listed([label(n) for n in better])} and worse by "
                f"{listed([label(n) for n in worse])}; decide by the one that stands for what an "
                "error costs you"
            )
            yield Finding("disagreement", text, {"models": list(pair), "verdicts": said})


def _skill(compared: Compared) -> Iterator[Finding]:
    """How much of the loss is gone, where one is better by the measure that decides."""
    for pair in compared.pairs[:_SENTENCES]:
        found = compared.differences[compared.deciding][pair]
        found = found if found.verdict == "better" else found.flipped
        if found.verdict != "better" or found.skill is None:
            continue
        value, low, high = found.skill
        text = (
            f"{found.model} takes {percent(value)} off the {label(found.measure)} of "
            f"{found.against} ({percents(low, high)})"
        )
        yield Finding("skill", text, {"measure": found.measure, "model": found.model,
                                      "against": found.against, "skill": value})  # fmt: skip


def _nearer(compared: Compared) -> Iterator[Finding]:
    """How often one is nearer; of probabilities the bolder is that more often, right or not."""
    if compared.task != "regression":
        return
    for pair, found in list(compared.nearer.items())[:_SENTENCES]:
        if found.value is None or found.low is None or found.high is None:
            continue
        if found.standard_error == 0 and found.value == 0.5:
            continue
        (b, a), share, low, high = pair, found.value, found.low, found.high
        if share < 0.5:
            b, a, share, low, high = a, b, 1 - share, 1 - high, 1 - low
        doubt = "" if low > 0.5 else ", which may be chance"
        text = (
            f"{b} is nearer to the truth than {a} in {percent(share, 3)} of the rows "
            f"({percents(low, high)}, ties count half){doubt}"
        )
        yield Finding("nearer", text, {"model": b, "against": a, "share": share, "low": low,
                                       "high": high})  # fmt: skip


def _alone(compared: Compared) -> Iterator[Finding]:
    """How many rows each alone gets right: what McNemar's test counts."""
    for (b, a), found in list(compared.differences.get("accuracy", {}).items())[:_SENTENCES]:
        if found.alone is not None and any(found.alone):
            text = (
                f"{b} alone is right on {rows(found.alone[0])}, {a} alone on "
                f"{rows(found.alone[1])} (McNemar)"
            )
            yield Finding("alone_right", text, {"model": b, "against": a, "rows": found.alone})


def _tied(compared: Compared) -> Iterator[Finding]:
    """How small a difference would have been seen; of several pairs by the deciding measure."""
    several = len(compared.pairs) > 1
    names = [compared.deciding] if several else list(compared.differences)
    for b, a in compared.pairs[:_SENTENCES]:
        every = [compared.differences[name][b, a] for name in names]
        seen = {d.measure: d.detectable for d in every if d.verdict == "tied" and d.detectable}
        if seen:
            text = (
                f"{b} and {a} cannot be told apart by {listed([label(name) for name in seen])}: so "
                "many rows show four times in five a difference of "
                f"{listed([number(least, 3) for least in seen.values()])} or more"
            )
            yield Finding("tied", text, {"model": b, "against": a, "detectable": seen})


def _infinite(compared: Compared) -> Iterator[Finding]:
    """Values that are infinite or undefined, once a model."""
    for name, models in compared.measures.items():
        for model, found in models.items():
            if found.value is None:
                text = f"{label(name)} of {model} is undefined: {found.undefined}"
                yield Finding("undefined", text, {"measure": name, "model": model})
            elif abs(found.value) == float("inf"):
                text = f"{label(name)} of {model} is infinite: {found.unsure}"
                yield Finding("infinite", text, {"measure": name, "model": model})


def _unknown(compared: Compared) -> Iterator[Finding]:
    """Differences without an interval."""
    said: dict[str, dict[str, None]] = {}
    for name, of in compared.differences.items():
        for found in of.values():
            if found.verdict == "unknown" and found.value is not None and found.reason:
                said.setdefault(found.reason, {})[name] = None
    for reason, names in said.items():
        text = f"no verdict by {listed([label(n) for n in names])}: {reason}"
        yield Finding("no_verdict", text, {"measures": list(names)})


def _cautions(compared: Compared) -> Iterator[Finding]:
    said: dict[str, dict[str, None]] = {}
    for name, of in compared.differences.items():
        for found in of.values():
            if found.caution:
                said.setdefault(found.caution, {})[name] = None
    for caution, names in said.items():
        text = f"intervals of differences by {listed([label(n) for n in names])}: {caution}"
        yield Finding("interval_worth", text, {"measures": list(names)})


def _together(compared: Compared) -> Iterator[Finding]:
    if len(compared.pairs) == 1:
        return
    pairs = len(compared.pairs)
    text = (
        f"with {percent(compared.confidence, 3)} confidence the intervals of all {pairs} pairs of "
        "models hold together (Bonferroni), so the best of them is no lucky find; each measure by "
        "itself"
    )
    yield Finding("simultaneous", text, {"pairs": pairs, "method": "Bonferroni"})


def _trust(compared: Compared) -> Iterator[Finding]:
    if compared.rows == 1:
        text = "one row shows no spread, so nothing can be said of how sure this is"
        yield Finding("few_rows", text, {"rows": 1})
    elif compared.moments is not None:
        text = (
            f"the intervals allow for losses that go together in time, over {compared.moments:,} "
            "moments; rows of one moment are added up"
        )
        yield Finding("in_time", text, {"moments": compared.moments})
    elif compared.rows < FEW:
        text = (
            f"{rows(compared.rows)} are few: the intervals rest on the t distribution; compare "
            "on more rows before you decide"
        )
        yield Finding("few_rows", text, {"rows": compared.rows})
    else:
        text = (
            "intervals take the rows as independent; rows that share a customer, a day or a place "
            "make them too narrow (for rows in order of time: --time COLUMN)"
        )
        yield Finding("independence", text)


def _dropped(compared: Compared) -> Iterator[Finding]:
    if compared.dropped:
        share = compared.dropped / (compared.rows + compared.dropped)
        were = "was" if compared.dropped == 1 else "were"
        text = (
            f"{rows(compared.dropped)} with a value missing in any of the columns {were} left out "
            f"for all models ({percent(share)})"
        )
        yield Finding("dropped", text, {"dropped": compared.dropped})
