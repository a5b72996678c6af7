"""Gates for CI: conditions on measures, judged with their intervals."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from offby.errors import MeasureError
from offby.measures.measurement import Measurement
from offby.report.numbers import between, number
from offby.report.report import Report

Kind = Literal["fail-if", "require"]
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"^\s*(?P<name>.+?)(?P<point>\.value)?\s*(?P<sign><=|>=|<|>)\s*(?P<bound>\S+)\s*$")


@dataclass(frozen=True)
class Gate:
    """A condition such as ``mae > 13000``, and whether it must not or must hold."""

    kind: Kind
    text: str
    name: str
    sign: str
    bound: float
    point: bool

    @classmethod
    def parse(cls, kind: Kind, text: str) -> Gate:
        """Read a condition; raises `MeasureError` on anything else."""
        found = _CONDITION.match(text)
        try:
            if found is None:
                raise ValueError
            bound = float(found["bound"].replace("_", ""))
        except ValueError:
            raise MeasureError(
                f"--{kind} {text!r} cannot be read; write a measure, one of < <= > >= and a number, "
                f"such as --{kind} 'mae > 13000' (or mae.value for the plain point)"
            ) from None
        return cls(kind, text.strip(), found["name"].strip(), found["sign"], bound,
                   found["point"] is not None)  # fmt: skip

    def judge(self, report: Report) -> Verdict:
        """Whether the report passes; an undefined measure fails a requirement."""
        measured = report[self.name]
        if measured.value is None:
            if self.kind == "fail-if":
                raise MeasureError(
                    f"--fail-if {self.text!r}: {self.name} is undefined ({measured.undefined})"
                )
            return Verdict(self, False, f"{self.name} is undefined ({measured.undefined})")
        sure = self._holds(measured)
        passed = not sure if self.kind == "fail-if" else sure
        return Verdict(self, passed, self._words(measured, sure))

    def _ends(self, measured: Measurement) -> tuple[float, ...]:
        """What must satisfy the condition for it to be sure: the value, or the whole interval."""
        assert measured.value is not None
        if self.point:
            return (measured.value,)
        if measured.low is None or measured.high is None:
            return measured.bracket or (measured.value,)
        return measured.low, measured.high

    def _holds(self, measured: Measurement) -> bool:
        return all(_COMPARE[self.sign](end, self.bound) for end in self._ends(measured))

    def _words(self, measured: Measurement, sure: bool) -> str:
        assert measured.value is not None
        gap = abs(measured.value - self.bound)
        side = "above" if measured.value > self.bound else "below"
        said = f"{self.name} is {number(measured.value, 6)}"
        if not self.point and measured.low is not None:
            said += f", interval {between(measured.low, measured.high)}"
        said += f": {number(gap)} {side} {number(self.bound, 6)}" if gap else f": just {number(gap)}"
        if sure or self.point or measured.low is None:
            return said
        return said + f", and the data are not sure that it is {self.sign} {number(self.bound, 6)}"


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
        return {"gate": f"--{self.gate.kind}", "condition": self.gate.text,
                "passed": self.passed, "text": self.words}  # fmt: skip


def gates(fail_if: Sequence[str], require: Sequence[str]) -> list[Gate]:
    """The gates that the command line names."""
    return [Gate.parse("fail-if", text) for text in fail_if] + [
        Gate.parse("require", text) for text in require
    ]
