"""The verdict on a run's curves, with the numbers that it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from offby.watch import words
from offby.watch.judge import Label
from offby.watch.scale import Better


@dataclass(frozen=True)
class Estimate:
    """A number, and the interval it lies in with this confidence."""

    value: float
    low: float
    high: float
    confidence: float

    def to_dict(self) -> dict[str, float]:
        """For JSON."""
        return {"value": self.value, "low": self.low, "high": self.high,
                "confidence": self.confidence}  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What the curves of a run say; None where there is nothing to say.

    `watched` names the curve that was judged. Epochs are its steps, counted from 1 where none were
    given; `axis` is the word for one. `best_expected` is what evaluating the best checkpoint again
    would likely show: the value logged there was chosen for being low, and flatters it. `cost` is
    how much worse the level now is than at `best_epoch`, and `gain` how much better it would likely
    be at the step `gain_until`, both in units of the metric. A gap is how much worse validation is
    than training. `noise` is the standard deviation of an evaluation past the knee, relative where
    `scale` is "log"; `correlation` that with the next evaluation. `p_value` is how often noise
    alone looks so much like a rise, and `needed` about how many evaluations would tell. `fitted` is
    the smooth level past the knee: its steps and values.
    """

    verdict: Label
    watched: Literal["val", "train"]
    evaluations: int
    axis: str = "epoch"
    best_epoch: float | None = None
    best_interval: tuple[float, float] | None = None
    best_expected: Estimate | None = None
    onset: Estimate | None = None
    gap_then: float | None = None
    gap_now: float | None = None
    cost: Estimate | None = None
    gain: Estimate | None = None
    gain_until: float | None = None
    p_value: float | None = None
    noise: float | None = None
    correlation: float | None = None
    scale: Literal["log", "linear"] | None = None
    needed: int | None = None
    ended: str | None = None
    train_rose: bool = False
    fell_again: bool = False
    overconfident: bool = False
    better: Better = "lower"
    confidence: float = 0.95
    live: bool = False
    notes: tuple[str, ...] = ()
    fitted: tuple[list[float], list[float]] | None = field(default=None, repr=False)

    @property
    def advice(self) -> str:
        """What to do, in one sentence."""
        return words.advice(self)

    def __repr__(self) -> str:
        """What a prompt or a notebook shows: the verdict and what to do."""
        return f"{self.verdict}: {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the verdict and the advice first."""
        names = [name for name in self.__dataclass_fields__ if name != "fitted"]
        fields = {name: getattr(self, name) for name in names}
        return {"verdict": self.verdict, "advice": self.advice} | {
            name: value.to_dict() if isinstance(value, Estimate)
            else list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join([f"{self.verdict}: {self.advice}", *(f"({note})" for note in self.notes)])
