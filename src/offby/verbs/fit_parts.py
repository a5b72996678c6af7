"""The two parts of a table: the rows that a model is fitted to, and those held out from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from offby.errors import DataError
from offby.fit.data.class_weights import weighted_by_class
from offby.fit.data.rows import Source
from offby.fit.data.tabular import columns_of, labels_of, numbers_of
from offby.fit.data.truths import check_domain
from offby.tables import Batch, Table
from offby.tables.part import in_part, part_of
from offby.tables.strata import Strata
from offby.verbs.fit_asked import Asked

_LOOKED_AT = 1 << 20


@dataclass(frozen=True)
class Parts:
    """Tables of the rows to be fitted and of those held out (None for none), and how many.

    Their rows are opened when they are first needed, since that takes a pass over them.
    """

    asked: Asked
    training: Table
    held_out: Table | None
    count: int

    @cached_property
    def training_rows(self) -> Source:
        """The rows that are fitted, as the search sees them."""
        return rows_of(self.asked, self.training)

    @cached_property
    def held_out_rows(self) -> Source | None:
        """The rows held out, with the weights that the search would give them."""
        return None if self.held_out is None else rows_of(self.asked, self.held_out)


def parts_of(asked: Asked, share: float, heard: Callable[[Batch], None] | None) -> Parts:
    """Hold a share of a table out, of labels as large a share of each class.

    Raises `DataError` for a share that leaves no two parts, and for rows that cannot be fitted,
    which are named by their place in the whole table.
    """
    split = partial(part_of, asked.table, share)
    if not share:
        return Parts(asked, split(rest=True, heard=heard), None, 0)
    count = rows_of(asked, asked.table).count
    strata = None
    if asked.classes:
        strata = Strata.of(asked.target, asked.table.count_labels(asked.target), share)
    else:
        _check_share(count, share)
    training = split(rest=True, heard=heard, strata=strata)
    return Parts(asked, training, split(strata=strata), count)


def _check_share(count: int, share: float) -> None:
    few = min(count, _LOOKED_AT)
    if not 0 < in_part(np.arange(few), share).sum() < few:
        raise DataError(
            f"validate {share:g} of {count:,} rows leaves no two parts; hold out another share, or "
            "none"
        )


def rows_of(asked: Asked, table: Table) -> Source:
    """The rows of a table as they are fitted; looks at all of them once."""
    columns = columns_of(table, asked.target, asked.features, asked.weight)
    if not asked.classes:
        return numbers_of(columns, partial(check_domain, asked.loss))
    source = labels_of(columns, asked.classes)
    return weighted_by_class(source, asked.class_weight, asked.classes)
