"""What segments, clusters and a search come to, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from offby.drawing.numbers import between, number, percent, rows
from offby.measures.measure import Better
from offby.report.finding import Finding
from offby.segments.clusters import FEW
from offby.segments.gap import Gap
from offby.segments.search import Search
from offby.segments.segment import Segment


def worse(gap: Gap, better: Better) -> bool | None:
    """Whether a gap is surely for the worse (or the better); None where that cannot be said."""
    if not gap.sure or better not in ("lower", "higher"):
        return None
    return (gap.value > 0) == (better == "lower")


def about_segments(families: Sequence[Sequence[Segment]]) -> Iterator[Finding]:
    """The worst segment of each list, and how many stand out."""
    for segments in families:
        if segments:
            yield _of_family(segments)


def _of_family(segments: Sequence[Segment]) -> Finding:
    name = next(iter(segments[0].measures))
    by = " × ".join(segments[0].columns)
    better = segments[0][name].better
    judged = [(one, gap) for one in segments if (gap := one.gaps[name])]
    sides = [worse(gap, better) for _, gap in judged]
    counts = {"worse": sides.count(True), "better": sides.count(False), "segments": len(segments)}
    if not any(gap.sure for _, gap in judged):
        text = (
            f"no segment by {by} differs surely from the rest in {name} (of {len(segments):,}, "
            "with Holm's correction)"
        )
        return Finding("segments", text, {"by": list(segments[0].columns), **counts})
    marked = zip(judged, sides, strict=True)
    worst, gap = next((found for found, side in marked if side),
                      next(found for found in judged if found[1].sure))  # fmt: skip
    if worse(gap, better) is False:
        text = f"no segment by {by} is surely worse than the rest in {name}; {_counted(counts)}"
        return Finding("segments", text, {"by": list(segments[0].columns), **counts})
    said = "the worst segment" if worse(gap, better) else "the segment farthest from the rest"
    side = "above" if gap.value > 0 else "below"
    text = (
        f"{said} by {by} is {worst.label}: {name} {number(worst[name].value)} on "
        f"{rows(worst.rows)}, {number(abs(gap.value), 3)} {side} the rest (interval of "
        f"the gap {between(gap.low, gap.high)}); {_counted(counts)}"
    )
    numbers = {"by": list(worst.columns), "values": list(worst.values), "gap": gap.value, **counts}
    return Finding("worst_segment", text, numbers)


def _counted(counts: dict[str, int]) -> str:
    return (
        f"of {counts['segments']:,} segments, {counts['worse']:,} surely worse than the rest and "
        f"{counts['better']:,} surely better"
    )


def about_search(found: Search | None) -> Iterator[Finding]:
    """What a search confirmed, the largest first; or that nothing was."""
    if found is None:
        return
    looked = f"{found.looked_at:,} segments by {', '.join(found.columns)}"
    if found.reason:
        yield Finding("no_search", f"no segments were searched: {found.reason}")
    elif not found.found:
        text = (
            f"nothing confirmed: of {looked}, {found.carried:,} stood out on one half of the rows "
            "and none on the other"
        )
        yield Finding("nothing_confirmed", text, found.to_dict())
    else:
        yield Finding("culprit", _culprit(found), found.to_dict())


def _culprit(found: Search) -> str:
    one, more = found.found[0], len(found.found) - 1
    also = f"; {more:,} more {'was' if more == 1 else 'were'} confirmed" if more else ""
    return (
        f"{one.label} owns most excess loss: {percent(one.loss_share)} of the loss with "
        f"{percent(one.rows_share)} of the rows, {found.loss} {number(one.loss)} where the rest "
        f"has {number(one.rest)}, found on one half of the rows and confirmed on the other{also}"
    )


def about_clusters(
    said: Sequence[Finding], column: str, count: int, inflation: tuple[str, float] | None
) -> list[Finding]:
    """The findings, with a word on the clusters in place of the one on independence."""
    text = f"intervals take the {count:,} clusters of {column!r} as independent, not their rows"
    if inflation is not None:
        name, ratio = inflation
        text += f": the standard error of {name} is {number(ratio, 2)} times that of such rows"
    if count < FEW:
        text += f"; {count:,} clusters are few, and intervals from so few may be too narrow"
    kept = [finding for finding in said if finding.kind != "independence"]
    return [*kept, Finding("clusters", text, {"column": column, "clusters": count})]
