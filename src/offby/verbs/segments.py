"""What is measured beside the whole table: its segments, its clusters, the worst of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from offby.classification.task import REGRESSION
from offby.engine.groups import Groups
from offby.engine.rows import Rows, as_array, columns_of
from offby.engine.state import State
from offby.errors import DataError, MeasureError
from offby.formula.expression import Expression
from offby.measures.measure import Measure
from offby.measures.measurement import Measurement
from offby.measures.uncertainty import moments_only
from offby.report.report import Report
from offby.report.segment_findings import about_clusters, about_search, about_segments
from offby.report.worst_segment import with_worst
from offby.segments.asked import RowLoss, crossed, loss_of, named
from offby.segments.clusters import Clusters
from offby.segments.coding import Codes, Labels
from offby.segments.family import Family, Measured
from offby.segments.grouping import TooManySegments
from offby.segments.lists import SegmentLists
from offby.segments.losses import LossRows
from offby.segments.search import search
from offby.tables import Batch, Place, Table, open_table

MOST = 1000
"""Segments that are kept apart, unless told otherwise."""
CLUSTER = "cluster"
By = str | Iterable[Any] | Mapping[str, Any] | None


class Watchable(Protocol):
    """Totals that tell of the rows they count."""

    beside: Beside | None


Watched = TypeVar("Watched", bound=Watchable)


class Beside:
    """Watches the rows that are counted, and adds what it saw to the report.

    Codes are made where batches are read; the totals of segments run behind those of the whole.
    """

    def __init__(
        self, table: Table, by: By = None, *, bins: int = 5,
        edges: Mapping[str, Sequence[float]] | None = None, most: int = MOST,
        find: str | Iterable[Any] | None = None, cluster: str | None = None,
    ) -> None:  # fmt: skip
        groups = crossed(by, table.columns)
        self.find = list(
            dict.fromkeys(name for part in crossed(find, table.columns) for name in part)
        )
        self._lists = SegmentLists(table, groups, self.find, bins, edges, most)
        self._cluster = None if cluster is None else (cluster, Labels())
        self._codes: dict[int, tuple[list[Codes], list[Codes], Codes | None]] = {}
        self._runner, self._running = ThreadPoolExecutor(1), Future[None]()
        self._running.set_result(None)
        self._start()

    def _start(self) -> None:
        self._groups: list[Groups] = []
        self.clusters = None if self._cluster is None else Clusters(self._cluster[0])
        self._losses: LossRows | None = None
        self._loss = RowLoss(*REGRESSION.loss)
        self._asked: set[str] = set()
        self._inflation: tuple[str, float] | None = None

    @property
    def numbers(self) -> list[str]:
        """The columns to be read as numbers."""
        return self._lists.numbers

    @property
    def labels(self) -> list[str]:
        """The columns to be read as labels."""
        plain = self._lists.labels
        return plain if self._cluster is None else [*plain, self._cluster[0]]

    def coded(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, with the codes of their rows noted on the way."""
        for batch in batches:
            columns = self._lists.columns(batch)
            segments = self._lists.codes(columns)
            searched = [columns[name] for name in self.find]
            self._codes[batch.first_row] = segments, searched, self._cluster_codes(batch)
            yield batch

    def look_at_all(self, rows: int) -> None:
        """Note the codes of all rows at once, for arrays; raises `DataError` where rows differ."""
        table = self._lists.table
        noted = [self._codes.pop(batch.first_row)
                 for batch in self.coded(table.read(self.numbers, self.labels))]  # fmt: skip
        clusters = [codes for _, _, codes in noted if codes is not None]
        self._codes[0] = (
            [np.concatenate(part) for part in zip(*(one[0] for one in noted), strict=True)],
            [np.concatenate(part) for part in zip(*(one[1] for one in noted), strict=True)],
            np.concatenate(clusters) if clusters else None,
        )
        if table.rows not in (None, rows):
            raise DataError(
                f"{table.columns[0]!r} has {table.rows:,} rows and y_true has {rows:,}; "
                "give a value a row"
            )

    def _cluster_codes(self, batch: Batch) -> Codes | None:
        if self._cluster is None:
            return None
        name, coder = self._cluster
        return coder.codes(
            batch.labels[name], Place(self._lists.table.source, name, batch.first_row)
        )

    def find_largest(self) -> None:
        """Read the columns once to see which segments to keep, and start anew."""
        self._lists.find_largest()
        self._codes.clear()
        self._start()

    def add(self, state: State, rows: Rows, start: int) -> None:
        """Add rows that the whole's state has just counted, of the batch that began at `start`."""
        segments, searched, clusters = self._codes.pop(start)
        columns = columns_of(rows)
        ids: NDArray[np.int64] | range = range(start, start + rows.count)
        if rows.place is not None:
            ids = rows.place + start
            segments, searched = ([c[rows.place] for c in part] for part in (segments, searched))
            clusters = None if clusters is None else clusters[rows.place]
        self._running.result()  # one batch behind at most; and what went wrong is raised here
        if not self._groups:
            self._groups = [Groups(state.plan) for _ in segments]
        self._running = self._runner.submit(
            self._work, state, columns, ids, segments, searched, clusters
        )

    def _work(
        self, state: State, columns: Any, ids: NDArray[np.int64] | range, segments: Sequence[Codes],
        searched: Sequence[Codes], clusters: Codes | None,
    ) -> None:  # fmt: skip
        for groups, codes in zip(self._groups, segments, strict=True):
            groups.add(columns, codes, ids)
        if self.clusters is not None and clusters is not None:
            self.clusters.add(state, columns, clusters, ids)
        if self._losses is not None:
            self._losses.add(columns, searched, ids)

    def attach(self, columns: Sequence[Watchable], measures: Sequence[Measure]) -> None:
        """Be told of the rows of the one output."""
        if len(columns) > 1:
            raise MeasureError(
                f"segments and clusters are of one output, and here are {len(columns)}; measure "
                "them one by one"
            )
        self.judge_by(measures, REGRESSION.loss)
        columns[0].beside = self

    def judge_by(self, measures: Sequence[Measure], usual: tuple[str, Expression]) -> None:
        """Take the loss that segments are searched by from the first measure that has one."""
        self._asked = {measure.name for measure in measures}
        self._loss = loss_of(measures, usual)
        if self.find and self._losses is None:
            self._losses = LossRows(self.find, self._loss.term)

    def refined(
        self, state: State, measures: Sequence[Measure], found: Mapping[str, Measurement],
        measured: Measured,
    ) -> dict[str, Measurement]:  # fmt: skip
        """The measurements, with intervals that know the clusters where there are any."""
        self._running.result()
        if self.clusters is None:
            return dict(found)
        refined = {}
        for measure in measures:
            before = after = found[measure.name]
            if measure.name in self._asked or moments_only(measure.formula):
                after = self.clusters.refined(state, measure, before, measured)
            refined[measure.name] = after
            if self._inflation is None and before.standard_error and after.standard_error:
                ratio = after.standard_error / before.standard_error
                self._inflation = measure.name, ratio
        return refined

    def told(
        self, report: Report, state: State, measures: Sequence[Measure], measured: Measured,
        confidence: float,
    ) -> Report:  # fmt: skip
        """The report, with what was seen beside it."""
        self._running.result()
        self._runner.shutdown()
        cautions = {name: m.caution for name, m in report.measures.items()}
        families = [
            Family(grouping, groups, state, measures, measured, cautions, confidence).segments()
            for grouping, groups in zip(self._lists.groupings, self._groups, strict=False)
        ]
        found = None
        if self._losses is not None and state.sums.rows:
            found = search(self._losses, self._name, self._loss.averaged, confidence)
        said = list(report.findings)
        if self.clusters is not None:
            said = about_clusters(said, self.clusters.column, self.clusters.count, self._inflation)
        said += [*about_segments(families), *about_search(found)]
        segments = tuple(segment for family in families for segment in family)
        trials = with_worst(report.trials, self._loss, report.measures, segments, found)
        return replace(report, segments=segments, search=found, findings=tuple(said), trials=trials)

    def _name(self, column: int, code: int) -> str:
        return self._lists.coders[self.find[column]].names[code]


