"""offby's own estimators: `log_history("runs/a", model)` after `model.fit(X, y)`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from offby.errors import RunError
from offby.runs.run import Run

_NAMES = {"objective": "train", "validation": "val"}


def log_history(run: Run | str | Path, model: Any) -> None:
    """Write the walk downhill of a fitted `LinearRegressor` or `LinearClassifier` as a run.

    `train` is the objective at each step of `model.history_`, from 0, and `val` the mean loss of
    the rows held out (`Descent(validation=0.2)`), where there are such. Raises RunError for a
    model without a history.

    >>> import tempfile
    >>> from offby.fit import LinearRegressor
    >>> folder = tempfile.mkdtemp()
    >>> log_history(folder, LinearRegressor("log_cosh").fit([[0], [1], [2], [3]], [1, 2, 4, 9]))
    >>> from offby.runs.find import read_run
    >>> sorted(read_run(folder).series)
    ['gradient', 'seconds', 'train']
    """
    history: dict[str, Any] | None = getattr(model, "history_", None)
    if history is None or "objective" not in history:
        raise RunError(
            f"a {type(model).__name__} has no history of its loss; expected a fitted estimator of "
            "offby.fit (of others, log each evaluation with Run.log)"
        )
    own = run if isinstance(run, Run) else Run(run)
    columns = {_NAMES.get(name, name): values for name, values in history.items() if name != "step"}
    for step, row in enumerate(zip(*columns.values(), strict=True)):
        own.log(step, **dict(zip(columns, row, strict=True)))
    if own is not run:
        own.close()
