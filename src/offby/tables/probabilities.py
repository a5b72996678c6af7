"""A column of probabilities for each class, found by the names of the classes."""

from collections.abc import Collection, Iterator, Sequence

from offby.tables.table import twice
from offby.tables.usual_names import plain

# Families of one line are equally good; a column with the very name of a class may hold anything.
_PATTERNS = (
    "p_{} p{} prob_{} prob{} proba_{} proba{} probability_{} y_prob_{} y_proba_{} pred_proba_{} "
    "{}_p {}_prob {}_proba {}_probability",
    "score_{} score{} y_score_{} pred_{} .pred_{} {}_score {}_pred",
    "{}",
)


def find_probabilities(columns: Sequence[str], labels: Collection[str]) -> tuple[str, ...] | None:
    """Find for each label the column of its probabilities: all of them, or None.

    The names must be of one pattern, such as `p_AA`, `prob_AA`, `p0`, `AA_prob`, `score_AA`, or
    the label itself; where two patterns fit equally well, none is chosen.

    >>> find_probabilities(["label", "p0", "p1", "p2"], ["2", "0", "1"])
    ('p2', 'p0', 'p1')
    >>> find_probabilities(["label", "p0", "p1"], ["0", "1", "2"]) is None
    True
    """
    if len(labels) < 2:
        return None
    for patterns in _PATTERNS:
        found = set(_families(columns, labels, patterns.split()))
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _families(
    columns: Sequence[str], labels: Collection[str], patterns: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    unique = set(columns) - set(twice(columns))
    folded = {plain(name): name for name in columns}
    for name in twice(map(plain, columns)):
        del folded[name]
    for pattern in patterns:
        exact = [pattern.format(label) for label in labels]
        close = [folded[name] for name in map(plain, exact) if name in folded]
        if unique.issuperset(exact):
            yield tuple(exact)
        elif len(close) == len(exact) and not twice(close):
            yield tuple(close)
