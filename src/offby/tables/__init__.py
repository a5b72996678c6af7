"""Anything tabular becomes batches of float64 columns, and of labels beside them.

`open_table` takes a file, a folder, standard input or a frame; `find_columns` says which of its
columns hold the truth and the predictions; `Table.read` yields them in batches of constant memory;
`LabelCodes` makes numbers of labels.
"""

from offby.tables.finding import Columns, find_columns, find_true
from offby.tables.floats import Kind, Place
from offby.tables.label_text import label_text
from offby.tables.labels import MOST_CLASSES, LabelCodes
from offby.tables.opening import open_table
from offby.tables.probabilities import find_probabilities
from offby.tables.table import Batch, Table

__all__ = [
    "MOST_CLASSES",
    "Batch",
    "Columns",
    "Kind",
    "LabelCodes",
    "Place",
    "Table",
    "find_columns",
    "find_probabilities",
    "find_true",
    "label_text",
    "open_table",
]
