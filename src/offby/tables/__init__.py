"""Anything tabular becomes batches of float64 columns.

`open_table` takes a file, a folder, standard input or a frame; `find_columns` says which of its
columns hold the truth and the predictions; `Table.read` yields them in batches of constant memory.
"""

from offby.tables.finding import Columns, find_columns
from offby.tables.floats import Kind
from offby.tables.opening import open_table
from offby.tables.table import Batch, Table

__all__ = ["Batch", "Columns", "Kind", "Table", "find_columns", "open_table"]
