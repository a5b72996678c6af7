"""Several outputs: a report each, and the average of every measure over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from offby.measures.measurement import Measurement
from offby.measures.uncertainty import Range, interval
from offby.report.finding import Finding
from offby.report.report import Report

_TRIED_OUTPUTS = 6


def averaged(outputs: Mapping[str, Report], ranges: Mapping[str, Range]) -> Report:
    """A report of averages that holds the reports of the outputs.

    The outputs share their rows, so their errors are not independent; the average of the standard
    errors is the most that the standard error of the average can be, whatever their correlation.
    Intervals keep within the range of values that each measure can have. Corrections are tried on
    the first few outputs alone: of a thousand that would take longer than all the rest.
    """
    first = next(iter(outputs.values()))
    measures = {
        name: _average([part[name] for part in outputs.values()], ranges[name]) for name in first
    }
    findings = tuple(_findings(outputs))
    parts = {
        name: part if at < _TRIED_OUTPUTS else replace(part, trials=None)
        for at, (name, part) in enumerate(outputs.items())
    }
    return Report(first.rows, measures, findings, first.dropped, outputs=parts)


def _findings(outputs: Mapping[str, Report]) -> Iterator[Finding]:
    """What is found of each output; what holds for all in the same words is said once, last."""
    said = [{finding.text: finding for finding in part.findings} for part in outputs.values()]
    shared = [text for text in said[0] if all(text in texts for texts in said)]
    for name, part in outputs.items():
        for finding in part.findings:
            if finding.text not in shared:
                numbers = {**finding.numbers, "output": name}
                yield Finding(finding.kind, f"{name}: {finding.text}", numbers)
    yield from (said[0][text] for text in shared)


def _average(parts: Sequence[Measurement], within: Range) -> Measurement:
    first = replace(parts[0], standard_error=None, low=None, high=None, bracket=None, caution=None)
    values = [part.value for part in parts if part.value is not None]
    if len(values) < len(parts):
        reason = next(part.undefined for part in parts if part.value is None)
        return replace(first, value=None, undefined=f"undefined for an output: {reason}")
    value = sum(values) / len(values)
    errors = [part.standard_error for part in parts if part.standard_error is not None]
    if len(errors) < len(parts):
        unsure = next(part.unsure for part in parts if part.standard_error is None)
        return replace(first, value=value, unsure=unsure)
    error = sum(errors) / len(errors)
    low, high = interval(value, error, first.n - 1, first.confidence, within)
    return replace(first, value=value, standard_error=error, low=low, high=high)
