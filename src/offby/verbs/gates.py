"""Gates for CI: conditions on measures, judged with their intervals."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from offby.classification.catalogue import read
from offby.drawing.numbers import between, number
from offby.errors import MeasureError
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.report.report import Report

Kind = Literal["fail-if", "require"]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(
    r"\s*(?P<name>.+?)(?P<point>\.value)?\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[^\s<>=]+)\s*"
)


@dataclass(frozen=True)
class Gate:
    """A condition such as ``mae > 13000``, and whether it must not or must hold.

    The data are sure of a condition if the whole interval satisfies it. `--fail-if` fails when they
    are sure, `--require` unless they are; ``mae.value`` asks for the plain value instead. Where
    there is no interval (one row, an extreme) `--fail-if` judges the plain value and `--require`
    fails: neither lets anything bad slip through.
    """

    kind: Kind
    text: str
    measure: str
    asked: str | Measure
    sign: str
    bound: float
    point: bool

    @classmethod
    def parse(cls, kind: Kind, text: str, known: Sequence[str | Measure] = ()) -> Gate:
        """Read a condition on a `known` measure or any that has a name; raises `MeasureError`."""
        found = _CONDITION.fullmatch(text)
        bound = math.nan if found is None else _bound(found["bound"])
        if found is None or math.isnan(bound):
            raise MeasureError(
                f"--{kind} {text!r} cannot be read; write a measure, one of < <= > >= and a "
                f"number, such as 'mae > 13000', or 'mae.value > 13000' for the plain value"
            )
        asked = {_name(item): item for item in known}.get(found["name"]) or read(found["name"])
        return cls(
            kind, text.strip(), _name(asked), asked, found["sign"], bound, bool(found["point"])
        )

    def judge(self, report: Report) -> Verdict:
        """Whether the report passes; an undefined measure fails a requirement."""
        measured = report[self.measure]
        if measured.value is None:
            said = f"{measured.name} is undefined ({measured.undefined})"
            if self.kind == "fail-if":
                raise MeasureError(f"--fail-if '{self.text}' cannot be judged: {said}")
            return Verdict(self, passed=False, words=said)
        sure = self._sure(measured, measured.value)
        return Verdict(self, sure == (self.kind == "require"), self._words(measured, sure))

    def _holds(self, *values: float) -> bool:
        return all(_COMPARE[self.sign](value, self.bound) for value in values)

    def _sure(self, measured: Measurement, value: float) -> bool:
        if self.point or _certain(measured, value):
            return self._holds(value)
        if measured.low is None or measured.high is None:
            return self.kind == "fail-if" and self._holds(*(measured.bracket or (value,)))
        return self._holds(measured.low, measured.high)

    def _words(self, measured: Measurement, sure: bool) -> str:
        assert measured.value is not None
        said = f"{measured.name} is {_distance(measured.value, self.bound)}"
        if self.point or _certain(measured, measured.value):
            return said
        if measured.low is None:
            advice = f"ask for the plain value with '{measured.name}.value {self.sign} …'"
            judged = "the plain value was judged" if self.kind == "fail-if" else advice
            return f"{said}; {measured.unsure}; {judged}"
        said += f", interval {between(measured.low, measured.high)}"
        if self._holds(measured.value) and not sure:
            said += f": not sure to be {self.sign} {number(self.bound, 6)}"
        return said


def _name(asked: str | Measure) -> str:
    return asked if isinstance(asked, str) else asked.name


def _certain(measured: Measurement, value: float) -> bool:
    """Infinite, or as good or bad as can be and with no interval about it."""
    return math.isinf(value) or (value in measured.range and measured.low is None)


def _bound(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return math.nan


def _distance(value: float, bound: float) -> str:
    gap = abs(value - bound)
    if not gap or not math.isfinite(gap):
        return number(value, 6)
    side = "above" if value > bound else "below"
    return f"{number(value, 6)}, {number(gap)} {side} {number(bound, 12)}"


@dataclass(frozen=True)
class Verdict:
    """What a gate said of a report."""

    gate: Gate
    passed: bool
    words: str

    def __str__(self) -> str:
        state = "passed" if self.passed else "failed"
        return f"{state}: --{self.gate.kind} '{self.gate.text}': {self.words}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "gate": f"--{self.gate.kind}",
            "condition": self.gate.text,
            "passed": self.passed,
            "text": self.words,
        }


def gates(
    fail_if: Sequence[str], require: Sequence[str], known: Sequence[str | Measure] = ()
) -> list[Gate]:
    """The gates that the command line names."""
    return [
        *(Gate.parse("fail-if", text, known) for text in fail_if),
        *(Gate.parse("require", text, known) for text in require),
    ]
