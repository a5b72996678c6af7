"""Several outputs: a report each, and the average of every measure over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from offby.measures.measurement import Measurement
from offby.measures.uncertainty import interval
from offby.report.finding import Finding
from offby.report.report import Report


def averaged(outputs: Mapping[str, Report]) -> Report:
    """A report of averages that holds the reports of the outputs.

    The outputs share their rows, so their errors are not independent; the average of the standard
    errors is the most that the standard error of the average can be, whatever their correlation.
    """
    parts = list(outputs.values())
    measures = {name: _average([part[name] for part in parts]) for name in parts[0]}
    findings = tuple(
        Finding(finding.kind, f"{name}: {finding.text}", {**finding.numbers, "output": name})
        for name, part in outputs.items()
        for finding in part.findings
    )
    return Report(
        parts[0].rows, measures, findings, parts[0].dropped, view=None, outputs=dict(outputs)
    )


def _average(parts: Sequence[Measurement]) -> Measurement:
    first = replace(parts[0], standard_error=None, low=None, high=None, bracket=None, caution=None)
    values = [part.value for part in parts if part.value is not None]
    if len(values) < len(parts):
        reason = next(part.undefined for part in parts if part.value is None)
        return replace(first, value=None, undefined=f"undefined for an output: {reason}")
    value = sum(values) / len(values)
    errors = [part.standard_error for part in parts if part.standard_error is not None]
    if len(errors) < len(parts):
        return replace(first, value=value)
    error = sum(errors) / len(errors)
    low, high = interval(value, error, first.n, first.confidence, (float("-inf"), float("inf")))
    return replace(first, value=value, standard_error=error, low=low, high=high)
