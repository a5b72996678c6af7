"""What went wrong, said so that the reader can act: what arrived, what was expected, what to do."""


class OffbyError(ValueError):
    """The parent of every error that offby raises on purpose."""


class TableError(OffbyError):
    """A table cannot be opened, is damaged, or lacks the columns asked for."""


class FormulaError(OffbyError):
    """A formula cannot be read, traced or differentiated."""


class DataError(OffbyError):
    """A column holds values that are not the numbers they should be."""


class MeasureError(OffbyError):
    """A measure is unknown, or is asked for something that it does not define."""


class RunError(OffbyError):
    """A training log cannot be found or read, or lacks the curves asked for."""