def of_table(table: Table, **asked: Any) -> Beside | None:
    """What is to be watched beside the whole; None where nothing was asked for."""
    wanted = any(asked[name] is not None for name in ("by", "find", "cluster"))
    if asked["edges"] and not wanted:
        raise MeasureError("edges cut columns that by= or find_segments= name; name the columns")
    return Beside(table, **asked) if wanted else None


def of_arrays(y_true: Any, by: Any, find: Any, cluster: Any, **asked: Any) -> Beside | None:
    """The same beside arrays, where `by` maps names to columns and `cluster` is a column."""
    if by is None and find is None and cluster is None:
        return None
    rows = len(as_array(y_true, "y_true"))
    by, find = named(by, "by", rows), named(find, "find_segments", rows)
    columns = dict(by or {}) | dict(find or {})
    if cluster is not None:
        columns[CLUSTER] = cluster
    beside = Beside(open_table(columns), None if by is None else [(name,) for name in by],
                    find=None if find is None else [(name,) for name in find],
                    cluster=None if cluster is None else CLUSTER, **asked)  # fmt: skip
    try:
        beside.look_at_all(rows)
    except TooManySegments:
        beside.find_largest()
        beside.look_at_all(rows)
    return beside


def watched(totals: Watched, beside: Beside | None) -> Watched:
    """The totals, which tell what is watched beside them of every row."""
    totals.beside = beside
    return totals


def read(
    table: Table, beside: Beside | None, numbers: Sequence[str], labels: Sequence[str] = ()
) -> Iterator[Batch]:
    """The batches of a table, with what is needed beside the columns."""
    if beside is None:
        return table.read(numbers, labels)
    return beside.coded(table.read([*numbers, *beside.numbers], [*labels, *beside.labels]))


def with_largest(beside: Beside | None, run: Callable[[Beside | None], Report]) -> Report:
    """The report of a run; of a second one, if it first had to be seen which segments are large."""
    try:
        return run(beside)
    except TooManySegments:
        assert beside is not None
        beside.find_largest()
        return run(beside)
